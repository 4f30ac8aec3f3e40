"""What docs/cpe.md tells people to write is right: its configurations and its rules are taken from the page and used."""
import re

from lib import home
from lib.env import PORT
from lib.proxy import ROOT
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases

PAGE = (ROOT / "docs" / "cpe.md").read_text()



def blocks():
    """The indented blocks of the page."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.M)
    return [re.sub(r"^    ", "", block, flags=re.M).strip("\n") + "\n" for block in found]


def block(mark):
    found = [text for text in blocks() if mark in text]
    assert len(found) == 1, f"{len(found)} blocks of docs/cpe.md with {mark}"
    return found[0]


def sections(text):
    """Of a configuration, without those that each daemon of the tests has in its own way."""
    parts = re.split(r"^(?=\[)", text, flags=re.M)
    return [Text(part) for part in parts if part.startswith(("[edge", "[cpe", "[uplink"))]


class Text:
    def __init__(self, text):
        self.text = text

    def section(self):
        return self.text + "\n"


def with_secret(server, router):
    """The same, with what the page has instead of a list of clients."""
    allow, = re.findall(r"^allow = .*\n", server, re.M)
    proof, = (text for text in blocks() if text.startswith("cookie = psk"))
    return server.replace(allow, block("open = yes")), router + proof


@braid_only
@cases(list=False, secret=True)
def test_the_pages_server_with_one_public_address_and_its_router_bond(env, secret):
    """The converter's port is lent to Braid by the only address that the server has."""
    env.build_home({"mbit": 50}, {"mbit": 50})
    server = block("mode = convert\nlisten").replace("203.0.113.0/24, 198.51.100.0/24", "10.0.0.0/8")
    router = block("[cpe lan]").replace("ppp0", "wan0").replace("wwan0", "wan1") \
        .replace("198.51.100.7", home.EDGE[4])
    if secret:
        server, router = with_secret(server, router)
    rules = re.search(r"<<END\n(.*)\nEND\n", block("table ip convert"), re.S).group(1)
    env.home.edge.run("nft", "-f", "-", stdin=rules)
    env.daemon(env.home.edge, sections(server))
    cpe = env.daemon(env.home.cpe, sections(router))
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    listener = env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
    near = env.connect(4, PORT, home.PLAIN[4], multipath=False, at=env.home.device)
    far = env.accept(listener)
    transfer(near, far, 8 * MIB, end=False)
    transfer(far, near, 8 * MIB, end=False)
    wan, = (c for c in cpe.connections() if c["side"] == "wan")
    carried = {s["path"]: s["bytes_in"] + s["bytes_out"] for s in cpe.ctl("show", wan["id"])["subflows"]}
    assert wan["mptcp"] and set(carried) == {"dsl", "lte"} and min(carried.values()) > MIB, carried
