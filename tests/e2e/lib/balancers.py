"""nginx and HAProxy as what stands behind Braid or in front of it, in a namespace of the test's."""
import contextlib

from .proc import Process
from .proxy import listening
from .wait import Timeout, until


@contextlib.contextmanager
def _running(namespace, argv, name, port):
    process = Process(namespace.command(*argv), name)
    try:
        until(lambda: _listens(namespace, port) or _ended(process), f"{name} listens", 30)
        yield process
    finally:
        process.kill()


def _ended(process):
    if not process.alive():
        raise Timeout(f"{process.name} ended: {process.lines}")


def _listens(namespace, port):
    """Asked of the kernel, since a connection would go on to whoever is behind."""
    with namespace.entered():
        return any(line.split()[1].endswith(f":{port:04X}") for line in listening())


def nginx(env, address, port, version=4, options="proxy_protocol", known="/"):
    """Answers each request for what begins so with the client's address and port as it knows them from the header."""
    folder = env.directory / "nginx"
    folder.mkdir()
    where = f"[{address}]:{port}" if version == 6 else f"{address}:{port}"
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; user root; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {paths}\nserver {{ listen {where} {options};\n"
        f"location {known} {{ return 200 '$proxy_protocol_addr $proxy_protocol_port'; }} }} }}\n")
    return _running(env.server, ["nginx", "-p", folder, "-c", folder / "nginx.conf"], "nginx", port)


def haproxy_behind(env, address, port, version=4):
    """The same by HAProxy, with the address and port that the client has connected to as well."""
    where = f"[{address}]:{port}" if version == 6 else f"{address}:{port}"
    config = env.directory / "haproxy-behind.cfg"
    config.write_text(
        "defaults\n mode http\n timeout connect 30s\n timeout client 60s\n timeout server 60s\n"
        f"frontend behind\n bind {where} accept-proxy\n"
        ' http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"\n')
    return _running(env.server, ["haproxy", "-db", "-f", config], "haproxy", port)


def haproxy_in_front(env, namespace, port, server, keyword, version=4):
    """Takes connections at that port of the namespace's loopback and gives each to the server, with a header ("send-proxy",
    "send-proxy-v2"), or without ("")."""
    where = {4: f"127.0.0.1:{port}", 6: f"[::1]:{port}"}[version]
    config = env.directory / f"haproxy-front-{port}.cfg"
    config.write_text(
        "defaults\n mode tcp\n timeout connect 30s\n timeout client 60s\n timeout server 60s\n"
        f"listen front\n bind {where}\n server braid {server} {keyword}\n")
    return _running(namespace, ["haproxy", "-db", "-f", config], "haproxy", port)
