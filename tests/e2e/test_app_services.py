"""Larger programs under braidrun, which do what they do over plain TCP: ssh, PostgreSQL, a browser."""
import contextlib
import os
import pathlib
import re
import signal

from lib import net
from lib.proc import Process, run
from lib.stream import MIB, noise
from lib.suite import alone, braid_only, limit, long
from lib.wait import until
from lib.ways import HOST, same_each_way
from test_app_programs import REFUSING, SECURE, WEB, certificate, digest, outcome, serve_site, write_site
from test_cpe_programs import BROWSER, ssh_keys, ssh_options, sshd, write_page

NOBODY = 65534
DATABASE = 5432


@long
@braid_only
@limit(180)
def test_ssh(env):
    """Programs that fork, close what they have inherited, separate privileges, and pass descriptors on."""
    ssh_keys(env.directory, HOST)
    mine, theirs, again, master = (env.directory / name for name in ("mine", "theirs", "again", "master"))
    mine.write_bytes(noise()[:4 * MIB])
    ssh = ("ssh", *ssh_options(env.directory))
    host = f"root@{HOST}"

    def work(way):
        way.serve((22,), *sshd(env.directory, "0.0.0.0"))
        result = {"end of input": outcome(way, *ssh, host, "sha256sum; echo good evening; exit 3", stdin="good morning\n")}
        for path in (theirs, again):
            path.unlink(missing_ok=True)
        scp = ("scp", *ssh_options(env.directory))
        result["there"] = outcome(way, *scp, mine, f"{host}:{theirs}"), digest(theirs)
        result["back"] = outcome(way, *scp, f"{host}:{theirs}", again), digest(again)
        shared = Process(way.client(*ssh, "-M", "-N", "-S", master, host), "ssh")
        try:
            until(master.exists, "the connection can be shared")
            result["shared"] = [outcome(way, *ssh, "-S", master, host, f"echo {number}; cat", stdin="both\n") for number in range(3)]
            result["its end"] = run(way.client(*ssh, "-S", master, "-O", "exit", host)).returncode, shared.wait(10)
        finally:
            shared.kill()
        result["refused"] = outcome(way, *ssh, "-p", REFUSING, host, "true")
        return result

    result = same_each_way(env, 4, (22,), work, MIB)
    assert result["end of input"][0] == 3 and "good evening" in result["end of input"][1]
    assert result["there"] == result["back"] == ((0, "", ""), digest(mine))
    assert [said[:2] for said in result["shared"]] == [(0, f"{number}\nboth\n") for number in range(3)]
    assert result["refused"][0] == 255 and "Connection refused" in result["refused"][2]


def as_nobody(*argv):
    """PostgreSQL does not run for root."""
    return "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv


def programs_of_postgres():
    return max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


def new_database(folder, certificates):
    """A cluster that lets everybody in, with TLS or without."""
    data = folder / "data"
    if data.exists():
        return data
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    run(as_nobody(programs_of_postgres() / "initdb", "-D", data, "-U", "root", "--locale=C", "-E", "UTF8", "--no-sync", "-A", "trust"))
    (data / "pg_hba.conf").write_text("host all all all trust\n")
    for name in ("certificate", "key"):
        (data / name).write_bytes((certificates / name).read_bytes())
        (data / name).chmod(0o600)
        os.chown(data / name, NOBODY, NOBODY)
    return data


@contextlib.contextmanager
def asleep(way, words):
    """A client whose query sleeps at the server."""
    client = Process(way.client(*words, "-c", "select pg_sleep(60) /* tired */"), "psql")
    try:
        tired = "select count(*) from pg_stat_activity where query like '%tired%' and wait_event = 'PgSleep' and pid <> pg_backend_pid()"
        until(lambda: run(way.client(*words, "-c", tired)).stdout == "1\n", "the query has begun")
        yield client
    finally:
        client.kill()


