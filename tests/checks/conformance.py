#!/usr/bin/env python3
"""Checks docs/conformance.md and docs/api-conformance.md: each row has its own number, a verdict, and tests that exist or a word for why there is none.

A test is named in backquotes: `unit:FILE.c:NAME`, `sim:FAMILY`, `e2e:FILE.py:NAME` or `pkt:NAME`.
"conformance.py --self-test" checks that this check finds what it should."""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "docs" / name for name in ("conformance.md", "api-conformance.md")]
ROW = re.compile(r"^\| *((?:(?:CV|D?AP)?\d+(?:\.\d+)*|MUST|SHLD|MAY|REC|REQ)-\d+) *\|(.*)\|$")
VERDICTS = ("yes", "partly", "no", "n/a")
NONE = ("n/a", "no test")


def existing_tests(root):
    names = set()
    for file in (root / "tests/unit").glob("test_*.c"):
        names.update(f"unit:{file.name}:{name}" for name in re.findall(r"START_TEST\((\w+)\)", file.read_text()))
    for file in (root / "tests/sim").glob("*.c"):
        names.update(f"sim:{name}" for name in re.findall(r'^ *\{"(\w+)", *make_', file.read_text(), re.M))
    for file in (root / "tests/e2e").glob("test_*.py"):
        names.update(f"e2e:{file.name}:{name}" for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M))
    names.update(f"pkt:{file.stem}" for file in (root / "tests/packets").glob("*.pkt"))
    return names


def check_row(number, cells, tests):
    if len(cells) != 3:
        return [f"{number}: a row has four columns"]
    _, verdict, proof = cells
    errors = []
    word = re.match(r"[a-z/]+", verdict)
    if not word or word.group() not in VERDICTS:
        errors.append(f"{number}: what Braid does begins with one of: {', '.join(VERDICTS)}")
    named = re.findall(r"`([^`]*)`", proof)
    if not named and proof not in NONE:
        errors.append(f"{number}: neither a test nor one of: {', '.join(NONE)}")
    if proof == "n/a" and word and word.group() in ("yes", "partly"):
        errors.append(f'{number}: what is done needs a test, or the words "no test"')
    errors += [f"{number}: no such test: {name}" for name in named if name not in tests]
    return errors


def check(text, tests):
    """(rows, rows with a test, errors)"""
    errors, seen, tested = [], set(), 0
    for line in text.splitlines():
        row = ROW.match(line)
        if not row:
            continue
        number, cells = row.group(1), [cell.strip() for cell in row.group(2).split("|")]
        if number in seen:
            errors.append(f"{number}: twice")
        seen.add(number)
        tested += "`" in cells[-1]
        errors += check_row(number, cells, tests)
    if not seen:
        errors.append("no rows")
    return len(seen), tested, errors


def run(document, root):
    rows, tested, errors = check(document.read_text(), existing_tests(root))
    for error in errors:
        print(f"{document.name}: {error}", file=sys.stderr)
    return rows, tested, len(errors)


def self_test():
    good = "| 3.1-1 | paraphrase | yes: so | `pkt:some` |\n"
    cases = [
        (good, 0),
        (good + "| MUST-2 | paraphrase | n/a: why | n/a |\n", 0),
        (good + "| 3.1-2 | paraphrase | yes | no test |\n", 0),
        ("| 3.1-1 | paraphrase | yes: so | `pkt:other` |\n", 1),
        ("| 3.1-1 | paraphrase | yes: so | `unit:test_a.c:wrong`, `pkt:some` |\n", 1),
        (good + good, 1),
        ("| 3.1-1 | paraphrase | yes: so | |\n", 1),
        ("| 3.1-1 | paraphrase | yes: so | n/a |\n", 1),
        ("| 3.1-1 | paraphrase | perhaps | `pkt:some` |\n", 1),
        ("| 3.1-1 | paraphrase | yes |\n", 1),
        (good + "| DAP5.3.1-1 | paraphrase | no | n/a |\n| REQ-4 | paraphrase | perhaps | n/a |\n", 1),
        ("nothing\n", 1),
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "tests/packets").mkdir(parents=True)
        (root / "tests/packets/some.pkt").write_text("# a script\n")
        (root / "tests/unit").mkdir()
        (root / "tests/unit/test_a.c").write_text("START_TEST(right)\n")
        document = root / "conformance.md"
        for text, expected in cases:
            document.write_text(text)
            stderr, sys.stderr = sys.stderr, open(root / "errors", "w")
            found = run(document, root)[2]
            sys.stderr.close()
            sys.stderr = stderr
            assert found == expected, f"{found} errors instead of {expected} in:\n{text}"


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    failed = False
    for document in DOCUMENTS:
        rows, tested, errors = run(document, ROOT)
        failed |= errors > 0
        print(f"{document.name}: {rows} requirements, {tested} with a test, {errors} errors")
    return failed


if __name__ == "__main__":
    sys.exit(main())
