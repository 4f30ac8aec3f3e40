"""Programs that people have on the devices of their LAN, as they are, through the router and a converter to ordinary servers."""
import base64
import contextlib
import json
import struct
import zlib

from lib import home, net
from lib.proc import Process, run
from lib.proxy import listening
from lib.stream import MIB, noise
from lib.suite import alone, braid_only, cases, limit, long
from lib.wait import until
from test_cpe import FAMILIES, converter, converters, counter, shaped, start

WEB = 8000
OBJECTS = 100
SIZE = 15000  # bytes of an object of the page
# Without what a browser does beside its task: updates, reports of crashes, messages to a desktop.
BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-breakpad", "--disable-sync",
           "--disable-extensions", "--password-store=basic")


def home_with_converter(env, version):
    shaped(env, 60)
    env.daemon(env.home.edge, [converter(env)])
    return start(env, mode="convert", peer=converters(version=version))


@contextlib.contextmanager
def served(env, *commands):
    """These commands run where the server without MPTCP is, and each listens once the block begins."""
    servers = []
    try:
        for number, command in enumerate(commands, 1):
            servers.append(Process(env.home.plain.command(*command), command[0]))
            with env.home.plain.entered():
                until(lambda: servers[-1].alive() and len(listening()) >= number, f"{' '.join(map(str, command))} listens")
        yield
    finally:
        for server in servers:
            server.kill()


def web_server(folder, version):
    return "python3", "-m", "http.server", str(WEB), "--bind", home.PLAIN[version], "--directory", folder


@alone
@braid_only
@cases(**FAMILIES)
def test_curl_and_iperf3(env, version):
    """curl with many connections at a time, and iperf3 in both directions."""
    router = home_with_converter(env, version)
    files = env.directory / "www"
    files.mkdir()
    for number in range(40):
        (files / str(number)).write_bytes(noise()[number:number + 20000])
    with served(env, web_server(files, version), ("iperf3", "-s", "-B", home.PLAIN[version])):
        got = env.home.device.run("curl", "-sS", "-Z", "--fail", "--output-dir", env.directory, "-o", "got#1",
                                  f"http://{net.join(home.PLAIN[version], WEB)}/[0-39]", limit=30)
        assert got.returncode == 0
        for number in range(40):
            assert (env.directory / f"got{number}").read_bytes() == (files / str(number)).read_bytes()
        for way in ((), ("-R",)):
            done = env.home.device.run("iperf3", "-c", home.PLAIN[version], "-t", "3", "-J", *way, limit=30)
            told = json.loads(done.stdout)
            assert "error" not in told, told["error"]
            rate = told["end"]["sum_received"]["bits_per_second"]
            assert rate > 90e6, rate
            until(lambda: not router.connections(), "what was under way has arrived")
    assert counter(router, "without_mptcp") == 0


def ssh_keys(directory, host):
    """A key of the server, which has that name, and one of the user, made for this test."""
    for name in ("server", "user"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", directory / name])
    kind, key, _ = (directory / "server.pub").read_text().split()
    (directory / "known").write_text(f"{host} {kind} {key}\n")


def sshd(directory, address):
    """A server that lets that user in by that key. Where it separates its privileges nobody else sees."""
    (directory / "sshd_config").write_text(
        f"ListenAddress {net.join(address, 22)}\nHostKey {directory}/server\nAuthorizedKeysFile {directory}/user.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n")
    return ("sh", "-c", 'mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f "$0"',
            directory / "sshd_config")


def ssh_options(directory):
    """For that user, who knows that server only."""
    return ("-F", "none", "-i", directory / "user", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "-o", f"UserKnownHostsFile={directory}/known", "-o", "GlobalKnownHostsFile=none")


@long
@braid_only
@cases(**FAMILIES)
def test_ssh_and_scp(env, version):
    """The server speaks first, and both say little at a time; then files go both ways."""
    router = home_with_converter(env, version)
    ssh_keys(env.directory, home.PLAIN[version])
    options = ssh_options(env.directory)
    mine, theirs, again = (env.directory / name for name in ("mine", "theirs", "again"))
    mine.write_bytes(noise()[:24 * MIB])
    host = f"root@[{home.PLAIN[version]}]" if version == 6 else f"root@{home.PLAIN[version]}"
    device = env.home.device
    with served(env, sshd(env.directory, home.PLAIN[version])):
        said = device.run("ssh", *options, f"root@{home.PLAIN[version]}", "cat; echo $SSH_CONNECTION", stdin="good morning\n")
        words = said.stdout.split()
        assert words[:2] == ["good", "morning"] and words[2] == home.EDGE[version], words
        device.run("scp", *options, mine, f"{host}:{theirs}")
        assert theirs.read_bytes() == mine.read_bytes()
        device.run("scp", *options, f"{host}:{theirs}", again)
        assert again.read_bytes() == mine.read_bytes()
    until(lambda: not router.connections(), "each has ended")
    assert (counter(router, "accepted"), counter(router, "without_mptcp")) == (3, 0)


def picture(number):
    """A PNG of one row, as wide as its number tells, that fills SIZE bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    width = 1 + number
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1 + width))) + chunk(b"teXt", noise()[number * SIZE:(number + 1) * SIZE])
            + chunk(b"IEND", b""))


def write_page(folder):
    """Half of its objects are pictures, the others scripts that bring text. When all is there it says how wide the pictures are,
    and the sum of all the text, which is returned."""
    folder.mkdir()
    texts = [base64.b64encode(noise()[number * SIZE:][:SIZE]).decode() for number in range(OBJECTS // 2)]
    for number, text in enumerate(texts):
        (folder / f"{number}.js").write_text(f"texts[{number}] = '{text}';")
        (folder / f"{number}.png").write_bytes(picture(number))
    (folder / "index.html").write_text(
        "<html><head><script>var texts = [];</script></head><body>"
        + "".join(f"<script async src={n}.js></script><img src={n}.png>" for n in range(OBJECTS // 2))
        + "<script>window.onload = function() { var sum = 0, text = texts.join('');"
        "for (var i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) % 1000003;"
        "var widths = Array.from(document.images, i => i.naturalWidth).join();"
        "document.body.innerHTML = 'widths ' + widths + ' length ' + text.length + ' sum ' + sum; }</script></body></html>")
    total = 0
    for letter in "".join(texts):
        total = (total * 31 + ord(letter)) % 1000003
    widths = ",".join(str(1 + number) for number in range(OBJECTS // 2))
    return f"widths {widths} length {sum(map(len, texts))} sum {total}"


@alone
@long
@braid_only
@limit(90)
@cases(**FAMILIES)
def test_a_browser_loads_a_page_of_100_objects(env, version):
    router = home_with_converter(env, version)
    expected = write_page(env.directory / "www")
    with served(env, web_server(env.directory / "www", version)):
        browser = Process(env.home.device.command(
            *BROWSER, f"--user-data-dir={env.directory}/profile", "--dump-dom", f"http://{net.join(home.PLAIN[version], WEB)}/"),
            "chromium", env={"HOME": str(env.directory), "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
        try:
            assert browser.wait(60) == 0, browser.lines
        finally:
            browser.kill()
    page = [line for line in browser.lines if "<body>" in line]
    assert page and expected in page[0], browser.lines
    assert counter(router, "accepted") > OBJECTS and counter(router, "without_mptcp") == 0