@long
@braid_only
@limit(240)
def test_postgresql(env):
    """A process for each connection, TLS on top of an open one, a connect within a handler of signals, threads that connect."""
    certificate(env.directory)
    text = env.directory / "text"
    text.write_text("".join(f"{number}\t{piece.hex()}\n" for number, piece in
                            enumerate(noise()[at:at + 500] for at in range(0, 2 * MIB, 500))))
    again = env.directory / "again"

    def work(way):
        data = new_database(way.folder, env.directory)
        way.serve((DATABASE,), *as_nobody(programs_of_postgres() / "postgres", "-D", data, "-p", DATABASE, "-c", "listen_addresses=*",
                                          "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "ssl=on",
                                          "-c", f"ssl_cert_file={data}/certificate", "-c", f"ssl_key_file={data}/key"), end=signal.SIGINT)
        result = {}
        for tls, words in (("disable", ""), ("verify-full", f"sslrootcert={env.directory}/certificate")):
            psql = ("psql", "-X", "-A", "-t", "-q", f"host={HOST} port={DATABASE} user=root dbname=postgres sslmode={tls} {words}")
            again.unlink(missing_ok=True)
            result[tls, "copy"] = outcome(way, *psql, "-c", "set client_min_messages = warning", "-c", "drop table if exists t", "-c", "create table t (n int, x text)",
                                          "-c", f"\\copy t from {text}", "-c", "select count(*), md5(string_agg(x, '' order by n)) from t",
                                          "-c", f"\\copy (select * from t order by n) to {again}"), digest(again)
            result[tls, "tls"] = outcome(way, *psql, "-c", "select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            result[tls, "wrong"] = outcome(way, *psql, "-c", "select 1 / 0")
            result[tls, "too long"] = outcome(way, *psql, "-c", "set statement_timeout = 50", "-c", "select pg_sleep(60)")
            with asleep(way, psql) as client:
                client.signal(signal.SIGINT)
                result[tls, "cancelled"] = client.wait(), client.lines
            with asleep(way, psql) as client:
                run(way.client(*psql, "-c", "select pg_terminate_backend(pid) from pg_stat_activity where query like '%tired%'"
                                            " and pid <> pg_backend_pid()"))
                result[tls, "terminated"] = client.wait(), client.lines[:1]
        bench = ("pgbench", "-h", HOST, "-p", DATABASE, "-U", "root")
        result["filled"] = run(way.client(*bench, "-i", "-q", "postgres")).returncode
        done = run(way.client(*bench, "-C", "-c", "8", "-j", "2", "-t", "10", "postgres"), limit=60)
        result["bench"] = re.findall(r"processed: .*|failed transactions: \S+", done.stdout)
        code, _, said = outcome(way, "psql", "-X", f"host={HOST} port={REFUSING} user=root dbname=postgres", "-c", "select 1")
        result["refused"] = code, said
        return result

    result = same_each_way(env, 6, (DATABASE,), work, MIB // 2)
    assert result["disable", "copy"] == result["verify-full", "copy"] and result["disable", "copy"][1] == digest(text)
    assert (result["disable", "tls"][1], result["verify-full", "tls"][1]) == ("f\n", "t\n")
    assert any("canceling statement due to user request" in line for line in result["disable", "cancelled"][1]), result["disable", "cancelled"]
    assert result["bench"] == ["processed: 80/80", "failed transactions: 0"], result["bench"]
    assert result["refused"][0] == 2 and "Connection refused" in result["refused"][1]


@alone
@long
@braid_only
@limit(240)
def test_a_browser(env):
    """A page of 100 objects, by several connections that are kept."""
    expected = write_page(env.directory / "www")
    write_site(env.directory)

    def work(way):
        serve_site(env, way)
        browser = Process(way.client(*BROWSER, f"--user-data-dir={env.directory}/profile-{way.name}", "--dump-dom",
                                     f"http://{net.join(way.address, WEB)}/"),
                          "chromium", env={"HOME": str(env.directory), "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
        try:
            return {"status": browser.wait(60), "page": [line for line in browser.lines if "<body>" in line]}
        finally:
            browser.kill()

    result = same_each_way(env, 4, (WEB, SECURE), work, MIB // 16)
    assert result["status"] == 0 and expected in result["page"][0]
