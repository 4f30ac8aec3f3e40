"""Who may read the admin port: names, origins and tokens, on loopback and beyond it."""
import os

from lib import proxy
from lib.proc import run
from lib.suite import braid_only, cases

from test_reload import reload_text

TOKENS = ("0123456789abcdef0123456789abcdef", "another-token-of-somebody-else")


def token_file(env, *tokens, mode=0o600):
    path = env.directory / "tokens"
    path.write_text("".join(f"{token}\n" for token in tokens))
    path.chmod(mode)
    return path


def set_admin(env, **keys):
    """Writes [admin] anew."""
    text = env.proxy.config.read_text()
    head, rest = text.split("[admin]\n")
    rest = rest[rest.index("["):]
    env.proxy.config.write_text(head + "[admin]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + rest)


def get(env, *options, url=f"http://{proxy.ADMIN}/api/v1/status"):
    """Status code and whole answer, the head included."""
    done = env.topology.braid.run("curl", "-s", "-i", "-m", "20", *options, url)
    return int(done.stdout.split()[1]), done.stdout


@braid_only
@cases(elsewhere=(403, "-H", "Origin: http://attacker.example"),
       opaque=(403, "-H", "Origin: null"),
       other_port=(403, "-H", "Origin: http://127.0.0.1:9181"),
       own=(200, "-H", f"Origin: http://{proxy.ADMIN}"),
       rebound=(403, "-H", "Host: attacker.example:9180"),
       listed=(200, "-H", "Host: proxy.example:9180"),
       local=(200, "-H", "Host: localhost"))
def test_pages_of_others_read_nothing(env, code, *options):
    env.start()
    set_admin(env, listen=proxy.ADMIN, hostname="proxy.example")
    assert reload_text(env.proxy).returncode == 0
    got, text = get(env, *options)
    assert got == code, text
    assert "Cross-Origin-Resource-Policy: same-origin" in text
    assert code == 200 or '{"error":' in text and '"total"' not in text, text


@braid_only
def test_errors_are_json_and_head_has_no_content(env):
    env.start()
    for code, options in ((400, ("-H", "Host:", "--http1.1")), (403, ("-H", "Host: a.example")),
                          (405, ("-X", "POST")), (413, ("-X", "GET", "-d", "content")),
                          (431, ("-H", "X: " + "x" * 9000))):
        got, text = get(env, *options)
        assert got == code and "application/json" in text and '{"error":' in text, text
        got, text = get(env, *options, "--head") if code in (400, 403, 431) else (code, "")
        assert got == code and '{"error":' not in text, text
    for path in ("/metrics", "/api/v1/status", "/api/v1/connections", "/api/v1/counters", "/nowhere"):
        url = f"http://{proxy.ADMIN}{path}"
        code, text = get(env, url=url)
        headless, head = get(env, "--head", url=url)
        assert headless == code and not head.partition("\r\n\r\n")[2].strip(), head


@braid_only
def test_tokens_are_asked_for_beyond_loopback_and_read_anew(env):
    """They come with a reload, change with one, and a file with a flaw leaves those that were there."""
    env.start()
    path, url = token_file(env, TOKENS[0]), "http://127.0.0.1:9188/api/v1/status"
    set_admin(env, listen="0.0.0.0:9188")
    refused = reload_text(env.proxy)
    assert refused.returncode == 1 and "is reached from elsewhere" in refused.stderr + refused.stdout
    set_admin(env, listen="0.0.0.0:9188", token_file=path)
    assert reload_text(env.proxy).returncode == 0

    def codes():
        return [get(env, "-H", f"Authorization: Bearer {token}", url=url)[0] for token in TOKENS]

    assert get(env, url=url)[0] == 401 and codes() == [200, 401]
    token_file(env, *TOKENS)
    assert codes() == [200, 401]
    assert reload_text(env.proxy).returncode == 0
    assert codes() == [200, 200]
    token_file(env, TOKENS[1], mode=0o644)
    flawed = reload_text(env.proxy)
    assert flawed.returncode == 1 and "chmod 640 or 600" in flawed.stderr + flawed.stdout
    assert codes() == [200, 200]
    os.chmod(path, 0o600)
    assert reload_text(env.proxy).returncode == 0
    assert codes() == [401, 200]


@braid_only
@cases(open=("", 1, "is reached from elsewhere"), insecure=("insecure = yes\n", 0, "without a password"))
def test_beyond_loopback_is_a_decision(env, more, status, said):
    config = env.directory / "beyond.ini"
    config.write_text(f"[admin]\nlisten = 0.0.0.0:9180\n{more}[edge web]\nlisten = 10.99.9.1:8080\n"
                      "target = 10.99.3.2:8080\n")
    done = run([proxy.BRAIDD, "-t", "-c", config], check=False)
    assert done.returncode == status and said in done.stderr, done.stderr
