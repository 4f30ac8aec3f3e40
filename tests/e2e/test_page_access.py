"""The page at the admin port's "/" where it asks for a token, speaks TLS, or belongs to a router with uplinks."""
from lib import home, net, proxy
from lib.env import PORT
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_admin import TOKENS, set_admin, token_file
from test_admin_tls import HERE, make
from test_cpe import multi_pair
from test_cpe import start as start_cpe
from test_page import agrees, cell, is_live, opened, page, row
from test_reload import reload_text


def is_asked_for_a_token(browser):
    return browser.run("return !document.getElementById('token-form').hidden")


def tell_token(browser, token):
    browser.run("document.getElementById('token').focus()")
    browser.keys(*token, "Enter")
    until(lambda: browser.run("return document.getElementById('token').value") == "", "the token is taken", 30)


@braid_only
@limit(300)
@cases(plain="http", tls="https")
def test_a_token_opens_it(env, scheme):
    """It is typed in, shown nowhere, and asked for again when it is good no more. (That certificates are looked at is the
    browser's business: the tests of TLS do that with curl.)"""
    env.start()
    keys = {"listen": "0.0.0.0:9188", "token_file": token_file(env, TOKENS[0])}
    if scheme == "https":
        keys["tls_cert"], keys["tls_key"] = make(env.directory, "server")
    set_admin(env, **keys)
    assert reload_text(env.proxy).returncode == 0
    near, far = env.pair()
    transfer(near, far, MIB, end=False)
    number = env.proxy.connection()["id"]
    with opened(env, complaint="status of 401", url=f"{scheme}://{HERE}/") as browser:
        until(lambda: is_asked_for_a_token(browser), "a token is asked for", 60)
        until(lambda: browser.text("#live") not in ("asking", "live"), "it says why", 60)
        assert browser.text("#total-connections") == "–" and browser.text(row("connections", number)) is None
        tell_token(browser, TOKENS[1])
        until(lambda: is_asked_for_a_token(browser), "that one is not good", 60)
        tell_token(browser, TOKENS[0])
        is_live(browser)
        until(lambda: not is_asked_for_a_token(browser), "nothing is asked for any more", 60)
        agrees(browser, {"#total-connections": 1, cell("connections", number, "subflows"): 1})
        shown = browser.run("return document.documentElement.outerHTML + location.href")
        assert TOKENS[0] not in shown and browser.run("return document.getElementById('token').type") == "password"
        token_file(env, TOKENS[1])
        assert reload_text(env.proxy).returncode == 0
        until(lambda: is_asked_for_a_token(browser), "the old one is good no more", 60)
        tell_token(browser, TOKENS[1])
        is_live(browser)


def uplinks_of(router):
    return {uplink["name"]: uplink for uplink in router.ctl("uplinks")["uplinks"]}


def shown_way(browser, uplink, family):
    return browser.run("return document.querySelector(arguments[0]).cells[arguments[1]].textContent",
                       row("uplinks", uplink), {"ipv4": 2, "ipv6": 3}[family])


@braid_only
@limit(300)
def test_a_router_shows_its_uplinks(env):
    """Their numbers are those of braidctl; one that goes down is shown as such, and is a mark on the time line."""
    router = start_cpe(env)
    near, far = multi_pair(env)
    transfer(near, far, 2 * MIB, end=False)
    with page(env, at=env.home.cpe) as browser:
        until(lambda: browser.run("return document.querySelectorAll('#uplinks tbody tr').length") == 3, "all are listed", 60)
        assert browser.run("return document.getElementById('uplinks-section').hidden") is False
        until(lambda: sum(uplink["subflows"] for uplink in uplinks_of(router).values()) == 3, "each has a subflow", 60)
        agrees(browser, {cell("uplinks", name, key): uplink[key] for name, uplink in uplinks_of(router).items()
                         for key in ("subflows", "bytes")})
        until(lambda: net.join(*near.getsockname()) in browser.text("#connections"), "the device's connection is listed", 60)
        assert net.join(home.MULTI[4], PORT) in browser.text("#connections")
        env.home.uplinks[0].unplug()
        until(lambda: "down" in shown_way(browser, "wan0", "ipv4"), "it is shown to be down", 60)
        assert " up, " in shown_way(browser, "wan1", "ipv4")
        until(lambda: "uplink wan0 ipv4 is down, was up" in browser.text("#events"), "that is a mark on the time line", 60)
        env.home.uplinks[0].plug()
        until(lambda: " up, " in shown_way(browser, "wan0", "ipv4"), "it is shown to be up", 60)
        until(lambda: "uplink wan0 ipv4 is up, was down" in browser.text("#events"), "that is one, too", 60)
        transfer(far, near, MIB, end=False)
