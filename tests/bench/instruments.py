"""Counters that a busy machine does not move: instructions, by callgrind, and system calls, by the kernel. Of these, those that found
nothing (EAGAIN) and epoll_wait, whose number is a matter of how busy the machine is, are left out.
"""
import json
import pathlib
import re
import tempfile

from lib.proc import run

EVENTS = ("-e", "raw_syscalls:sys_enter", "-e", "syscalls:sys_enter_epoll_wait", "-e", "syscalls:sys_enter_epoll_pwait2",
          "-e", "raw_syscalls:sys_exit", "--filter", "ret == -11")


def own_instructions(profile, program):
    """Of callgrind's output, what was executed in the program (or library) itself, and nothing that it called in others."""
    total, ours, of_call, names = 0, False, False, {}
    for line in profile.splitlines():
        if found := re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line):  # cob: of a function that is called
            if found[3]:
                names[found[2]] = found[3]
            ours = ours if found[1] else names[found[2]].endswith(program)
        elif line.startswith("calls="):
            of_call = True  # the next line is the cost of what was called, which is counted where it was spent
        elif re.match(r"[+\-*\d]", line):
            if ours and not of_call:
                total += int(line.split()[1])
            of_call = False
    return total


def callgrind(program, argv, wrap=lambda argv: argv):
    """(what the program has said, instructions of its own or of its library); wrap: what brings it to where it runs."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "profile"
        said = run(wrap(("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", *argv)), limit=300).stdout
        return json.loads(said), own_instructions(out.read_text(), f"/{program.name}")


def can_count_calls():
    return run(("perf", "stat", *EVENTS, "true"), check=False).returncode == 0


def system_calls(argv, *options):
    """(what the program has said, useful system calls): of all that it starts, or of whom the options name."""
    with tempfile.NamedTemporaryFile("r") as out:
        said = run(("perf", "stat", "-x,", *EVENTS, *options, "-o", out.name, "--", *argv), limit=60).stdout
        count = {fields[2]: int(fields[0]) for line in out if len(fields := line.strip().split(",")) > 2 and fields[0].isdigit()}
    return json.loads(said), count["raw_syscalls:sys_enter"] - count["raw_syscalls:sys_exit"] - sum(
        value for name, value in count.items() if "epoll" in name)
