"""The page at the admin port's "/", in a browser, against a running proxy with clients of the kernel's MPTCP."""
import contextlib
import os
import signal
import struct

from lib import net, proxy
from lib.browser import Browser
from lib.proxy import Section
from lib.stream import BULK, MIB, Pump, Receiver, Sender, receive, transfer
from lib.suite import alone, braid_only, limit, long
from lib.wait import until

PAGE = f"http://{proxy.ADMIN}/"
PATHS = [Section(f"path {name}", remote=f"10.99.{number}.0/24") for number, name in ((1, "dsl"), (2, "lte"))]


def edges(env):
    return [*proxy.default_edges(), *PATHS]


@contextlib.contextmanager
def opened(env, complaint=None, at=None, url=PAGE):
    """The page of the proxy, or of that address in that namespace. At the end: nothing has been asked for elsewhere, and nothing
    was complained of, but for what has that word in it."""
    with Browser(at or env.topology.braid, env.directory, any_certificate=url.startswith("https")) as browser:
        browser.resize(1280, 1000)
        browser.open(url)
        yield browser
        complaints = [text for text in browser.complaints() if not complaint or complaint not in text]
        assert not complaints, complaints
        asked = browser.requests()
        strangers = [other for other in asked if not other.startswith(url)]
        assert asked and not strangers, strangers


def is_live(browser):
    until(lambda: browser.text("#live") == "live", "the page has asked for all, and shown it", 60)


@contextlib.contextmanager
def page(env, **how):
    """The same, live."""
    with opened(env, **how) as browser:
        is_live(browser)
        yield browser


def row(table, key):
    return f'#{table} tr[data-key="{key}"]'


def cell(table, key, name):
    return f'{row(table, key)} td[data-name="{name}"]'


def agrees(browser, expected):
    """Waits until the page shows these numbers: selector -> number."""
    shown = {}

    def same():
        shown.update({selector: browser.exact(selector) for selector in expected})
        return shown == expected
    try:
        until(same, "the page shows what braidctl says", 30)
    except Exception as error:
        wrong = {selector: (shown.get(selector), number) for selector, number in expected.items()
                 if shown.get(selector) != number}
        raise AssertionError(f"shown, and as braidctl says: {wrong}") from error


def numbers_of_status(env):
    status = env.proxy.ctl("status")
    edge = next(edge for edge in status["edges"] if edge["name"] == "web")
    key = f"{edge['mode']} web"
    return {"#total-connections": status["total"]["connections"], "#total-mptcp": status["total"]["mptcp_connections"],
            "#total-subflows": status["total"]["subflows"], cell("edges", key, "connections"): edge["connections"],
            cell("edges", key, "subflows"): edge["subflows"], cell("edges", key, "accepted"): edge["accepted"]}


def numbers_of_paths(env):
    return {cell("paths", path["name"], name): path[key] for path in env.proxy.ctl("paths")["paths"]
            for name, key in (("in", "bytes_in"), ("out", "bytes_out"), ("subflows", "subflows"))}


@braid_only
@limit(300)
def test_numbers_are_those_of_braidctl(env):
    near, far = env.two_paths(edges=edges(env), mbit=200)
    transfer(near, far, 2 * MIB, end=False)
    transfer(far, near, 3 * MIB, end=False)
    with page(env, complaint="status of 404") as browser:  # of the connection that has ended
        number = env.proxy.connection()["id"]
        until(lambda: browser.exact(cell("connections", number, "down")) == 0, "what was carried is over", 30)
        connection = env.proxy.connection()
        agrees(browser, {**numbers_of_status(env), **numbers_of_paths(env),
                         cell("connections", number, "subflows"): 2,
                         cell("connections", number, "bytes"):
                             connection["bytes_from_client"] + connection["bytes_to_client"]})
        browser.click(f"{row('connections', number)} button")
        until(lambda: browser.text("#detail-title") == f"Connection {number}", "its detail is shown", 30)
        agrees(browser, {cell("subflows", subflow["id"], name): subflow[key] for subflow in connection["subflows"]
                         for name, key in (("cwnd", "cwnd"), ("srtt", "srtt_us"), ("retransmits", "retransmits"),
                                           ("in", "bytes_in"), ("out", "bytes_out"))})
        facts = browser.text("#facts")
        for word in (connection["scheduler"], connection["congestion"], connection["state"], connection["client"]):
            assert word in facts, f"{word} is not in {facts}"
        assert {subflow["state"] in browser.text(row("subflows", subflow["id"])) for subflow in connection["subflows"]} == {True}
        near.close()
        far.close()
        until(lambda: browser.text("#detail-title") == f"Connection {number} has ended", "its end is shown", 30)
        until(lambda: browser.text(row("connections", number)) is None, "it is not listed any more", 30)


