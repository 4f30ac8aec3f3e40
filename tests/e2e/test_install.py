"""What "make install" puts in place: where it was told to, complete, and fit for programs to be built with."""
import os
import re

from lib import proxy
from lib.proc import run
from lib.proxy import ROOT
from lib.suite import braid_only, limit

PREFIX = "/opt/braid"
# Of the core's objects; the library for programs has none.
SANITIZERS = ["-fsanitize=address,undefined"] if "asan" in proxy.BUILD.name else []


def install(env, **folders):
    """The root that has it."""
    root = env.directory / "root"
    run(["make", "-s", "-o", "all", "-C", ROOT, "install", f"B={proxy.BUILD}", f"DESTDIR={root}",
         *(f"{name}={folder}" for name, folder in folders.items())], limit=120)
    return root


def files(root):
    return {f"/{path.relative_to(root)}" for path in root.rglob("*") if not path.is_dir()}


@braid_only
@limit(300)
def test_install_writes_the_paths_that_it_was_given(env):
    root = install(env, PREFIX=PREFIX)
    unit = (root / "etc/systemd/system/braid.service").read_text()
    for path in re.findall(r"^#?Exec\w+=\+?(/\S+)", unit, re.MULTILINE):
        assert path.startswith((f"{PREFIX}/sbin/", f"{PREFIX}/bin/")) and os.access(f"{root}{path}", os.X_OK), path
    assert f"ExecStart={PREFIX}/sbin/braidd" in unit and "/usr/local" not in unit
    library = re.search(r"^LIBRARY=\S+:-(\S+)}$", (root / "opt/braid/bin/braidrun").read_text(), re.MULTILINE)[1]
    assert library.startswith(f"{PREFIX}/lib/") and (root / library[1:]).is_file()
    assert "usage: braid-steer" in run([root / "opt/braid/sbin/braid-steer", "--help"]).stdout
    for part in ("bash-completion/completions/braidrun", "zsh/site-functions/_braid"):
        program = re.search(r"\S+/complete\b", (root / "opt/braid/share" / part).read_text())[0].lstrip("<(")
        assert program == f"{PREFIX}/lib/braid/complete" and os.access(f"{root}{program}", os.X_OK), part
    outside = {path for path in files(root) if not path.startswith(f"{PREFIX}/")}
    assert outside == {"/etc/braid/braid.ini", "/etc/systemd/system/braid.service", "/etc/sysusers.d/braid.conf"}


@braid_only
@limit(300)
def test_install_puts_units_where_systemd_looks_and_each_folder_where_it_is_told(env):
    root = install(env, PREFIX="/usr", SBINDIR="/usr/bin", LIBDIR="/usr/lib/here", UNITDIR="/lib/systemd/system")
    there = files(root)
    assert {"/lib/systemd/system/braid.service", "/usr/lib/sysusers.d/braid.conf", "/usr/lib/here/libbraid-socket.so.1",
            "/usr/lib/here/pkgconfig/braid.pc", "/usr/bin/braidd"} <= there
    assert not any("local" in path or path.startswith("/usr/sbin") for path in there)
    assert "ExecStart=/usr/bin/braidd" in (root / "lib/systemd/system/braid.service").read_text()
    assert ":-/usr/lib/here/libbraid-socket.so.1}" in (root / "usr/bin/braidrun").read_text()
    assert "usage: braid-steer" in run([root / "usr/bin/braid-steer", "--help"]).stdout


@braid_only
@limit(300)
def test_install_has_what_a_cluster_needs(env):
    root = install(env, PREFIX=PREFIX)
    parts = {path.name for path in (root / "opt/braid/share/braid/cluster").iterdir()}
    assert parts == {path.name for path in (ROOT / "deploy/cluster").iterdir()} - {"braid-cluster"}
    script = f"{PREFIX}/lib/braid/braid-cluster"
    for part in ("keepalived.conf", "braid-cluster.service"):
        text = (root / "opt/braid/share/braid/cluster" / part).read_text()
        assert script in text and "/usr/local" not in text, part
    done = run(["env", f"PATH={root}{PREFIX}/bin:{os.environ['PATH']}", f"{root}{script}"], check=False)
    assert done.returncode == 2 and "braid-cluster drain [SECONDS]" in done.stderr


@braid_only
@limit(300)
def test_install_leaves_a_configuration_as_it_is(env):
    mine = env.directory / "root/etc/braid/braid.ini"
    mine.parent.mkdir(parents=True)
    mine.write_text("; mine\n")
    install(env)
    assert mine.read_text() == "; mine\n"


@braid_only
def test_the_packages_have_the_version_of_the_program(env):
    version = re.search(r'BRAID_VERSION "(.*)"', (ROOT / "include/braid/version.h").read_text())[1]
    assert (ROOT / "deploy/debian/changelog").read_text().startswith(f"braid ({version}) ")


@braid_only
@limit(300)
def test_each_program_has_its_manual_page(env):
    root = install(env)
    programs = [path.name for folder in ("bin", "sbin") for path in (root / "usr/local" / folder).iterdir()]
    pages = {path.stem for path in (root / "usr/local/share/man").glob("man[18]/*")}
    assert len(programs) == 5 and set(programs) == pages


def flags_of(root, name, *options):
    """What pkg-config says that a compiler has to be given."""
    places = f"PKG_CONFIG_SYSROOT_DIR={root}", f"PKG_CONFIG_LIBDIR={root}{PREFIX}/lib64/pkgconfig"
    return run(["env", *places, "pkg-config", *options, name]).stdout.split()


def build(env, sources, flags):
    program = env.directory / sources[0].stem
    run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", program, *sources, *flags], limit=120)
    return program


@braid_only
@limit(300)
def test_programs_are_built_with_the_library_for_them(env):
    root = install(env, PREFIX=PREFIX, LIBDIR=f"{PREFIX}/lib64")
    flags = flags_of(root, "braid-socket", "--cflags", "--libs")
    sources = sorted((ROOT / "docs/examples/socket").glob("*.c"))
    assert len(sources) > 10
    for source in sources:
        program = build(env, [source], flags)
        done = run(["env", f"LD_LIBRARY_PATH={root}{PREFIX}/lib64", program], check=False)
        assert done.stderr.startswith(f"usage: {program}"), (source.name, done)
    archive = flags_of(root, "braid-socket", "--cflags", "--libs", "--static")
    alone = build(env, [sources[0]], [{"-lbraid-socket": "-l:libbraid-socket.a"}.get(flag, flag) for flag in archive])
    assert run([alone], check=False).stderr.startswith("usage:")


@braid_only
@limit(300)
def test_programs_are_built_with_the_stack(env):
    root = install(env, PREFIX=PREFIX, LIBDIR=f"{PREFIX}/lib64")
    version = re.search(r'BRAID_VERSION "(.*)"', (ROOT / "include/braid/version.h").read_text())[1]
    assert flags_of(root, "braid", "--modversion") == [version]
    flags = ["-std=gnu11", *flags_of(root, "braid", "--cflags", "--libs"), *SANITIZERS]
    examples = ROOT / "docs/examples"
    for sources in ([examples / "adapter.c"], [examples / "learner.c", examples / "schedulers/learner.c"]):
        program = build(env, sources, flags)
        assert run([program], limit=120).stdout == sources[0].with_suffix(".out").read_text()
