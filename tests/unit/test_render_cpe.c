/* Documents of a machine with a CPE: its part of the status and of the metrics, and both sides of a
 * connection. */
#include "render_harness.h"

static const char ini[] = "[uplink dsl]\ninterface = ppp0\n"
                          "[cpe lan]\nmode = explicit\npeer = 198.51.100.1:5124, [2001:db8::1]:81\n"
                          "ports = 80-443\nplain = refuse\nprofiles = 443:interactive\n"
                          "[cpe ssh]\nports = 22\n";

static void setup(void)
{
    char err[CONF_ERROR_MAX];
    ck_assert_msg(conf_parse("f.ini", ini, strlen(ini), &conf, err, sizeof(err)) == 0, "%s", err);
    doc = (struct doc){.buf = evbuffer_new()};
    for (unsigned w = 0; w < 2; w++) {
        workers[w] = snapshot_worker_new(&conf);
        struct snapshot_cpe *c = &workers[w]->cpes[0];
        *c = (struct snapshot_cpe){.conns = 2 + w, .conns_mptcp = 1, .subflows = 3, .memory = 2048};
        c->counters.connecting = w;
        c->counters.open = 2;
        for (unsigned i = 0; i < CPE_COUNTER_MAX; i++)
            c->counters.v[i] = 10 * i + w;
    }
    view = (struct snapshot_view){.conf = &conf, .n_workers = 2, .workers = workers};
    job = calloc(1, sizeof(*job));
    job->worker = 1;
    view.job = job;
    for (unsigned i = 0; i < 2; i++) {
        fake_add_conn(job, i, 1);
        job->conns[i]->stats.listener = i ? NULL : "lan";
        job->conns[i]->told = (struct relayed){.cpe = "lan",
                                               .wan = i,
                                               .client = fake_addr("192.168.77.2:40000"),
                                               .meant = fake_addr("203.0.113.1:443"),
                                               .server = fake_addr("198.51.100.1:5124"),
                                               .other = 2 - i};
    }
}

/* Runs a Python program over the document, which is d in it. */
static void python(const char *program)
{
    char command[4096];
    snprintf(command, sizeof(command), "python3 -c 'import json, sys\nd = json.load(sys.stdin)\n%s'",
             program);
    FILE *p = popen(command, "w");
    ck_assert_ptr_nonnull(p);
    fputs(written(), p);
    ck_assert_int_eq(pclose(p), 0);
}

START_TEST(status_in_json_has_the_cpes)
{
    render_status_json(&doc, &view);
    python(
        "lan, ssh = d[\"cpes\"]\n"
        "assert lan[\"name\"] == \"lan\" and lan[\"mode\"] == \"explicit\" and lan[\"ports\"] == \"80-443\"\n"
        "assert lan[\"peers\"] == [\"198.51.100.1:5124\", \"[2001:db8::1]:81\"]\n"
        "assert lan[\"plain\"] == \"refuse\" and lan[\"path_manager\"] == \"fullmesh\"\n"
        "assert lan[\"profiles\"] == [dict(first=443, last=443, profile=\"interactive\")]\n"
        "assert (lan[\"connections\"], lan[\"mptcp_connections\"], lan[\"subflows\"]) == (5, 2, 6)\n"
        "assert (lan[\"memory\"], lan[\"connecting\"], lan[\"open\"]) == (4096, 1, 4)\n"
        "assert lan[\"incoming\"] == 1 and lan[\"accepted\"] == 21 and lan[\"without_mptcp\"] == 41\n"
        "assert ssh[\"mode\"] == \"transparent\" and ssh[\"ports\"] == \"22\" and ssh[\"peers\"] == []\n"
        "assert ssh[\"plain\"] == \"fallback\"\n");
}
END_TEST

START_TEST(the_manual_tells_every_member_of_the_status)
{
    render_status_json(&doc, &view);
    python(
        "def names(x):\n"
        "    kids = x.values() if isinstance(x, dict) else x if isinstance(x, list) else []\n"
        "    return set(x if isinstance(x, dict) else []).union(*map(names, kids))\n"
        "text = open(\"docs/man/braidctl.8\").read().split(\".It Cm cpes\\n\")[1].split(\".El\")[0]\n"
        "lines = [l for l in text.splitlines() if l.startswith(\".Cm\")]\n"
        "missing = names(d[\"cpes\"]) - set(\" \".join(lines).split()) - {\"first\", \"last\", \"profile\"}\n"
        "assert not missing, missing\n");
}
END_TEST

