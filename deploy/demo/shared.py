"""What the demonstrations have in common: a web server, curl under observation, and how they begin and end."""
import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from lib import proc, proxy  # noqa: E402
from lib.wait import until  # noqa: E402

SAMPLE = 0.05  # seconds between looks at braidctl

NGINX = """daemon off; master_process off; pid {dir}/nginx.pid; error_log stderr; user root;
events {{ worker_connections 512; }}
http {{
    access_log off; client_max_body_size 1g; client_body_temp_path {dir}/body; sendfile on;
    proxy_temp_path {dir}/t1; fastcgi_temp_path {dir}/t2; uwsgi_temp_path {dir}/t3; scgi_temp_path {dir}/t4;
    server {{ listen {address}:{port}; root {dir}/www; location /up/ {{ dav_methods PUT; }} }}
}}
"""


class DemoFailed(Exception):
    pass


def say(text):
    print(text, flush=True)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Transfer:
    """One curl, watched: bytes and gaps on its pipe. looks: called with it in between, fills in the bytes of each
    of the shares. source: an address that curl binds to."""

    def __init__(self, demo, title, direction, command, looks, shares, file, source=None):
        self.demo, self.title, self.direction, self.looks, self.file = demo, title, direction, looks, file
        self.done, self.longest_gap, self.seconds = 0, 0.0, 0.0
        self.size = file.stat().st_size
        self.paths = dict.fromkeys(shares, 0)
        self.digest = None
        self.stored = demo.www / "up" / str(len(demo.transfers))
        self.ended = threading.Event()
        self.url = f"http://{demo.web}/" + (file.name if direction == "down" else f"up/{self.stored.name}")
        argv = [*command, "curl", "-sS", "--fail", "--no-buffer", "--max-time", "60"]
        argv += ["--interface", source] if source else []
        argv += ["--output", "-", self.url] if direction == "down" else ["--upload-file", "-", "-H", "Expect:", self.url]
        self.process = subprocess.Popen(demo.client.command(*argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True)
        demo.transfers.append(self)
        self._thread = threading.Thread(target=self._receive if direction == "down" else self._send, daemon=True)
        self.begun = self._last = time.monotonic()
        self._thread.start()

    def _progress(self, count):
        now = time.monotonic()
        if self.done:
            self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now
        self.done += count

    def _receive(self):
        digest = hashlib.sha256()
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            digest.update(piece)
            self._progress(len(piece))
        self.digest = digest.hexdigest()
        self._finish()

    def _send(self):
        with open(self.file, "rb") as file:
            try:
                while piece := file.read(1 << 16):
                    self.process.stdin.write(piece)
                    self._progress(len(piece))
                self.process.stdin.close()
            except BrokenPipeError:
                pass  # curl says why when it ends
        self.process.stdout.read()
        self._finish()

    def _finish(self):
        self.seconds = time.monotonic() - self.begun
        self.complaint = self.process.stderr.read().decode(errors="replace").strip()
        self.process.wait()
        self.ended.set()

    def run(self, events=()):
        """To its end, with a progress line. events: pairs of a share of the bytes and what to do when it is through."""
        shown, events = 0.0, list(events)
        while not self.ended.wait(SAMPLE):
            self.looks(self)
            while events and self.done > self.size * events[0][0]:
                events.pop(0)[1](self)
            if time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                self.show()
            self.demo.in_time()
        self.show(final=True)
        if self.process.returncode != 0:
            raise DemoFailed(f"{self.title}: curl ended with {self.process.returncode}: {self.complaint}")
        if self.direction == "up":
            self.digest = sha256(self.stored)
        return self

    def equal(self):
        return self.digest == self.demo.expected[self.file]

    def goodput(self):
        return self.size * 8 / self.seconds / 1e6

    def show(self, final=False):
        """One line that is rewritten in place on a terminal, and printed once at the end elsewhere."""
        seconds = self.seconds or time.monotonic() - self.begun
        width = 30
        filled = min(width, self.done * width // self.size)
        shares = ", ".join(f"{path} {count >> 20:3d} MiB" for path, count in self.paths.items())
        line = (f"{self.title:28} [{'#' * filled}{'.' * (width - filled)}] {self.done >> 20:3d} MiB "
                f"{self.done * 8 / 1e6 / seconds:6.1f} Mbit/s   {shares}")
        if sys.stdout.isatty():
            print(f"\r{line}", end="\n" if final else "", flush=True)
        elif final:
            print(line, flush=True)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Demo:
    """To be filled in: prepare(), play(), stop(), report() -> whether every claim holds, healthy(), delete()."""

    def __init__(self, directory, limit):
        self.directory, self.limit = directory, limit
        self.www = directory / "www"
        self.transfers, self.processes, self.expected = [], [], {}
        self.begun = time.monotonic()

    def make_file(self, name, size):
        file = self.www / name
        file.write_bytes(os.urandom(size))
        self.expected[file] = sha256(file)
        return file

    def serve(self, namespace, address):
        """A web server that knows only TCP."""
        (self.www / "up").mkdir(parents=True)
        os.chmod(self.directory, 0o755)
        config = self.directory / "nginx.conf"
        config.write_text(NGINX.format(dir=self.directory, address=address, port=proxy.PORT))
        self.processes.append(proc.Process(namespace.command("nginx", "-e", "stderr", "-c", config), "nginx"))
        with namespace.entered():
            until(proxy.listening, "nginx listens")

    def in_time(self):
        if time.monotonic() - self.begun > self.limit:
            raise DemoFailed(f"not done after {self.limit} seconds")
        self.healthy()

    def clean_up(self):
        for transfer in self.transfers:
            transfer.kill()
        for process in self.processes:
            if process.alive():
                process.kill()
        self.delete()


def judge(claims):
    """Prints (claim, measured, whether it holds) for each claim; whether all hold."""
    for claim, measured, holds in claims:
        print(f"  {'yes' if holds else 'NO '}  {claim}: {measured}")
    return all(holds for _, _, holds in claims)


def perform(kind):
    """The exit status."""
    if os.geteuid() != 0:
        sys.exit("The demonstration makes network namespaces: run it as root, with sudo.")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="braid-demo-") as directory:
        demo = kind(pathlib.Path(directory))
        try:
            demo.prepare()
            demo.play()
            demo.stop()
            good = demo.report()
            print(f"\n{'The demonstration succeeded' if good else 'THE DEMONSTRATION FAILED'} after "
                  f"{time.monotonic() - demo.begun:.0f} s.")
            return 0 if good else 1
        except KeyboardInterrupt:
            print("\nInterrupted; cleaning up.")
            return 130
        except Exception as error:
            print(f"\nTHE DEMONSTRATION FAILED: {error}")
            for process in demo.processes:
                for line in process.lines[-15:]:
                    print(f"    {process.name}: {line}")
            return 1
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            demo.clean_up()
