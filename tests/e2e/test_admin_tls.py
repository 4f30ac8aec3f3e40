"""The admin port over TLS: curl, openssl and braidctl as clients, their certificates, and files that are read anew."""

from lib import proxy
from lib.proc import run
from lib.suite import braid_only
from lib.wait import until

from test_admin import TOKENS, set_admin, token_file
from test_reload import reload_text

HERE = "127.0.0.1:9188"
STATUS = f"https://{HERE}/api/v1/status"


def make(directory, name, ca=None):
    """A certificate for 127.0.0.1, by itself or by the authority of that name, and its key."""
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    signed = ("-CA", directory / f"{ca}.pem", "-CAkey", directory / f"{ca}.key") if ca else ()
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost",
         "-addext", f"basicConstraints=critical,CA:{'FALSE' if ca else 'TRUE'}", *signed, "-keyout", key, "-out", cert])
    return cert, key


def serve(env, daemon=None, **keys):
    """A daemon that speaks TLS on every address, by a certificate of the authority `ca`."""
    env.start(daemon=daemon)
    make(env.directory, "ca")
    cert, key = make(env.directory, "server", "ca")
    set_admin(env, listen="[::]:9188" if keys.pop("v6", False) else "0.0.0.0:9188", tls_cert=cert, tls_key=key, **keys)
    done = reload_text(env.proxy)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def curl(env, *options, url=STATUS):
    """The status code, 0 if there was none."""
    done = env.topology.braid.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "20",
                                  "--cacert", env.directory / "ca.pem", *options, url, check=False)
    return int(done.stdout)


def ask(env, *options, url=f"https://{HERE}", command=("status",)):
    return env.topology.braid.run(proxy.BRAIDCTL, "--url", url, "--ca", env.directory / "ca.pem", *options, *command,
                                  check=False)


@braid_only
def test_answers_are_those_of_the_plain_port(env):
    said = serve(env)
    assert "everybody there sees, without a password" in said, said
    assert curl(env) == 200 and curl(env, "--tls-max", "1.2") == 200
    assert curl(env, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0") == 0
    assert curl(env, url=STATUS.replace("https", "http")) == 0
    assert curl(env, "-H", "Origin: https://127.0.0.1:9188") == 200
    assert curl(env, "-H", "Origin: http://127.0.0.1:9188") == 403
    pairs = [env.pair(multipath=False) for _ in range(120)]
    done = env.topology.braid.run("curl", "-s", "-m", "20", "--cacert", env.directory / "ca.pem", "-w", "%{num_connects}",
                                  *[f"https://{HERE}/api/v1/{what}" for what in ("connections", "counters", "connections")])
    assert done.stdout.count('"count":120}') == 2 and done.stdout.endswith("0") and len(pairs) == 120


@braid_only
def test_mutual_tls_keeps_strangers_out(env):
    env.start()
    make(env.directory, "clients")
    cert, key = make(env.directory, "friend", "clients")
    foreign, foreign_key = make(env.directory, "foreign")
    env.proxy.stop()
    env.proxy = None
    serve(env, tls_client_ca=env.directory / "clients.pem")
    assert curl(env) == 0
    assert curl(env, "--cert", foreign, "--key", foreign_key) == 0
    assert curl(env, "--cert", cert, "--key", key) == 200
    done = env.topology.braid.run("openssl", "s_client", "-connect", HERE, "-CAfile", env.directory / "ca.pem",
                                  "-cert", cert, "-key", key, "-verify_return_error", "-quiet", "-ign_eof", check=False,
                                  stdin="GET /metrics HTTP/1.0\r\n\r\n")
    assert " 200 OK" in done.stdout and "braid_edge_connections" in done.stdout, done.stdout + done.stderr
    assert ask(env).returncode == 1
    done = ask(env, "--cert", cert, "--key", key)
    assert done.returncode == 0 and '"total"' in done.stdout, done.stderr


@braid_only
def test_braidctl_asks_from_elsewhere(env):
    """With a token and a certificate that it trusts, and says what is wrong otherwise."""
    path = token_file(env, "# who", TOKENS[0])
    serve(env, token_file=path, hostname="proxy.example", v6=True)
    done = ask(env, "--token-file", path, url="https://[::1]:9188", command=("top", "limit=3", "find=a b&c"))
    assert done.returncode == 0 and '"matching":0' in done.stdout, done.stdout + done.stderr
    done = ask(env, "--token-file", path, url="https://localhost:9188/", command=("counters",))
    assert done.returncode == 0 and '"TcpInSegs"' in done.stdout, done.stdout + done.stderr
    done = ask(env, url="https://[::1]:9188")
    assert done.returncode == 1 and '{"error":"a token is asked for' in done.stdout, done.stdout + done.stderr
    done = ask(env, "--token-file", path, url="https://[::1]:9188", command=("show", "99"))
    assert done.returncode == 1 and '{"error":"no connection has this id' in done.stdout, done.stdout
    done = ask(env, "--ca", make(env.directory, "foreign")[0], url="https://[::1]:9188")
    assert done.returncode == 1 and "its certificate is not trusted" in done.stderr, done.stderr
    done = ask(env, url="http://[::1]:9188")
    assert done.returncode == 1 and "https://" in done.stderr, done.stderr
    done = ask(env, url="https://[::1]:9189")
    assert done.returncode == 1 and "is braidd listening there?" in done.stderr, done.stderr
    done = ask(env, url="https://[::1]:9188", command=("reload",))
    assert done.returncode == 2 and "control socket only" in done.stderr, done.stderr


def subject(env):
    done = env.topology.braid.run("openssl", "s_client", "-connect", HERE, stdin="", check=False)
    return next((line for line in done.stdout.splitlines() if line.startswith("subject=")), "")


@braid_only
def test_certificates_are_read_anew(env):
    serve(env)
    assert "server" in subject(env)
    cert, key = make(env.directory, "renewed", "ca")
    (env.directory / "server.pem").write_bytes(cert.read_bytes())
    assert "server" in subject(env)
    done = reload_text(env.proxy)
    assert done.returncode == 1 and "tls_key" in done.stdout + done.stderr and "give the key" in done.stdout + done.stderr
    assert "server" in subject(env) and curl(env) == 200
    (env.directory / "server.key").write_bytes(key.read_bytes())
    assert reload_text(env.proxy).returncode == 0
    assert "renewed" in subject(env) and curl(env) == 200


@braid_only
def test_handshakes_that_never_end_keep_nobody_out(env):
    serve(env)
    idle = []
    for number in range(200):
        sock = env.keep(env.topology.braid.socket(4))
        sock.connect(("127.0.0.1", 9188))
        sock.sendall(b"\x16\x03\x01\x02\x00\x01" if number % 2 else b"")
        idle.append(sock)
    assert curl(env) == 200
    assert env.proxy.ctl("status")

    def all_gone():
        return all(ended(sock) for sock in idle)

    until(all_gone, "unfinished handshakes are broken off", 60)
    assert curl(env) == 200


def ended(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
