#!/usr/bin/env python3
"""Checks the layout of C sources (clang-format), length of files and functions, leftovers, syntax of scripts.

A function's body is what lies between a '{' and a '}' in the first column, as .clang-format lays it out.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_FILE, MAX_FUNCTION = 600, 80
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX)\b|<<<<<<<|>>>>>>>")  # not the template of mkdtemp


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return [ROOT / name for name in out.splitlines() if (ROOT / name).is_file()]


def check_c(path, lines):
    complaints = []
    if len(lines) > MAX_FILE:
        complaints.append(f"{path}: {len(lines)} lines, more than {MAX_FILE}")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > MAX_FUNCTION:
                complaints.append(f"{path}:{start}: function of {number - start - 1} lines, more than {MAX_FUNCTION}")
            start = None
    return complaints


def check_layout(paths):
    """The files that clang-format would change; "make format" changes them."""
    done = subprocess.run(["clang-format", "--dry-run", *map(str, paths)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return [done.stderr]
    names = [line.split(":")[0] for line in done.stderr.splitlines() if "[-Wclang-format-violations]" in line]
    return [f"{name}: {names.count(name)} places not laid out by .clang-format" for name in sorted(set(names))]


def check_text(path, lines):
    complaints = []
    for number, line in enumerate(lines, 1):
        if path.name != "style.py" and LEFTOVERS.search(line):
            complaints.append(f"{path}:{number}: leftover: {line.strip()}")
        if line != line.rstrip():
            complaints.append(f"{path}:{number}: blanks at the end of the line")
    return complaints


def check_script(path, lines):
    """Syntax only: what a script does is proved by running it."""
    if path.suffix == ".py" or (lines and lines[0].startswith("#!") and "python" in lines[0]):
        try:
            compile("\n".join(lines) + "\n", str(path), "exec")
        except SyntaxError as error:
            return [f"{path}:{error.lineno}: {error.msg}"]
    elif path.suffix == ".sh" or (lines and lines[0].startswith("#!") and lines[0].endswith("sh")):
        shell = lines[0].split("/")[-1].split()[-1] if lines[0].startswith("#!") else "sh"  # what others source has none
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
        return done.stderr.splitlines()
    return []


def main():
    complaints, count = [], 0
    files = tracked()
    complaints += check_layout([path for path in files if path.suffix in (".c", ".h")])
    for path in files:
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue  # a binary, such as a fuzzing corpus
        own = path.suffix in (".c", ".h")
        if own or path.suffix in (".py", ".sh") or (lines and lines[0].startswith("#!")):
            count += 1
            complaints += check_text(path, lines) + check_script(path, lines) + (check_c(path, lines) if own else [])
    for complaint in complaints:
        print(complaint.replace(f"{ROOT}/", ""), file=sys.stderr)
    print(f"style: {count} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