def colours(browser):
    """Of the ground and of the text."""
    return browser.run("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")


def drawn(browser):
    """For each chart whether there is anything on it."""
    return browser.run("""return [...document.querySelectorAll('.plot')].map(plot => [...plot.querySelectorAll('canvas')].some(
        canvas => {
            const blank = document.createElement('canvas');
            [blank.width, blank.height] = [canvas.width, canvas.height];
            return canvas.toDataURL() !== blank.toDataURL();
        }))""")


@braid_only
@limit(300)
def test_light_and_dark_wide_and_narrow(env):
    near, far = env.two_paths(edges=edges(env), mbit=200)
    transfer(far, near, 2 * MIB, end=False)
    with page(env) as browser:
        until(lambda: drawn(browser) == [True] * 4, "all charts are drawn", 30)
        seen = []
        for scheme in ("light", "dark"):
            browser.prefers(scheme)
            until(lambda: colours(browser) not in seen, f"the page is {scheme}", 30)
            seen.append(colours(browser))
            assert drawn(browser) == [True] * 4
        for width in (1280, 700, 360):
            browser.resize(width, 800)
            until(lambda: browser.run("return innerWidth") == width, "the window has its size", 30)
            until(lambda: browser.run("return document.documentElement.scrollWidth") <= width,
                  f"only tables and charts are wider than {width} pixels", 30)
        outside = browser.run("""return [...document.querySelectorAll('table, .plot')].filter(
            e => !['auto', 'scroll'].includes(getComputedStyle(e.closest('.scroll, figure')).overflowX)).length""")
        assert outside == 0
        legend = browser.text("#by-path .legend")
        assert "dsl" in legend and "lte" in legend and "bit/s" in legend, legend


def focused(browser):
    return browser.run("return document.activeElement.id || document.activeElement.textContent")


@long
@braid_only
@limit(300)
def test_keys_search_sort_open_and_pause(env):
    env.start(edges(env))
    pairs = [env.pair(version) for version in (4, 6, 4)]
    with page(env) as browser:
        until(lambda: browser.exact("#shown") == len(pairs), "all are listed", 30)
        browser.keys("/", *"web6")
        assert focused(browser) == "find"
        until(lambda: browser.run("return document.querySelectorAll('#connections tbody tr').length") == 1,
              "one of them is of the edge web6", 30)
        assert browser.text("#shown") == f"1 of 1 that match, of {len(pairs)}"
        number = next(c["id"] for c in env.proxy.connections() if c["edge"] == "web6")
        browser.keys("Escape", "j")
        assert focused(browser) == str(number)
        browser.keys("Enter")
        until(lambda: browser.text("#detail-title") == f"Connection {number}", "it is open", 30)
        assert browser.run("return document.getElementById('detail').hidden") is False
        until(lambda: browser.run("return document.querySelectorAll('#subflows tbody tr').length") == 1, "with its subflow", 30)
        assert focused(browser) == str(number), "the focus stays while the table changes"
        browser.keys("Escape")
        until(lambda: browser.run("return document.getElementById('detail').hidden"), "it is closed", 30)
        browser.run("document.querySelector('#connections th[data-sort=age] button').focus()")
        browser.keys("Enter")
        until(lambda: browser.run("return document.querySelector('th[data-sort=age]').ariaSort") == "descending",
              "the oldest come first", 30)
        assert browser.run("return document.getElementById('sort').value") == "age"
        browser.keys("p")
        assert browser.text("#live") == "paused"
        browser.keys("p")
        until(lambda: browser.text("#live") == "live", "it goes on", 30)


@braid_only
@limit(300)
def test_a_silent_path_is_a_mark_on_the_time_line(env):
    near, far = env.two_paths(edges=edges(env), mbit=50)
    with page(env) as browser:
        assert browser.text("#events") == ""
        sink = Receiver(near, 64 * MIB, end=False)
        Sender(far, 64 * MIB, end=False)
        sink.reach(4 * MIB)
        env.topology.go_dark(2)
        until(lambda: "suspected" in browser.text("#events"), "the suspicion is shown", 60)
        suspected = env.proxy.counters()["BraidSuspected"]
        agrees(browser, {cell("trouble", "BraidSuspected", "BraidSuspected"): suspected})
        sink.finish()
        env.topology.unstrip()


