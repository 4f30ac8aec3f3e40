#!/usr/bin/env python3
"""Checks the #include lines of every source file against the layer table of docs/architecture.md.

A quoted include names a file below src/ and has to be in a layer that the including layer may use; an angle-bracket
include is a header of the C library, of include/braid, or of an external library that the layer is allowed.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

LAYERS = {  # folder of src/ -> folders of src/ that it may include, besides itself
    "base": [],
    "wire": ["base"],
    "tcp": ["base", "wire"],
    "mptcp": ["base", "wire", "tcp"],
    "core": ["base", "wire", "tcp", "mptcp", "cc", "sched", "pm"],
    "record": ["base"],
    "replay": ["base", "wire", "record"],
    "cc": [],
    "sched": [],
    "pm": [],
    "app": ["base"],
    "socket": ["base", "app", "io"],
    "io": ["base"],
    "relay": ["base", "io"],
    "role": ["base", "wire", "app", "io", "relay", "record"],
    "service": ["base", "app", "io", "relay", "role"],
    "conf": ["base", "io", "role"],
    "admin": ["base", "io", "role", "conf"],
    "ctl": ["base", "record"],
    "connect": [],
}
WIRING = {"confine.c", "confine.h", "main.c", "plugins.c", "reload.c", "reload.h", "successor.c", "successor.h"}  # directly in src/: may include everything

LIBRARIES = {  # header prefix -> the folders or files that may include it
    "event2/": {"io", "relay", "role", "service", "admin", "main.c"},
    "openssl/": {"mptcp/crypto.c", "io", "admin", "ctl/remote.c", "main.c"},
    "libmnl/": {"io"},
    "nftables/": {"io"},
    "ares.h": {"io/dns.c"},
    "ini.h": {"conf"},
    "cap-ng.h": {"service/privileges.c"},
    "seccomp.h": {"service/seccomp.c"},
}
CORE = {"base", "wire", "tcp", "mptcp", "core", "cc", "sched", "pm", "record"}
# The system headers that sans-IO code can want: no socket, clock, thread, file or stream comes with them.
# <stdio.h> is for snprintf, <sys/uio.h> for struct iovec; purity checks what is really called.
CORE_HEADERS = {
    "assert.h", "ctype.h", "endian.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdarg.h", "stdalign.h",
    "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "sys/uio.h",
}

# What else public headers may include: one is for programs with sockets.
PUBLIC_HEADERS = {"socket.h": {"netinet/in.h", "sys/socket.h"}, "sctp.h": {"sys/socket.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def judge_quoted(layer, target):
    """Why the file of src/ named target may not be included from layer, or None."""
    if not (ROOT / "src" / target).is_file():
        return f'"{target}" is not the path of a file below src/'
    other = target.split("/")[0] if "/" in target else None
    if layer is None or other == layer:
        return None
    if other is None or other not in LAYERS[layer]:
        return f'{layer} may not include {other or "files directly in src/"}'
    return None


def judge_system(layer, name, target):
    """Why <target> may not be included from the file name (relative to src/) of layer, or None."""
    if target.startswith("braid/"):
        return None if (ROOT / "include" / target).is_file() else f"<{target}> does not exist"
    for prefix, users in LIBRARIES.items():
        if target.startswith(prefix):
            return None if layer in users or name in users else f"<{target}> does not belong here"
    if layer in CORE and target not in CORE_HEADERS:
        return f"<{target}> is not for the sans-IO core"
    return None


def check_file(path):
    name = path.relative_to(ROOT / "src").as_posix()
    layer = name.split("/")[0] if "/" in name else None
    if layer is None and name not in WIRING:
        return [f"{path.relative_to(ROOT)}: only {', '.join(sorted(WIRING))} live directly in src/"]
    if layer is not None and layer not in LAYERS:
        return [f"{path.relative_to(ROOT)}: folder {layer} is not in the layer table"]
    complaints = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, system = found.groups()
        why = judge_quoted(layer, quoted) if quoted else judge_system(layer, name, system)
        if why:
            complaints.append(f"{path.relative_to(ROOT)}:{number}: {why}")
    return complaints


def check_public(path):
    """include/braid includes itself and the C library only."""
    complaints = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        allowed = CORE_HEADERS | PUBLIC_HEADERS.get(path.name, set())
        if found and (found[1] or not (found[2].startswith("braid/") or found[2] in allowed)):
            complaints.append(f"{path.relative_to(ROOT)}:{number}: include/braid may not include {found[1] or found[2]}")
    return complaints


def main():
    files = sorted((ROOT / "src").rglob("*.[ch]"))
    public = sorted((ROOT / "include").rglob("*.h"))
    complaints = [c for f in files for c in check_file(f)] + [c for f in public for c in check_public(f)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"layers: {len(files) + len(public)} files, {len(complaints)} violations")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