START_TEST(status_as_text_has_the_cpes)
{
    render_status_text(&doc, &view);
    contains(written(),
             "\ncpe lan: explicit -> 198.51.100.1:5124, [2001:db8::1]:81, ports 80-443, bulk: minrtt, "
             "hybrid, fullmesh, MPTCP only\n  ports 443: interactive\n"
             "  5 connections (2 MPTCP, 1 waiting for the far side), 6 subflows, 4.0 KiB of buffers\n");
    contains(written(), " incoming 1 accepted 21 without_mptcp 41 ");
    contains(written(), "\ncpe ssh: transparent, ports 22, bulk: minrtt, hybrid, fullmesh\n");
}
END_TEST

START_TEST(the_metrics_have_the_cpes)
{
    for (unsigned w = 0; w < 2; w++)
        durations_take(&workers[w]->cpes[0].counters.times[CPE_CONNECT], 2 * BRAID_MS);
    render_metrics(&doc, &view);
    contains(written(), "\nbraid_cpe_connections{cpe=\"lan\"} 5\nbraid_cpe_connections{cpe=\"ssh\"} 0\n");
    contains(written(),
             "\n# TYPE braid_cpe_accepted_total counter\nbraid_cpe_accepted_total{cpe=\"lan\"} 21\n");
    contains(written(), "\n# TYPE braid_cpe_connect_seconds histogram\n");
    contains(written(), "\nbraid_cpe_connect_seconds_bucket{cpe=\"lan\",le=\"0.001\"} 0\n"
                        "braid_cpe_connect_seconds_bucket{cpe=\"lan\",le=\"0.003\"} 2\n");
    contains(written(), "\nbraid_cpe_connect_seconds_sum{cpe=\"lan\"} 0.004000\n"
                        "braid_cpe_connect_seconds_count{cpe=\"lan\"} 2\n");
    contains(written(), "\nbraid_cpe_first_byte_seconds_count{cpe=\"ssh\"} 0\n");
    contains(written(), "\nbraid_cpe_connection_seconds_count{cpe=\"lan\"} 0\n");
}
END_TEST

START_TEST(each_side_of_a_connection_is_shown_from_the_devices_point_of_view)
{
    render_conn_json(&doc, &view);
    python("assert d[\"edge\"] is None and d[\"cpe\"] == \"lan\" and d[\"side\"] == \"lan\"\n"
           "assert d[\"joined_with\"] == 2 * 2 + 1\n"
           "assert d[\"client\"] == \"192.168.77.2:40000\" and d[\"service\"] == \"203.0.113.1:443\"\n"
           "assert d[\"server\"] == \"198.51.100.1:5124\"\n"
           "assert d[\"bytes_from_client\"] == 1000 and d[\"bytes_to_client\"] == 5000000000\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    struct snapshot_conn *lan = job->conns[0];
    job->conns[0] = job->conns[1];
    render_conn_json(&doc, &view);
    python("assert d[\"cpe\"] == \"lan\" and d[\"side\"] == \"wan\" and d[\"joined_with\"] == 1 * 2 + 1\n"
           "assert d[\"client\"] == \"192.168.77.2:40000\" and d[\"service\"] == \"203.0.113.1:443\"\n"
           "assert d[\"bytes_from_client\"] == 5000000001 and d[\"bytes_to_client\"] == 1001\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_conn_text(&doc, &view);
    contains(written(), "of cpe lan, over the uplinks, worker 1: ");
    contains(written(), "\n  joined with connection 3\n  192.168.77.2:40000 -> 203.0.113.1:443 -> "
                        "198.51.100.1:5124, ");
    job->conns[0] = lan;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("render_cpe");
    TCase *t = tcase_create("render_cpe");
    tcase_set_timeout(t, 30); /* Python takes its time on a busy machine */
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, status_in_json_has_the_cpes);
    tcase_add_test(t, the_manual_tells_every_member_of_the_status);
    tcase_add_test(t, status_as_text_has_the_cpes);
    tcase_add_test(t, the_metrics_have_the_cpes);
    tcase_add_test(t, each_side_of_a_connection_is_shown_from_the_devices_point_of_view);
    suite_add_tcase(s, t);
    return run_suite(s);
}
