"""Unchanged programs, as clients on a CPE's machine and as servers behind an edge, with libbraid-socket preloaded and without: they
do what they do over plain TCP, and both uplinks carry."""
import hashlib
import json

from lib import net
from lib.proc import run
from lib.stream import MIB, noise
from lib.suite import braid_only, cases, limit
from lib.wait import until
from lib.ways import HOST, PRELOADED, same_each_way

VERSIONS = {"ipv4": 4, "ipv6": 6}
WEB, SECURE, REFUSING = 8000, 8443, 8001
SMALL = 30
NGINX = """daemon off; pid {folder}/nginx.pid; user root; worker_processes 2; error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; client_max_body_size 100m; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied;
    server {{
        listen {web}; listen {secure} ssl http2;
        ssl_certificate {folder}/certificate; ssl_certificate_key {folder}/key;
        location / {{ root {folder}/www; autoindex on; }}
        location /put/ {{ root {folder}; dav_methods PUT; }}
    }}
}}
"""


def certificate(folder):
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", folder / "key", "-out", folder / "certificate"])


def write_site(folder, big=4 * MIB):
    """Files to serve, a certificate, and a configuration of nginx."""
    (folder / "www").mkdir(exist_ok=True)
    (folder / "put").mkdir()
    for number in range(SMALL):
        (folder / "www" / str(number)).write_bytes(noise()[number * 1000:][:20000])
    (folder / "www" / "big").write_bytes(noise()[:big])
    certificate(folder)


def serve_site(env, way):
    wildcard = {4: "", 6: "[::]:"}[way.version]
    config = env.directory / "nginx.conf"
    config.write_text(NGINX.format(folder=env.directory, web=f"{wildcard}{WEB}", secure=f"{wildcard}{SECURE}"))
    way.serve((WEB, SECURE), "nginx", "-e", "stderr", "-c", config)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def outcome(way, *argv, **how):
    """Exit status and what was said, without the peer's address."""
    done = run(way.client(*argv), check=False, **how)
    return done.returncode, way.without_address(done.stdout), way.without_address(done.stderr)


def reported(way):
    """The local addresses of the subflows that the library has told of."""
    return {line.split()[2].rpartition(":")[0] for line in way.report.read_text().splitlines()}


@braid_only
@limit(180)
@cases(**VERSIONS)
def test_curl_and_nginx(env, version):
    """Connects that do not block, many connections at a time, TLS and HTTP/2, both ways; the server forks and uses sendfile."""
    write_site(env.directory)
    big, gotten = env.directory / "www" / "big", env.directory / "gotten"
    curl = ("curl", "-sS", "-m", "30", "--cacert", env.directory / "certificate")
    told = ("-w", "%{http_code} %{http_version} %{size_download} %{size_upload} %{num_connects} %{ssl_verify_result} %{exitcode}\n")

    def work(way):
        serve_site(env, way)
        result = {}
        result["many"] = outcome(way, *curl, "-Z", "--fail", "--output-dir", env.directory, "-o", "got#1",
                                 f"http://{HOST}:{WEB}/[0-{SMALL - 1}]")[0]  # its meter tells times
        result["many files"] = [digest(env.directory / f"got{number}") for number in range(SMALL)]
        for url in (f"http://{HOST}:{WEB}", f"https://{HOST}:{SECURE}"):
            gotten.unlink(missing_ok=True)
            (env.directory / "put" / "it").unlink(missing_ok=True)
            result[url, "get"] = outcome(way, *curl, *told, "-o", gotten, f"{url}/big")
            result[url, "put"] = outcome(way, *curl, *told, "-T", big, f"{url}/put/it")
            result[url, "files"] = digest(gotten), digest(env.directory / "put" / "it")
            result[url, "missing"] = outcome(way, *curl, *told, "--fail", f"{url}/missing")
        result["refused"] = outcome(way, *curl, f"http://{HOST}:{REFUSING}/")[0]
        result["other name"] = outcome(way, *curl, f"https://{net.join(way.address, SECURE)}/")
        if way.name is PRELOADED:
            assert reported(way) == {net.join(uplink.address(version), 0).rpartition(":")[0] for uplink in env.home.uplinks}
        return result

    result = same_each_way(env, version, (WEB, SECURE), work, 6 * MIB)
    assert result["many files"] == [digest(env.directory / "www" / str(number)) for number in range(SMALL)]
    secure = f"https://{HOST}:{SECURE}"
    assert result[secure, "files"] == (digest(big), digest(big)) and result[secure, "get"][1].startswith("200 2 ")
    assert result["refused"] == 7 and result["many"] == 0 and result["other name"][0] == 60


