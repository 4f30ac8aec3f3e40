"""What deploy/grafana and deploy/prometheus hold: a real Prometheus scrapes an edge and a CPE that carry connections, and is
asked whatever the dashboard asks; the alerts' rules are good, and fire when they should."""
import contextlib
import http.client
import http.server
import json
import math
import re
import threading
import urllib.parse

from lib import home, net
from lib.proc import Process, run
from lib.proxy import ADMIN, PORT, ROOT, Cpe, Section, default_edges
from lib.stream import receive
from lib.suite import braid_only, limit
from lib.wait import until

DASHBOARD = ROOT / "deploy/grafana/braid.json"
RULES = ROOT / "deploy/prometheus/braid.rules.yml"
RULE_TESTS = ROOT / "tests/monitoring/rules.test.yml"
PROMETHEUS, RELAY = "127.0.0.1:9090", 9181
PANELS = {"row", "stat", "timeseries", "heatmap", "state-timeline"}


def dashboard():
    return json.loads(DASHBOARD.read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


@braid_only
def test_the_dashboard_is_one_that_grafana_can_load(env):
    """Its documented structure: a uid, panels with ids, places that do not overlap, and queries of the chosen data source."""
    board, seen, taken = dashboard(), set(), set()
    assert board["uid"] and board["title"] and board["schemaVersion"] >= 36 and board["id"] is None
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert next(v for v in board["templating"]["list"] if v["type"] == "datasource")["name"] == "datasource"
    for panel in board["panels"]:
        assert panel["type"] in PANELS and panel["id"] not in seen, panel["title"]
        seen.add(panel["id"])
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"], panel["title"]
        ids = [target["refId"] for target in panel["targets"]]
        assert len(ids) == len(set(ids)), panel["title"]
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= variables, f"{panel['title']} uses {used - variables}"


@braid_only
def test_promtool_accepts_the_alerts_and_each_fires_when_it_should(env):
    done = run(["promtool", "check", "rules", RULES], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(["promtool", "test", "rules", RULE_TESTS], check=False, limit=60)
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    tried = set(re.findall(r'alertname="(\w+)"', RULE_TESTS.read_text()))
    assert alerts and alerts == tried, alerts ^ tried


@contextlib.contextmanager
def relay(namespace, daemon):
    """The metrics of a daemon elsewhere, at a port of loopback in that namespace."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            code, body = daemon.http(self.path)
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # it has not waited
                self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with namespace.entered():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", RELAY), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Prometheus:
    def __init__(self, env):
        self.namespace = env.topology.braid
        config = env.directory / "prometheus.yml"
        targets = "".join(f"  - job_name: {job}\n    static_configs: [{{targets: ['{at}']}}]\n"
                          for job, at in (("braid-edge", ADMIN), ("braid-cpe", f"127.0.0.1:{RELAY}")))
        config.write_text("global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}\n"
                          f"rule_files: ['{RULES}']\nscrape_configs:\n{targets}")
        self.process = Process(self.namespace.command(
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={env.directory / 'tsdb'}",
            f"--web.listen-address={PROMETHEUS}", "--log.level=warn"), "prometheus")

    def ask(self, what, **parameters):
        """What its API answers; None: it does not listen yet, or is not ready."""
        host, port = PROMETHEUS.split(":")
        link = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            with self.namespace.entered():
                link.connect()
        except ConnectionRefusedError:
            return None
        with contextlib.closing(link):
            link.request("GET", f"/api/v1/{what}?{urllib.parse.urlencode(parameters)}")
            answer = link.getresponse()
            body = answer.read()
        if answer.status == 503:
            return None
        document = json.loads(body)
        assert document["status"] == "success", f"{parameters}: {document}"
        return document["data"]

    def query(self, expression):
        """The values of an expression now: (labels, number)."""
        data = self.ask("query", query=expression)
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]] if data else []


@contextlib.contextmanager
def prometheus(env):
    started = Prometheus(env)
    try:
        until(lambda: started.ask("status/runtimeinfo"), "prometheus answers", 120)
        yield started
    finally:
        started.process.kill()


@contextlib.contextmanager
def traffic(env):
    """Short connections by the edge and by the CPE, one after the other, as long as the block runs."""
    over, failed = threading.Event(), []
    listeners = env.listen(), env.listen(address=home.MULTI[4], multipath=True, at=env.home.multi)

    def exchange(listener, near):
        far = listener.accept()[0]
        with near, far:
            near.sendall(b"question" * 4000)
            receive(far, 32000)
            far.sendall(b"answer" * 4000)
            receive(near, 24000)

    def work():
        try:
            while not over.is_set():
                exchange(listeners[0], env.connect())
                exchange(listeners[1], env.connect(4, PORT, home.MULTI[4], multipath=False, at=env.home.device))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed


def filled_in(expression):
    """With what Grafana puts in the place of variables: everything, and some seconds."""
    return re.sub(r"\$(\w+)", lambda m: "20s" if m[1].startswith("__") else ".*", expression)


@braid_only
@limit(240)
def test_prometheus_has_an_answer_to_whatever_the_dashboard_asks(env):
    paths = [Section(f"path p{n}", remote=f"{net.client_address(n)}/32", quota="1KB") for n in net.PATHS]
    env.two_paths(edges=[*default_edges(), *paths])
    router = env.daemon(env.home.cpe, [Cpe()])
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    with relay(env.topology.braid, router), prometheus(env) as server, traffic(env):
        until(lambda: len([v for _, v in server.query("up == 1")]) == 2, "both daemons are scraped", 120)
        for panel in panels():
            for target in panel["targets"]:
                expression = filled_in(target["expr"])
                until(lambda: any(math.isfinite(value) for _, value in server.query(expression)),
                      f"prometheus has a number for {panel['title']}: {expression}", 60)
        for variable in dashboard()["templating"]["list"][1:]:
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            found = {labels.get(label) for labels, _ in server.query(filled_in(series))}
            assert found and None not in found, f"{variable['name']}: {found}"
        for annotation in dashboard()["annotations"]["list"]:
            server.query(filled_in(annotation["expr"]))
        rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
        assert rules and all(rule["health"] == "ok" for rule in rules), rules
        until(lambda: {labels["path"] for labels, _ in server.query('ALERTS{alertname="BraidQuotaNearlyUsed",alertstate="firing"}')}
              >= {"p1"}, "the alert for the quota fires", 60)
