"""A program on the router of a home, whose connections the daemon there carries: what its tests have in common."""
from . import stream
from .env import GREETING
from .proxy import PORT, Cpe


def start(env, tun=None, **keys):
    """The router's daemon; its own connections are steered as well."""
    router = env.daemon(env.home.cpe, [Cpe(**keys)], tun=tun)
    env.steer("up", "--local", at=env.home.cpe)
    return router


def listen(env, version=4, server=None, port=PORT):
    server = server or env.home.multi
    return env.listen(version, port, address=env.home.where(server)[version], at=server, multipath=server is env.home.multi)


def connect(env, child, version=4, server=None, before=(), port=PORT, opened="opened", listener=None):
    """Opens socket `s` of the program, does what is to be done before, and connects it; the server's end."""
    listener = listener or listen(env, version, server, port)
    address, port = listener.getsockname()[:2]
    child(f"kept('s', {opened}({version}))")
    for expression in before:
        child(expression)
    child(f"s.connect(('{address}', {port}))")
    return env.accept(listener)  # which stays open: without it the kernel takes no joins


def greet(child, far):
    """Data both ways: subflows are opened when some has been acknowledged."""
    child(f"s.sendall({GREETING!r})")
    assert stream.receive(far, len(GREETING)) == GREETING
    far.sendall(GREETING)
    assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


def refuses(child, expression, why):
    """Whether it fails for this reason."""
    try:
        child(expression)
    except OSError as error:
        if error.errno != why:
            raise
        return True
    return False


def uplink_addresses(env, *numbers, version=4):
    return [env.home.uplinks[n].address(version) for n in numbers]
