"""Debian systems in folders, for tests that install something there: made by debootstrap, from the mirror that apt-get of this machine
has."""
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile


def run(*command, **how):
    """What it printed; ends the program if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **how)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def _use_proxy():
    """By which apt-get of this machine reaches its mirrors, debootstrap and the other system do, too."""
    told = run("apt-config", "shell", "PROXY", "Acquire::http::Proxy")
    if "=" in told:
        os.environ["http_proxy"] = shlex.split(told)[0].split("=", 1)[1]


def _mirror(release):
    """Where apt-get has that release from, or None if it is not there."""
    for line in run("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages").splitlines():
        name, _, place = line.partition(" ")
        with tempfile.TemporaryDirectory() as folder:
            if name == release and subprocess.run(
                    ["/usr/lib/apt/apt-helper", "download-file", f"{place}dists/{release}/InRelease", f"{folder}/InRelease"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return place
    return None


def bare(folder):
    """The folder with the smallest system of this machine's release, which is made unless it is there; None if there is no mirror."""
    _use_proxy()
    if not (folder / "complete").exists():
        release = platform.freedesktop_os_release()["VERSION_CODENAME"]
        place = _mirror(release)
        if not place:
            return None
        shutil.rmtree(folder, ignore_errors=True)
        run("debootstrap", "--variant=minbase", release, folder, place)
        (folder / "complete").touch()
    return folder


class Debian:
    """A system in a folder, whose processes see a network of their own."""

    def __init__(self, folder, namespace):
        self.folder, self.namespace = folder, namespace

    def make(self, made):
        """A copy of what bare() has made, fit for apt-get and the daemon."""
        shutil.rmtree(self.folder, ignore_errors=True)
        run("cp", "-a", made, self.folder)
        (self.folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (self.folder / "usr/sbin/policy-rc.d").chmod(0o755)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        run("mount", "--rbind", "/dev", self.folder / "dev")
        run("mount", "-t", "proc", "proc", self.folder / "proc")

    def run(self, *command, **how):
        return run("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "chroot", self.folder, *command, **how)

    def command(self, *command):
        """... in the namespace."""
        return self.namespace.command("chroot", self.folder, *command)

    def install(self, *packages):
        """Packages by their names, or by their files, from outside."""
        for package in packages:
            if isinstance(package, pathlib.Path):
                shutil.copy(package, self.folder / "tmp")
        names = (f"/tmp/{package.name}" if isinstance(package, pathlib.Path) else package for package in packages)
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", "install", *names)
