"""deploy/braid-steer, and everything that it could leave behind in a namespace."""
import contextlib
import itertools
import os
import pathlib
import re
import signal

from .proxy import ROOT

SCRIPT = ROOT / "deploy" / "braid-steer"
MANUAL = ROOT / "docs" / "man" / "braid-steer.8"


def watcher(state):
    """The process that up has left behind, None if it lives no more."""
    found = re.search(r"^watcher (\d+)$", state.read_text(), flags=re.M) if state.exists() else None
    return int(found[1]) if found and is_watcher(int(found[1])) else None


def is_watcher(pid):
    with contextlib.suppress(OSError):
        return b"braid-steer\0watch" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def stop_watcher(state):
    """With all its children: a namespace lives as long as they do."""
    if pid := watcher(state):
        os.killpg(pid, signal.SIGTERM)


def sysctls(namespace, *trees):
    """Key -> value of everything below these folders of /proc/sys/net that can be read."""
    seen = {}
    with namespace.entered():
        for folder, _, files in itertools.chain(*(os.walk(f"/proc/sys/net/{tree}") for tree in trees)):
            for file in files:
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    seen[f"{folder}/{file}"] = open(f"{folder}/{file}").read().strip()
    return seen


def settings(namespace):
    """The reverse path filter of each device, of "all" and of "default"."""
    return {key.split("/")[-2]: int(value) for key, value in sysctls(namespace, "ipv4/conf").items()
            if key.endswith("/rp_filter")}


def snapshot(namespace):
    """Packet filters, rules, routes of all tables, settings. Counters of packets and dates are left out."""
    def text(*argv):
        listed = namespace.run(*argv).stdout
        return re.sub(r"packets \d+ bytes \d+|\[\d+:\d+\]|^#.*\n| expires \S+", "", listed, flags=re.M)
    # The tables' order only tells which was made first. And nft can show targets of iptables for the first family only that
    # it comes across, so it is asked for one at a time.
    nft = "".join(text("nft", "list", "ruleset", family) for family in ("ip", "ip6", "inet"))
    seen = {"nft": "".join(sorted(re.split(r"^(?=table )", nft, flags=re.M))),
            "iptables": text("iptables-save"), "ip6tables": text("ip6tables-save"),
            "rules": text("ip", "rule") + text("ip", "-6", "rule"),
            "routes": text("ip", "route", "show", "table", "all") + text("ip", "-6", "route", "show", "table", "all")}
    seen["sysctl"] = "\n".join(f"{key} = {value}" for key, value in sysctls(namespace, "ipv4", "ipv6", "netfilter").items()
                               if "_count" not in key)
    return seen


def without_empty_mangle(seen):
    """The same, if iptables on top of nftables had not left a table without rules."""
    cut = {"nft": r"table ip6? mangle \{\s*(chain \w+ \{[^}]*\}\s*)*\}\n", "iptables": r"\*mangle\n(:.*\n)*COMMIT\n",
           "ip6tables": r"\*mangle\n(:.*\n)*COMMIT\n"}
    return {part: re.sub(cut[part], "", text) if part in cut else text for part, text in seen.items()}


def same(before, after):
    for part, text in before.items():
        lines, now = text.splitlines(), after[part].splitlines()
        assert lines == now, f"{part}: gone {[x for x in lines if x not in now]}, new {[x for x in now if x not in lines]}"