@braid_only
@limit(180)
def test_wget_and_nginx(env):
    """Connects that block, one connection for many files, the end of a file that is there in part."""
    write_site(env.directory)
    wget = ("wget", "-nv", "-T", "30", "-t", "1", "--no-config", f"--ca-certificate={env.directory}/certificate")

    def work(way):
        serve_site(env, way)
        result, folder = {}, env.directory / "mirror"
        for address, name in ((f"http://{HOST}:{WEB}/", "http"), (f"https://{HOST}:{SECURE}/", "https")):
            run(["rm", "-rf", folder])
            done = run(way.client(*wget, "-r", "-nH", "-P", folder, address), check=False)
            result[name] = done.returncode, {each.name: digest(each) for each in folder.iterdir() if each.name != "index.html"}
            (folder / "big").write_bytes(noise()[:MIB])
            result[name, "rest"] = run(way.client(*wget, "-c", "-P", folder, f"{address}big"), check=False).returncode, digest(folder / "big")
        result["missing"] = run(way.client(*wget, f"http://{HOST}:{WEB}/missing"), check=False).returncode
        result["refused"] = run(way.client(*wget, f"http://{HOST}:{REFUSING}/"), check=False).returncode
        return result

    result = same_each_way(env, 4, (WEB, SECURE), work, 4 * MIB)
    assert result["http"] == result["https"] and result["http"][0] == 0 and len(result["http"][1]) == SMALL + 1
    assert result["http", "rest"] == (0, digest(env.directory / "www" / "big"))
    assert (result["missing"], result["refused"]) == (8, 4)


PROXY = """daemon off; pid {folder}/proxy.pid; user root; worker_processes 2; error_log stderr crit;
events {{ worker_connections 512; }}
http {{
    access_log off; proxy_temp_path {folder}/held; client_body_temp_path {folder}/taken; client_max_body_size 100m;
    upstream far {{ server {host}:{web}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://far; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        location /secure/ {{ proxy_pass https://{host}:{secure}/; proxy_ssl_verify on; proxy_ssl_name {host};
                             proxy_ssl_trusted_certificate {folder}/certificate; }}
        location /refused/ {{ proxy_pass http://{host}:{refusing}/; }}
    }}
}}
"""


@braid_only
@limit(180)
def test_nginx_as_a_client(env):
    """A reverse proxy on the CPE's machine: connects that do not block and the error that they end with, connections that are kept."""
    write_site(env.directory)
    port, gotten = 8002, env.directory / "gotten"
    config = env.directory / "proxy.conf"
    config.write_text(PROXY.format(folder=env.directory, host=HOST, web=WEB, secure=SECURE, refusing=REFUSING, port=port))
    curl = ("curl", "-sS", "-m", "30", "-w", "%{http_code} %{size_download} %{size_upload}\n")

    def work(way):
        serve_site(env, way)
        way.serve((port,), "nginx", "-e", "stderr", "-c", config, at=env.home.cpe)
        result = {}
        for path in ("big", "secure/big", "refused/", "missing"):
            gotten.unlink(missing_ok=True)
            done = env.home.cpe.run(*curl, "-o", gotten, f"http://127.0.0.1:{port}/{path}", check=False)
            result[path] = done.stdout, done.stderr, digest(gotten)
        result["many"] = env.home.cpe.run(*curl, "-Z", "--output-dir", env.directory, "-o", "got#1", f"http://127.0.0.1:{port}/[0-{SMALL - 1}]").stdout
        result["many files"] = [digest(env.directory / f"got{number}") for number in range(SMALL)]
        done = env.home.cpe.run(*curl, "-T", env.directory / "www" / "big", f"http://127.0.0.1:{port}/put/it")
        result["put"] = done.stdout, digest(env.directory / "put" / "it")
        (env.directory / "put" / "it").unlink()
        return result

    result = same_each_way(env, 4, (WEB, SECURE), work, 3 * MIB)
    assert result["big"][0].startswith("200 ") and result["big"][2] == result["secure/big"][2] == digest(env.directory / "www" / "big")
    assert result["refused/"][0].startswith("502 ")


@braid_only
@limit(180)
def test_iperf3(env):
    """Both ways, some connections at a time; its threads and timers."""
    def work(way):
        server = way.serve((5201,), "iperf3", "-s", "-B", "0.0.0.0", "--forceflush")
        result, tests = {}, 0
        for name, words in (("up", ()), ("down", ("-R",)), ("both", ("--bidir",)), ("no delay", ("-N", "-w", "256K"))):
            tests += 1
            until(lambda: sum("Server listening" in line for line in server.lines) == tests, "the server is free again")
            done = run(way.client("iperf3", "-c", HOST, "-P", "2", "-t", "1", "-J", *words), check=False)
            told = json.loads(done.stdout)
            result[name] = (done.returncode, told.get("error"), len(told["end"]["streams"]), told["end"]["sum_received"]["bytes"] > 2**18)
        result["refused"] = "refused" in run(way.client("iperf3", "-c", HOST, "-p", REFUSING, "-J"), check=False).stdout
        return result

    result = same_each_way(env, 4, (5201,), work, MIB)
    assert all(result[name][:2] == (0, None) for name in ("up", "down", "both", "no delay")) and result["refused"], result
