#!/usr/bin/env python3
"""Checks that each file of src/mptcp has a unit test: tests/unit/test_FILE*.c, or one whose opening comment names it
(as src/mptcp/FILE.c). What only whole connections run through is not tried at its edges.
Usage: tested.py, or tested.py --self-test.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = "src/mptcp"
NAMED = re.compile(r"\bsrc/\w+/\w+\.c\b")


def named(text):
    """The files that the comment at the beginning of a test names."""
    end = text.find("*/")
    comment = text[:end] if text.startswith("/*") and end >= 0 else ""
    return set(NAMED.findall(re.sub(r"\s+\*?\s*", " ", comment)))


def untested(sources, tests):
    """sources: paths; tests: {name without .c: text}."""
    known = set().union(*map(named, tests.values())) if tests else set()
    return [s for s in sources
            if s not in known and not any(re.fullmatch(f"test_{pathlib.Path(s).stem}(_.*)?", t) for t in tests)]


def self_test():
    tests = {"test_a": "", "test_b_more": "", "test_z": "/* Of c (src/mptcp/c.c),\n * d (src/mptcp/d.c) ... */\n/* src/mptcp/e.c */"}
    sources = [f"src/mptcp/{name}.c" for name in "abcde"]
    assert untested(sources, tests) == ["src/mptcp/e.c"], untested(sources, tests)


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return 0
    sources = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / FOLDER).glob("*.c"))
    tests = {p.stem: p.read_text() for p in (ROOT / "tests/unit").glob("test_*.c")}
    missing = untested(sources, tests)
    for path in missing:
        print(f"{path}: no unit test has its name, nor names it in its opening comment", file=sys.stderr)
    print(f"tested: {len(sources)} files, {len(missing)} complaints")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
