// `client HOST CERTIFICATE` says as JSON what has come of each thing that programs in node do; `server FAMILY CERTIFICATE KEY` is its
// other side, several processes that accept from the same sockets. Nothing in it knows of Braid.
"use strict";
const cluster = require("cluster"), crypto = require("crypto"), fs = require("fs"), http = require("http"), https = require("https"),
    net = require("net");
const WEB = 8200, SECURE = 8201, ECHO = 8202, REFUSING = 8203, BULK = 3 << 20, MANY = 100;
const bulk = crypto.createHash("shake256", { outputLength: BULK }).update("bulk").digest();
const digest = data => crypto.createHash("sha256").update(data).digest("hex");

function server(family, certificate, key) {
    if (cluster.isPrimary) {
        cluster.fork();
        cluster.fork();
        return;
    }
    const answer = (request, response) => {
        const parts = [];
        request.on("data", part => parts.push(part));
        request.on("end", () => request.method === "PUT" ? response.end(digest(Buffer.concat(parts))) : response.end(bulk));
    };
    const everywhere = family === "6" ? "::" : "0.0.0.0";
    http.createServer(answer).listen(WEB, everywhere);
    https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, answer).listen(SECURE, everywhere);
    // It answers once its peer has ended, as a half-open connection allows.
    net.createServer({ allowHalfOpen: true }, socket => {
        const parts = [];
        socket.on("data", part => parts.push(part));
        socket.on("end", () => socket.end(digest(Buffer.concat(parts))));
        socket.on("error", () => {});
    }).listen(ECHO, everywhere);
}

function asked(library, options, body) {
    return new Promise((resolve, reject) => {
        const request = library.request(options, response => {
            const parts = [];
            response.on("data", part => parts.push(part));
            response.on("end", () => {
                const data = Buffer.concat(parts);
                resolve([response.statusCode, data.length, data.length > 100 ? digest(data) : data.toString()]);
            });
        });
        request.on("error", reject);
        request.end(body);
    });
}

function halfClosed(host, data) {
    return new Promise((resolve, reject) => {
        let said = "";
        const socket = net.connect({ host, port: ECHO, allowHalfOpen: true }, () => socket.end(data));
        socket.setNoDelay(true).setKeepAlive(true, 5000);
        socket.on("data", part => said += part);
        socket.on("close", hadError => resolve([said === digest(data), hadError, socket.bytesWritten, socket.bytesRead]));
        socket.on("error", reject);
    });
}

async function client(host, certificate) {
    const ca = fs.readFileSync(certificate), seen = {}, agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const tasks = {
        get: () => asked(http, { host, port: WEB }),
        put: () => asked(http, { host, port: WEB, method: "PUT" }, bulk),
        secure: () => asked(https, { host, port: SECURE, ca }),
        "another name": () => asked(https, { host, port: SECURE, ca, servername: "other.test" }),
        kept: () => Promise.all(Array.from({ length: 20 }, (_, n) => asked(http, { host, port: WEB, method: "PUT", agent }, `${n}`))),
        "half-close": () => halfClosed(host, bulk),
        many: () => Promise.all(Array.from({ length: MANY }, (_, n) => halfClosed(host, `this is ${n}`))),
        refused: () => asked(http, { host, port: REFUSING }),
    };
    for (const [name, task] of Object.entries(tasks)) {
        try {
            seen[name] = await task();
        } catch (error) {
            seen[name] = `${error.code} ${error.syscall}`;
        }
    }
    agent.destroy();
    console.log(JSON.stringify(seen));
}

({ server, client })[process.argv[2]](...process.argv.slice(3));
