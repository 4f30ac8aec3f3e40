#!/usr/bin/env python3
"""What a failed stage of .ci/run has to say for itself in ten lines: which tests or inputs failed, and why. Lines are found by
the marks that the runners of the tests, compilers and sanitizers set; where there are none, it is the end of the log.
Usage: essence.py LOG, or essence.py --self-test.
"""
import re
import sys

MOST, WIDTH = 10, 400
MARKS = re.compile(r"""
    ^FAILED\b | \bFAILED\b.*: | ^\s*FAILED\b                        # simulator, end to end, study, bench, fuzzers
  | ^\S+:\d+:[FE]:                                                   # Check
  | :\d+:\ not\ so:                                                  # MUST of the fuzzers
  | \b(error|fatal\ error):\ | undefined\ reference | :\d+:.*\bError:  # compilers and linkers
  | \bruntime\ error: | ==ERROR: | WARNING:\ ThreadSanitizer | ^SUMMARY: | \bAssertion\b.*\bfailed
  | ^BASE64\ of\                                                     # an input of a fuzzer's
  | \bTraceback\ \(most | ^\w*Error\b | \bDEMONSTRATION\ FAILED
""", re.VERBOSE)
FOLLOWS = {  # the lines that follow one with this mark belong to it, as long as they look like this
    re.compile(r"^FAILED: "): re.compile(r"^    \S"),  # the simulator's: how to repeat it
    re.compile(r"^failed:$"): re.compile(r"\S+ \(\d+\)$"),  # unit tests that ended badly
}


def essence(lines):
    found, rest = [], None
    for line in lines:
        line = line.rstrip("\n")
        opened = next((follow for mark, follow in FOLLOWS.items() if mark.search(line)), None)
        if opened or MARKS.search(line) or (rest and rest.search(line)):
            rest = opened or rest
            line = line if line.startswith("BASE64") else line[:WIDTH]
            found += [line] if line not in found else []
        else:
            rest = None
    if not found:
        return [line.rstrip("\n")[:WIDTH] for line in lines if line.strip()][-MOST:]
    return found if len(found) <= MOST else found[:MOST - 1] + [f"... and {len(found) - MOST + 1} lines more"]


def self_test():
    noise = ["100%: Checks: 3, Failures: 0, Errors: 0\n", "all well                ok  0.3 s\n", "fuzz app: 60 s, log in app.log\n"]
    cases = [
        (["FAILED cpe: it_works[silent]: Timeout: no answer after 5 s\n"], 1),
        (["tests/unit/test_a.c:12:F:core:right:0: Assertion 'x == 1' failed: x == 2\n", "failed:\n", "build/unit/test_a (1)\n"], 3),
        (["FAILED: wrong bytes\n", "    build/sim -f relay_nat -s 6 -n 1 -v\n", "    something else\n"], 3),
        (["tests/fuzz/core_peer.c:9: not so: a == b\n", "    #1 0x55 in main\n", "SUMMARY: libFuzzer: deadly signal\n",
          "fuzz core FAILED. Replay: build-fuzz/fuzz/fuzz_core tests/fuzz/findings/core-crash-1\n"], 3),
        (["src/a.c:3:1: error: expected ;\n", "make: *** [Makefile:1: a.o] Error 1\n"], 1),
    ]
    for lines, expected in cases:
        assert len(essence(noise + lines + noise)) == expected, essence(noise + lines + noise)
    assert essence(noise) == [line.rstrip("\n") for line in noise]
    assert essence([]) == []
    many = essence([f"FAILED {i}\n" for i in range(40)])
    assert len(many) == MOST and many[-1] == "... and 31 lines more", many


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return
    with open(sys.argv[1], errors="replace") as file:
        print("\n".join(essence(list(file))))


if __name__ == "__main__":
    main()
