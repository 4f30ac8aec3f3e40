#!/usr/bin/env python3
"""Compiles each header alone, with every compiler given: headers.py gcc clang."""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc", "-fsyntax-only", "-x", "c", "-"]


def compile_alone(job):
    """The compiler's complaint about a unit that includes the header twice and nothing else, or None."""
    compiler, header = job
    for top in ("src", "include"):
        if header.is_relative_to(ROOT / top):
            name = header.relative_to(ROOT / top).as_posix()
    unit = f'#include "{name}"\n#include "{name}"\nextern int nothing;\n'
    done = subprocess.run([compiler, *FLAGS], input=unit, cwd=ROOT, capture_output=True, text=True)
    return None if done.returncode == 0 else f"{header.relative_to(ROOT)} with {compiler}:\n{done.stderr}"


def main():
    compilers = sys.argv[1:]
    missing = [c for c in compilers if not shutil.which(c)]
    if missing or not compilers:
        sys.exit(f"headers: no such compiler: {' '.join(missing) or '(none given)'}")
    headers = sorted((ROOT / "src").rglob("*.h")) + sorted((ROOT / "include").rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [c for c in pool.map(compile_alone, [(c, h) for c in compilers for h in headers]) if c]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"headers: {len(headers)} headers x {len(compilers)} compilers, {len(complaints)} failures")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
