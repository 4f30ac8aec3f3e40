"""A headless Chromium inside a namespace, driven over the WebDriver protocol (W3C) that chromedriver speaks."""
import base64
import contextlib
import json
import urllib.error
import urllib.request

from .proc import Process
from .wait import FACTOR, until

PORT = 9515  # nobody else is in the namespace
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of references to elements, section 11 of the protocol
# Without what a browser does beside its task: updates, reports of crashes, messages to a desktop.
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-breakpad", "--disable-sync",
             "--disable-extensions", "--password-store=basic", "--hide-scrollbars")
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004"}


class BrowserError(Exception):
    pass


class Browser:
    """Use it as a context: the browser is gone afterwards."""

    def __init__(self, namespace, directory, any_certificate=False):
        self._namespace = namespace
        self._session = ""
        self._driver = Process(namespace.command("chromedriver", f"--port={PORT}"), "chromedriver",
                               env={"HOME": str(directory), "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
        try:
            self._driver.wait_for_line("started successfully", 30)
            until(self._listens, "chromedriver answers", 30)
            options = {"args": [*ARGUMENTS, f"--user-data-dir={directory}/profile", "about:blank"], "binary": "/usr/bin/chromium"}
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "acceptInsecureCerts": any_certificate, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self._driver.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrowserError, OSError):
            self._call("DELETE", self._session)
        self._driver.kill()

    def _listens(self):
        with contextlib.suppress(OSError):
            return self._call("GET", "/status")["ready"]

    def _call(self, method, path, body=None):
        """The value of the answer. The thread is inside the namespace meanwhile, and so is the socket."""
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with self._namespace.entered(), urllib.request.urlopen(request, timeout=60 * FACTOR) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise BrowserError(f"{method} {path}: {value['error']}: {value['message'].splitlines()[0]}") from None

    def _log(self, kind):
        """What has been logged since this was asked last."""
        return self._call("POST", f"{self._session}/se/log", {"type": kind})

    def _devtools(self, command, **parameters):
        return self._call("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self._call("POST", f"{self._session}/url", {"url": url})

    def run(self, script, *arguments):
        """What the script, the body of a function, returns."""
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self._call("POST", f"{self._session}/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self._call("POST", f"{self._session}/element/{self.find(selector)}/click")

    def keys(self, *keys):
        """Presses keys, "Enter" or characters, one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", f"{self._session}/actions",
                   {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, selector):
        return self.run("const e = document.querySelector(arguments[0]); return e && e.textContent", selector)

    def exact(self, selector):
        """The number in the title of an element; None: there is no such element, or it has none."""
        title = self.run("const e = document.querySelector(arguments[0]); return e && e.title", selector)
        return int(title) if title else None

    def prefers(self, scheme):
        """The colours that the page should have, "light" or "dark"."""
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def resize(self, width, height):
        """In pixels of the page."""
        self._devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path):
        """As PNG."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", f"{self._session}/screenshot")))

    def complaints(self):
        """Errors and warnings of the page's console since this was asked last."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """The addresses that have been asked for since this was asked last, but for those within the browser itself."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        asked = [message["params"]["request"]["url"] for message in messages
                 if message["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("chrome:", "about:", "data:"))]