@long
@braid_only
@limit(300)
def test_a_daemon_that_says_nothing_is_told(env):
    env.start()
    with page(env, complaint="Failed to load") as browser:
        env.proxy.process.signal(signal.SIGSTOP)
        try:
            until(lambda: browser.text("#live").startswith("no answer"), "the page says so", 60)
        finally:
            env.proxy.process.signal(signal.SIGCONT)
        until(lambda: browser.text("#live") == "live", "the page goes on", 60)


MANY = 3000


@long
@alone
@braid_only
@limit(300)
def test_thousands_of_connections(env):
    """The page shows some of them and counts all, answers to it are short, and the proxy goes on beside it."""
    env.start()
    listener = env.listen()
    pairs = []
    for number in range(MANY):
        near = env.connect(multipath=number % 2 == 0)
        near.sendall(struct.pack(">I", number))
        pairs.append((near, env.accept(listener)))
    for number, (_, far) in enumerate(pairs):
        assert len(receive(far, 4)) == 4, number
    with page(env) as browser:
        until(lambda: browser.exact("#shown") == MANY, "all are counted", 60)
        assert browser.run("return document.querySelectorAll('#connections tbody tr').length") == 20
        browser.run("document.getElementById('limit').value = '500';"
                    "document.getElementById('limit').dispatchEvent(new Event('change'))")
        until(lambda: browser.run("return document.querySelectorAll('#connections tbody tr').length") == 500,
              "more are shown", 60)
        slowest, bytes_ = browser.run("""const all = performance.getEntriesByType('resource').filter(
            e => e.name.includes('/api/')); return [Math.max(...all.map(e => e.duration)),
            Math.max(...all.map(e => e.transferSize))]""")
        assert slowest < 5000 and bytes_ < 2 * MIB, f"{slowest} ms, {bytes_} bytes"
        for near, far in pairs[::300]:
            transfer(far, near, MIB, end=False)
        assert browser.text("#live") == "live"


@long
@braid_only
@limit(300)
def test_some_minutes_of_traffic(env):
    """Connections that carry data over both paths, one of which falls silent for a while. BRAID_SCREENSHOT: the file that the page
    is stored in, as it looks then."""
    env.topology.shape(60, 1)
    env.topology.shape(30, 2)
    env.topology.endpoint(2)
    env.start(edges(env))
    listeners = {version: env.listen(version) for version in (4, 6)}
    with page(env) as browser:
        flows = [busy_pair(env, listeners[version], version) for version in (4, 4, 6)]
        rows = "return document.querySelector('#by-path .plot canvas') && document.querySelectorAll('#by-path .legend b').length"
        until(lambda: browser.run(rows) >= 2, "both paths are in the legend", 60)
        flows[0].reach(24 * MIB, 90)
        env.topology.go_dark(2)
        until(lambda: "failover" in browser.text("#events") or "suspected" in browser.text("#events"), "the path is missed", 60)
        flows[0].reach(48 * MIB, 90)
        env.topology.unstrip()
        flows[0].reach(80 * MIB, 90)
        flows.append(busy_pair(env, listeners[4], 4))
        number = next(c["id"] for c in env.proxy.connections() if len(c["subflows"]) > 1)
        browser.click(f"{row('connections', number)} button")
        until(lambda: browser.run("return document.querySelectorAll('#subflows tbody tr').length") >= 2, "its subflows", 30)
        flows[0].reach(100 * MIB, 90)
        store(browser)


def store(browser):
    if os.environ.get("BRAID_SCREENSHOT"):
        browser.resize(1150, 1120)
        browser.run("scrollTo(0, 0)")
        until(lambda: browser.run("return innerHeight") == 1120, "the window has its size", 30)
        until(lambda: drawn(browser) == [True] * 4, "all charts are drawn", 30)
        browser.screenshot(os.environ["BRAID_SCREENSHOT"])


def busy_pair(env, listener, version):
    """The end of a download that goes on as long as the test."""
    near = env.connect(version)
    far = env.accept(listener)
    Sender(far, BULK, end=False)
    return Drain(near)


class Drain(Pump):
    """Receives, and keeps nothing."""

    def __init__(self, sock):
        self.sock = sock
        super().__init__()

    def work(self):
        while count := len(self.sock.recv(MIB)):
            self.progress(count)
