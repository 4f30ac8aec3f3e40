#!/usr/bin/env python3
"""Checks with nm that the core library reaches no clock, socket, thread, stream or event loop.

Usage: purity.py LIBBRAID.A. Every symbol that an object needs from outside the library has to be on a list below:
anything else in libc could block, tell the time or remember something, and would make a simulation irreproducible.
"""
import re
import subprocess
import sys

ANYWHERE = re.compile(r"""^(?:
    mem\w+ | str(?:len|nlen|n?cmp|n?casecmp|n?cpy|n?cat|chr|rchr|str|spn|cspn|tok_r|to[u]?ll?|tod) |
    malloc | calloc | realloc | free | aligned_alloc | posix_memalign |
    __(?:mem(?:cpy|move|set)|v?snprintf)_chk |       # the same as without -D_FORTIFY_SOURCE
    v?snprintf | sscanf | __isoc99_sscanf |          # into and out of memory: no stream
    qsort | bsearch | abs | labs |
    cbrtf? | sqrtf? | powf? | floorf? | ceilf? | log2? | exp2? | l?lroundf? | fminf? | fmaxf? |
    __u?(?:div|mod|divmod|mul)[sdt]i[345] |          # 128-bit arithmetic of libgcc
    abort | __assert_fail | __stack_chk_fail | __errno_location | __ctype_\w+_loc | to(?:lower|upper)
)$""", re.VERBOSE)

ONLY_IN = {"crypto.o": re.compile(r"^(?:SHA(?:256|1)_(?:Init|Update|Final)|CRYPTO_memcmp)$")}

SANITIZER = re.compile(r"^__(?:asan|ubsan|sanitizer|tsan)_|^_GLOBAL_OFFSET_TABLE_$")


def symbols(archive):
    """Per object of the archive: what it needs; and what the archive defines as a whole."""
    needs, defined, member = {}, set(), None
    out = subprocess.run(["nm", "-A", "--format=posix", archive], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        where, name, kind = line.split()[:3]
        member = where[where.index("[") + 1:where.index("]")]
        needs.setdefault(member, set())
        if kind in "Uw":
            needs[member].add(name)
        elif kind.isupper():
            defined.add(name)
    return needs, defined


def main():
    needs, defined = symbols(sys.argv[1])
    complaints = []
    for member, names in sorted(needs.items()):
        own = ONLY_IN.get(member)
        for name in sorted(names - defined):
            if not (ANYWHERE.match(name) or SANITIZER.match(name) or (own and own.match(name))):
                complaints.append(f"{member} reaches for {name}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"purity: {len(needs)} objects, {len(complaints)} impure symbols")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
