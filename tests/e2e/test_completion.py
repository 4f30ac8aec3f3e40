"""What shells offer behind the names of Braid's programs: commands, ids, names, options and what these may be."""
import os
import re

from lib.net import join
from lib.proc import run
from lib.proxy import BUILD, ROOT
from lib.suite import braid_only, limit
from lib.terminal import SEQUENCE, Terminal
from lib.wait import until

FOLDER = ROOT / "deploy" / "completion"
CONTROL = (ROOT / "include/braid/control.h").read_text()
PATH = f"{BUILD}:{ROOT / 'deploy'}:{os.environ['PATH']}"
SHELL_LIMIT = 120  # seconds: what zsh loads for its completion takes long on a busy machine


def offered(*words):
    """What may stand where the last of the words is, those before it being as they are: a word and what it means."""
    said = run(["env", f"PATH={PATH}", FOLDER / "complete", *words], limit=60).stdout
    return dict(line.partition("\t")[::2] for line in said.splitlines())


def listed(macro, pattern=r'X\(\w+, "(\w+)"'):
    """The words of a list in control.h."""
    text = re.search(rf"#define {macro}\(X\)(.*?[^\\])\n", CONTROL, re.DOTALL)[1]
    return re.findall(pattern, text, re.DOTALL)


@braid_only
@limit(300)
def test_commands_and_what_the_daemon_knows_are_offered(env):
    env.start([env.Edge("web", path_manager="fullmesh"), env.Edge("web6", 6)], more="[path lte]\nremote = 10.99.2.0/24\n")
    env.pair()
    (connection,) = env.proxy.connections()
    ident = str(connection["id"])

    def offers(*words):
        return set(offered("braidctl", "-s", env.proxy.control, *words))

    commands = listed("BRAID_COMMANDS")
    assert len(commands) > 10 and offers("") == {"cluster", *commands}  # which asks no daemon
    assert offered("braidctl", "")["uplinks"].startswith("the uplinks, ")
    for command in ("show", "set", "events"):
        assert offers(command, "") == {ident}, command
    (about,) = offered("braidctl", "-s", env.proxy.control, "show", "").values()
    assert about.startswith("web, ") and connection["client"] in about and join("10.99.3.2", 8080) in about
    assert offers("kill", "") >= {ident, "edge=", "state="} and ident not in offers("kill", "edge=web", "")
    assert offers("kill", "edge=") == {"edge=web", "edge=web6"} == {f"edge={name}" for name in offers("kill", "--edge", "")}
    assert offers("kill", "path=") == {"path=lte"}
    assert offers("bypass", "") == {"clear"} and offers("status", "") == set() == offers("show", ident, "")
    assert set(listed("BRAID_SETTINGS")) == offers("set", ident, "")
    assert "minrtt" in offers("set", ident, "scheduler", "") and "fullmesh" in offers("set", ident, "path_manager", "")
    assert "bulk" in offers("set", ident, "profile", "") and offers("set", ident, "redundancy", "") == {"none", "some", "all"}
    assert not set(offered("braidctl", "--url", "http://127.0.0.1:1", "show", ""))


@braid_only
@limit(300)
def test_what_is_listed_is_what_there_is(env):
    assert set(offered("braidctl", "top", "sort=")) == {f"sort={key}" for key in listed("BRAID_TOP_KEYS")}
    states = listed("BRAID_FILTERS", r'"STATE",(.*?")\)')[0]
    states = re.findall(r"[a-z_]+", states.replace('"', "").replace("\\", "").split("one of")[1])
    assert len(states) > 5 and set(offered("braidctl", "kill", "state=")) == {f"state={state}" for state in states}
    filters = set(listed("BRAID_FILTERS"))
    assert set(offered("braidctl", "connections", "")) == {f"{key}=" for key in filters | {"limit", "sort"}}
    assert {f"--{key}" for key in filters} | {"-s", "--json", "--url", "--cert", "--key", "-V"} <= set(offered("braidctl", "-"))


@braid_only
@limit(300)
def test_options_of_each_program_and_their_values_are_offered(env):
    for program in ("braidrun", "braid-steer"):
        said = re.findall(r"^ +(--[a-z-]+)", run(["env", f"PATH={PATH}", program, "--help"]).stdout, re.MULTILINE)
        assert len(said) > 10 and set(said) == set(offered(program, "-")), program
    assert set(offered("braidd", "-")) == {"-c", "-t", "-V", "-h"}
    assert set(offered("braid-connect", "-")) == {"-4", "-6", "-n", "-p", "-t", "-v", "-V", "-h"}
    assert set(offered("braid-steer", "")) == {"up", "down", "status"}
    assert set(offered("braid-steer", "up", "--lan", "")) == set(os.listdir("/sys/class/net"))
    assert "root" in offered("braid-steer", "up", "--except-user", "")
    assert set(offered("braid-steer", "up", "--source=")) == {"--source=proxy", "--source=client"}
    assert set(offered("braidrun", "--redundancy", "")) == {"none", "some", "all"}
    assert set(offered("braidd", "-c", "")) == set(offered("braid-steer", "up", "--config=")) == {":files"}
    assert set(offered("braidrun", "--stats", "")) == {":commands"}
    assert set(offered("braidrun", "--stats", "cat", "-")) == {":files"}, "these are the program's own"


def in_place(env, name):
    """A shell's part, as it is when it has been installed."""
    path = env.directory / name
    path.write_text((FOLDER / name).read_text().replace("/usr/local/lib/braid/complete", str(FOLDER / "complete")))
    return path


def complete_lines(env, argv, ready):
    """Types the beginnings of lines into a shell, and a tab."""
    (env.directory / "aFile.ini").touch()
    with Terminal(["env", f"PATH={PATH}", "TERM=dumb", "PS1=", "INPUTRC=/dev/null", *argv]) as shell:
        shell.press(f"cd {env.directory}; {ready}; echo rea''dy\n")
        until(lambda: "\nready" in shell.said, "the shell is ready", SHELL_LIMIT)
        for typed, completed in (("braidctl upl", "uplinks"), ("braidctl kill state=estab", "state=established"),
                                 ("braidctl --token-f", "--token-file"), ("braidrun --redundancy=so", "--redundancy=some"),
                                 ("braidd -c aFi", "aFile.ini"), ("braid-steer up --config=aFi", "--config=aFile.ini"),
                                 ("braid-steer up --sou", "--source"), ("braidrun mptcpiz", "mptcpize")):
            before = len(shell.said)
            shell.press(f"{typed}\t")
            until(lambda: completed in SEQUENCE.sub("", shell.said[before:]).replace("\a", ""),
                  f"'{typed}' becomes '{completed}'", SHELL_LIMIT)
            shell.press("\x15")


@braid_only
@limit(600)
def test_bash_completes(env):
    complete_lines(env, ["bash", "--norc", "--noprofile", "-i"], f". {in_place(env, 'braid.bash')}")


@braid_only
@limit(600)
def test_zsh_completes(env):
    folder = in_place(env, "_braid").parent
    complete_lines(env, ["zsh", "-f", "-i"], f"PS1=; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D")
