/* Documents of a known snapshot: JSON's members, the tables, and metrics that promtool accepts. */
#include <ctype.h>
#include <braid/version.h>
#include "render_harness.h"

static void setup(void)
{
    begin_view(3);
    view.uptime_s = 90061;
    view.started_s = 1700000000;
    view.log_lost = 17;
    view.refused = 18;
    job->now = 65 * BRAID_SECOND;
    job->conns[2]->told.server.port = 0; /* not known */
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

START_TEST(status_in_json_adds_up_the_workers)
{
    render_status_json(&doc, &view);
    python(
        "assert d[\"version\"] == \"" BRAID_VERSION "\" and d[\"uptime_s\"] == 90061\n"
        "assert d[\"log_lines_lost\"] == 17 and d[\"system_calls_refused\"] == 18\n"
        "assert d[\"total\"] == dict(connections=6, mptcp_connections=4, subflows=10, time_wait=2,\n"
        "  connections_total=200, bytes_from_clients=2000, bytes_to_clients=4000, memory=8192,\n"
        "  memory_limit=2 << 20), d[\"total\"]\n"
        "web, six = d[\"edges\"][:2]\n"
        "assert web[\"name\"] == \"web\" and web[\"listen\"] == \"10.99.9.1:8080\"\n"
        "assert web[\"target\"] == \"10.99.3.2:80\" and web[\"signal\"] == [\"10.99.9.2\"]\n"
        "assert (web[\"connections\"], web[\"subflows\"], web[\"memory\"], web[\"open\"]) == (4, 6, 4096, "
        "4)\n"
        "assert web[\"bytes_to_server\"] == 20 and web[\"refused\"] == 4\n"
        "assert six[\"target\"] == \"[2001:db8::2]:443\" and six[\"checksum\"] is True\n"
        "assert six[\"scheduler\"] == \"roundrobin\" and six[\"congestion\"] == \"lia\"\n"
        "assert [w[\"worker\"] for w in d[\"workers\"]] == [0, 1]\n"
        "assert d[\"workers\"][1][\"connections\"] == 3 and d[\"workers\"][1][\"tun_packets_out\"] == 6\n");
}
END_TEST

START_TEST(a_transparent_edge_is_shown_as_such)
{
    struct edge_params *e = &conf.edges[1];
    e->kind = EDGE_TRANSPARENT;
    e->client_source = true;
    free(e->pool.targets[0].host);
    e->pool.n = 0;
    e->port_first = 80;
    e->port_last = 443;
    render_status_json(&doc, &view);
    python("web, any = d[\"edges\"][:2]\n"
           "assert web[\"mode\"] == \"explicit\" and web[\"source\"] == \"proxy\"\n"
           "assert any[\"mode\"] == \"transparent\" and any[\"source\"] == \"client\"\n"
           "assert any[\"listen\"] == \"any:80-443\" and any[\"target\"] == \"any\"\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    e->port_last = 80;
    render_status_text(&doc, &view);
    contains(written(),
             "\nedge six: transparent, any:80 -> any from the client's address, bulk: roundrobin, lia, "
             "checksums\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    e->client_source = false;
    e->port_first = 1;
    e->port_last = 65535;
    render_status_text(&doc, &view);
    contains(written(), "\nedge six: transparent, any -> any, bulk: roundrobin, lia, checksums\n");
}
END_TEST

START_TEST(counters_in_json_have_the_names_of_nstat)
{
    render_counters_json(&doc, &view);
    python(
        "assert d[\"TcpActiveOpens\"] == 3 and d[\"TcpPassiveOpens\"] == 6\n"
        "assert \"MPTcpExtMPJoinAckRx\" in d and \"TcpExtTCPLossProbes\" in d and d[\"tun_bytes_in\"] == 10\n"
        "assert all(isinstance(v, int) for v in d.values())\n");
}
END_TEST

/* Writes a list of so many pages, each with the connections of the job. */
static void show_list(render_fn *render, unsigned pages)
{
    const struct snapshot_job none = {.worker = 1};
    struct render_list list = {.count = 0};
    view.list = &list;
    for (unsigned i = 0; i < pages; i++)
        render(&doc, &view);
    view.job = &none;
    list.complete = true;
    render(&doc, &view);
    view.job = job;
}

START_TEST(a_connection_in_json_has_all_members)
{
    render_conn_json(&doc, &view);
    python(
        "assert d[\"id\"] == 1 * 2 + 1 and d[\"worker\"] == 1 and d[\"edge\"] == \"web\"\n"
        "assert d[\"mptcp\"] is True and d[\"state\"] == \"ESTABLISHED\" and d[\"token\"] == \"00c0ffee\"\n"
        "assert d[\"client\"] == \"192.0.2.7:40000\" and d[\"server\"] == \"10.99.3.2:80\"\n"
        "assert d[\"bytes_from_client\"] == 1000 and d[\"bytes_to_client\"] == 5000000000\n"
        "assert d[\"age_us\"] == 63000000\n"
        "a, b = d[\"subflows\"]\n"
        "assert (a[\"id\"], a[\"local\"], a[\"remote\"]) == (0, \"10.99.9.1:8080\", "
        "\"[2001:db8::7]:40001\")\n"
        "assert a[\"state\"] == \"ESTABLISHED\" and a[\"backup\"] is False and b[\"backup\"] is True\n"
        "assert (a[\"srtt_us\"], a[\"cwnd\"], a[\"bytes_in\"], a[\"bytes_out\"]) == (21000, 14600, 31, 32)\n"
        "assert (a[\"retransmits\"], a[\"mss\"]) == (33, 1460)\n"
        "assert a[\"ssthresh\"] is None and b[\"ssthresh\"] == 29200\n");
}
END_TEST

START_TEST(a_list_in_json_is_one_document_of_many_pages)
{
    show_list(render_list_json, 2);
    python("c = d[\"connections\"]\n"
           "assert len(c) == d[\"count\"] == 6 and [x[\"id\"] for x in c] == [3, 5, 7] * 2\n"
           "assert [x[\"mptcp\"] for x in c[:3]] == [True, True, False] and c[1][\"server\"] is None\n"
           "assert c[2][\"fell_back\"] is True and c[2][\"token\"] == \"00c0ffee\"\n");
}
END_TEST

START_TEST(an_empty_list_in_json_is_a_document)
{
    show_list(render_list_json, 0);
    ck_assert_str_eq(written(), "{\"connections\":[],\"next_after\":null,\"count\":0}\n");
}
END_TEST

START_TEST(plain_tcp_has_no_token)
{
    job->conns[0]->stats.mptcp = job->conns[0]->stats.fell_back = false;
    render_conn_json(&doc, &view);
    python("assert d[\"token\"] is None and d[\"mptcp\"] is False\n");
}
END_TEST

START_TEST(a_connection_shows_how_far_its_handshake_is)
{
    static const struct {
        enum braid_conn_state state;
        const char *name;
    } cases[] = {{BRAID_CONN_PENDING, "CONNECTING_SERVER"},
                 {BRAID_CONN_SYN_SENT, "SYN_SENT"},
                 {BRAID_CONN_SYN_RECEIVED, "SYN_RECEIVED"}};
    char expected[64];
    job->conns[0]->stats.state = cases[_i].state;
    render_conn_text(&doc, &view);
    snprintf(expected, sizeof(expected), "connection 3 of edge web, worker 1: mptcp, %s\n", cases[_i].name);
    contains(written(), expected);
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_conn_json(&doc, &view);
    snprintf(expected, sizeof(expected), "\"state\":\"%s\"", cases[_i].name);
    contains(written(), expected);
}
END_TEST

START_TEST(the_status_table_tells_the_same)
{
    render_status_text(&doc, &view);
    const char *text = written();
    contains(text, "Braid " BRAID_VERSION ", up 1 d 01:01:01, 2 workers\n");
    contains(text, "\nall                  6        4       10        200      1.9 KiB      3.9 KiB  8.0 KiB "
                   "of 2.0 MiB\n");
    contains(text, "\nworker 1             3        2        5        100       1000 B      1.9 KiB  4.0 KiB "
                   "of 1.0 MiB\n");
    contains(text, "\nedge web: 10.99.9.1:8080 -> 10.99.3.2:80, bulk: minrtt, hybrid\n");
    contains(text, "\nedge six: [2001:db8::1]:443 -> [2001:db8::2]:443, bulk: roundrobin, lia, checksums\n");
    contains(text, "\n  4 connections (2 MPTCP, 0 waiting for the server), 6 subflows, 4.0 KiB of buffers\n");
    contains(text, " refused 4 ");
}
END_TEST

/* One worker is enough to say so. */
START_TEST(what_is_drained_is_shown_as_such)
{
    workers[1]->edges[1].drained = 1;
    render_status_text(&doc, &view);
    contains(written(),
             "\nedge six: [2001:db8::1]:443 -> [2001:db8::2]:443, bulk: roundrobin, lia, checksums, "
             "drained\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_metrics(&doc, &view);
    contains(written(), "\nbraid_edge_drained{edge=\"web\"} 0\nbraid_edge_drained{edge=\"six\"} 1\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_drain_text(&doc, &view);
    ck_assert_str_eq(written(), "edge six: drained, 2 connections\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    view.section = "web";
    render_drain_json(&doc, &view);
    python("assert d == dict(edges=[dict(name=\"web\", drained=False, connections=4)], cpes=[]), d\n");
    view.section = NULL;
}
END_TEST

START_TEST(the_tables_of_connections_tell_the_same)
{
    show_list(render_list_text, 1);
    const char *text = written();
    contains(text, "ID       EDGE         KIND     STATE        CLIENT ");
    contains(text, "\n3        web          mptcp    ESTABLISHED  192.0.2.7:40000            10.99.3.2:80  ");
    contains(text, "\n7        web          fallback ESTABLISHED  192.0.2.7:40000            -  ");
    contains(text, " 2       1000 B      4.6 GiB\n");
    contains(text, "\n3 connections\n");
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    render_conn_text(&doc, &view);
    text = written();
    contains(text, "connection 3 of edge web, worker 1: mptcp, ESTABLISHED\n");
    contains(text, "192.0.2.7:40000 -> 10.99.9.1:8080 -> 10.99.3.2:80, open for 00:01:03\n");
    contains(text, "token 00c0ffee, scheduler minrtt, congestion cubic, path manager signal\n");
    contains(text, "\nsubflow 1: 10.99.9.1:8080 <- [2001:db8::7]:40001, ESTABLISHED, backup\n");
    contains(text, "rtt 21000 us (var 22, min 23), rto 200000 us\n");
    contains(text, "cubic: cwnd 14.2 KiB, ssthresh none, in flight 1.4 KiB, pacing 34 B/s\n");
}
END_TEST

START_TEST(the_counters_table_lists_every_counter)
{
    render_counters_text(&doc, &view);
    const char *text = written();
    for (unsigned i = 0; i < COUNT_MAX; i++) {
        char line[256];
        snprintf(line, sizeof(line), "%-34s %14u  %s\n", braid_counter_name(i), 3 * (i + 1),
                 braid_counter_help(i));
        contains(text, line);
    }
    contains(text, "tun_packets_in ");
}
END_TEST

/* The manual page's section has the name of every member of the document, at any depth. */
static void members(const char *section)
{
    char program[1024];
    snprintf(program, sizeof(program),
             "def names(x):\n"
             "    kids = x.values() if isinstance(x, dict) else x if isinstance(x, list) else []\n"
             "    return set(x if isinstance(x, dict) else []).union(*map(names, kids))\n"
             "text = open(\"docs/man/braidctl.8\").read().split(\".Ss %s\\n\")[1].split(\"\\n.Ss \")[0]\n"
             "lines = [l for l in text.splitlines() if l.startswith((\".Cm\", \".It Cm\"))]\n"
             "missing = names(d) - set(\" \".join(lines).split())\n"
             "assert not missing, missing\n",
             section);
    python(program);
}

START_TEST(the_manual_tells_every_member_of_a_connection)
{
    job->conns[0]->stats.n_subflows = 0;
    render_conn_json(&doc, &view);
    members("A connection");
}
END_TEST

START_TEST(the_manual_tells_every_member_of_a_subflow)
{
    render_conn_json(&doc, &view);
    char *text = strdup(written());
    char *first = strstr(text, "\"subflows\":[") + strlen("\"subflows\":[");
    *(strchr(first, '}') + 1) = '\0';
    evbuffer_drain(doc.buf, evbuffer_get_length(doc.buf));
    doc_puts(&doc, first);
    free(text);
    members("A subflow");
}
END_TEST

START_TEST(the_manual_tells_every_member_of_the_status)
{
    render_status_json(&doc, &view);
    members("The status");
}
END_TEST

/* ---- bypassed servers ---- */

static size_t bypassed(struct bypass_entry out[4])
{
    struct bypass_entry entries[] = {
        {1, fake_addr("[2001:db8::2]:443"), 5 * BRAID_SECOND, 7},
        {0, fake_addr("10.99.3.2:81"), 1, 0},
        {0, fake_addr("10.99.3.2:80"), 9 * BRAID_SECOND, 100},
        {0, fake_addr("10.99.3.2:80"), 9 * BRAID_SECOND + 1, 11},
    };
    memcpy(out, entries, sizeof(entries));
    return render_bypass_merge(out, 4);
}

START_TEST(a_server_that_several_workers_know_is_listed_once)
{
    struct bypass_entry e[4];
    ck_assert_uint_eq(bypassed(e), 3);
    ck_assert_uint_eq(e[0].addr.port, 80);
    ck_assert_uint_eq(e[0].passed, 111);
    ck_assert_int_eq(e[0].left, 9 * BRAID_SECOND + 1);
    ck_assert_uint_eq(e[1].addr.port, 81);
    ck_assert_uint_eq(e[2].edge, 1);
    ck_assert_uint_eq(render_bypass_merge(NULL, 0), 0);
}
END_TEST

START_TEST(bypassed_servers_in_json)
{
    struct bypass_entry e[4];
    view.n_rows = bypassed(e);
    view.rows = e;
    view.cleared = false;
    render_bypass_json(&doc, &view);
    ck_assert_str_eq(
        written(), "{\"bypass\":[{\"server\":\"10.99.3.2:80\",\"edge\":\"web\",\"left_s\":10,\"passed\":111},"
                   "{\"server\":\"10.99.3.2:81\",\"edge\":\"web\",\"left_s\":1,\"passed\":0},"
                   "{\"server\":\"[2001:db8::2]:443\",\"edge\":\"six\",\"left_s\":5,\"passed\":7}],"
                   "\"count\":3,\"cleared\":false}\n");
}
END_TEST

START_TEST(the_table_of_bypassed_servers_tells_the_same)
{
    struct bypass_entry e[4];
    view.n_rows = bypassed(e);
    view.rows = e;
    view.cleared = true;
    render_bypass_text(&doc, &view);
    const char *text = written();
    contains(text, "\n10.99.3.2:80 ");
    contains(text, " web                10          111\n");
    contains(text, " six                 5            7\n");
    contains(text, "\n3 servers, now forgotten\n");
}
END_TEST

START_TEST(the_manual_tells_every_member_of_a_bypassed_server)
{
    struct bypass_entry e[4];
    view.n_rows = bypassed(e);
    view.rows = e;
    view.cleared = false;
    render_bypass_json(&doc, &view);
    members("A bypassed server");
}
END_TEST

/* ---- what was learned ---- */

/* Shows, of six that three workers have, the five that are left. */
static void learned(struct learned_entry out[6])
{
    const struct learned_entry entries[] = {
        {LEARNED_SILENT, 1, fake_addr("[2001:db8::2]:443"), 1, true, 5 * BRAID_SECOND},
        {LEARNED_DROPPED, 0, fake_addr("[2001:db8:1::]:0"), 1, false, 9 * BRAID_SECOND},
        {LEARNED_DROPPED, 0, fake_addr("[2001:db8:1::]:0"), 2, true, 9 * BRAID_SECOND + 1},
        {LEARNED_STRIPPED, 1, fake_addr("198.51.100.0:0"), 4, true, 1},
        {LEARNED_EATEN, 0, fake_addr("198.51.100.0:0"), 3, false, BRAID_SECOND},
        {LEARNED_STRAIGHT, LEARNED_NO_UPLINK, fake_addr("198.51.100.7:80"), 1, true, 2 * BRAID_SECOND},
    };
    memcpy(out, entries, sizeof(entries));
    view.n_rows = render_learned_merge(out, 6);
    view.rows = out;
    ck_assert_uint_eq(render_learned_merge(NULL, 0), 0);
}

START_TEST(what_was_learned_in_json)
{
    struct learned_entry e[6];
    learned(e);
    view.cleared = false;
    render_learned_json(&doc, &view);
    ck_assert_str_eq(written(),
                     "{\"learned\":[{\"uplink\":\"dsl\",\"kind\":\"dropped\",\"destination\":"
                     "\"2001:db8:1::/48\",\"times\":2,\"believed\":true,\"left_s\":10},"
                     "{\"uplink\":\"dsl\",\"kind\":\"eaten\",\"destination\":\"198.51.100.0/24\","
                     "\"times\":3,\"believed\":false,\"left_s\":1},"
                     "{\"uplink\":\"lte\",\"kind\":\"stripped\",\"destination\":\"198.51.100.0/24\","
                     "\"times\":4,\"believed\":true,\"left_s\":1},"
                     "{\"uplink\":\"lte\",\"kind\":\"silent\",\"destination\":\"[2001:db8::2]:443\","
                     "\"times\":1,\"believed\":true,\"left_s\":5},"
                     "{\"uplink\":null,\"kind\":\"straight\",\"destination\":\"198.51.100.7:80\","
                     "\"times\":1,\"believed\":true,\"left_s\":2}],\"count\":5,\"cleared\":false}\n");
    ck_assert_uint_eq(view.n_rows, 5);
}
END_TEST

START_TEST(the_table_of_what_was_learned_tells_the_same)
{
    struct learned_entry e[6];
    learned(e);
    view.cleared = true;
    render_learned_text(&doc, &view);
    const char *text = written();
    contains(text, "\ndsl          dropped   2001:db8:1::/48 ");
    contains(text, "      2 yes            10\n");
    contains(text, "\nlte          silent    [2001:db8::2]:443 ");
    contains(text, "      3 no              1\n");
    contains(text, "\n-            straight  198.51.100.7:80 ");
    contains(text, "\n5 things learned, now forgotten\n");
}
END_TEST

START_TEST(the_manual_tells_every_member_of_what_was_learned)
{
    struct learned_entry e[6];
    learned(e);
    view.cleared = false;
    render_learned_json(&doc, &view);
    members("What was learned");
}
END_TEST

/* ---- metrics ---- */

START_TEST(names_of_metrics_are_made_of_nstats)
{
    static const char *const names[][2] = {
        {"TcpActiveOpens", "tcp_active_opens"},
        {"TcpExtTCPLossProbes", "tcp_loss_probes"},
        {"TcpExtTCPSpuriousRTOs", "tcp_spurious_rtos"},
        {"TcpExtDelayedACKs", "tcp_delayed_acks"},
        {"TcpExtTW", "tcp_tw"},
        {"MPTcpExtMPJoinSynAckHMacFailure", "mptcp_mp_join_syn_ack_hmac_failure"},
        {"MPTcpExtMPCapableSYNRX", "mptcp_mp_capable_synrx"},
        {"MPTcpExtMPTCPRetrans", "mptcp_retrans"},
        {"MPTcpExtAddAddr", "mptcp_add_addr"},
        {"IcmpInMsgs", "icmp_in_msgs"},
        {"BraidMemoryRefused", "memory_refused"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_str_eq(render_metric_name(names[i][0], out, sizeof(out)), names[i][1]);
    char tiny[8];
    ck_assert_uint_lt(strlen(render_metric_name("TcpExtTCPLossProbes", tiny, sizeof(tiny))), sizeof(tiny));
}
END_TEST

START_TEST(no_two_counters_share_a_metric)
{
    char a[64], b[64];
    for (unsigned i = 0; i < COUNT_MAX; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(render_metric_name(braid_counter_name(i), a, sizeof(a)),
                             render_metric_name(braid_counter_name(k), b, sizeof(b)));
}
END_TEST

START_TEST(metrics_have_help_type_and_bounded_labels)
{
    for (unsigned w = 0; w < 2; w++) {
        struct durations *t = &workers[w]->edges[1].counters.times[EDGE_CONNECT];
        durations_take(t, 2 * BRAID_MS);
        durations_take(t, 100000 * BRAID_SECOND);
    }
    render_metrics(&doc, &view);
    const char *text = written();
    contains(text,
             "# HELP braid_build_info The version of the daemon, as a label.\n# TYPE braid_build_info gauge\n"
             "braid_build_info{version=\"" BRAID_VERSION "\"} 1\n");
    contains(text, "# TYPE braid_tcp_active_opens_total counter\nbraid_tcp_active_opens_total 3\n");
    contains(text, "# TYPE braid_edge_connections gauge\nbraid_edge_connections{edge=\"web\"} 4\n"
                   "braid_edge_connections{edge=\"six\"} 2\n");
    contains(text, "\nbraid_edge_refused_total{edge=\"six\"} 24\n");
    contains(text, "# TYPE braid_edge_connect_seconds histogram\n");
    contains(text, "\nbraid_edge_connect_seconds_bucket{edge=\"six\",le=\"0.001\"} 0\n"
                   "braid_edge_connect_seconds_bucket{edge=\"six\",le=\"0.003\"} 2\n");
    contains(text, "\nbraid_edge_connect_seconds_bucket{edge=\"six\",le=\"86400\"} 2\n"
                   "braid_edge_connect_seconds_bucket{edge=\"six\",le=\"+Inf\"} 4\n"
                   "braid_edge_connect_seconds_sum{edge=\"six\"} 200000.004000\n"
                   "braid_edge_connect_seconds_count{edge=\"six\"} 4\n");
    contains(text, "\nbraid_edge_first_byte_seconds_count{edge=\"web\"} 0\n");
    contains(text, "\nbraid_edge_connection_seconds_count{edge=\"web\"} 0\n");
    contains(text, "\nbraid_worker_buffer_bytes{worker=\"1\"} 4096\n");
    contains(text, "\nbraid_worker_tun_packets_in_total{worker=\"0\"} 4\n");
    contains(text, "\nbraid_start_time_seconds 1700000000\n");
    contains(text, "\nbraid_log_lines_lost_total 17\n");
    contains(text, "\nbraid_system_calls_refused_total 18\n");
    for (const char *s = text; (s = strchr(s, '{')) != NULL; s++)
        ck_assert(strncmp(s, "{edge=", 6) == 0 || strncmp(s, "{worker=", 8) == 0 ||
                  strncmp(s, "{version=", 9) == 0 || strncmp(s, "{path=", 6) == 0);
}
END_TEST

START_TEST(promtool_accepts_the_metrics)
{
    if (system("command -v promtool >/dev/null") != 0) {
        puts("promtool is not installed: the metrics were not given to it");
        return;
    }
    render_metrics(&doc, &view);
    FILE *p = popen("promtool check metrics >&2", "w");
    ck_assert_ptr_nonnull(p);
    fputs(written(), p);
    ck_assert_int_eq(pclose(p), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("render");
    TCase *t = tcase_create("render");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_transparent_edge_is_shown_as_such);
    tcase_add_test(t, status_in_json_adds_up_the_workers);
    tcase_add_test(t, counters_in_json_have_the_names_of_nstat);
    tcase_add_test(t, a_connection_in_json_has_all_members);
    tcase_add_test(t, a_list_in_json_is_one_document_of_many_pages);
    tcase_add_test(t, an_empty_list_in_json_is_a_document);
    tcase_add_test(t, plain_tcp_has_no_token);
    tcase_add_loop_test(t, a_connection_shows_how_far_its_handshake_is, 0, 3);
    tcase_add_test(t, the_status_table_tells_the_same);
    tcase_add_test(t, what_is_drained_is_shown_as_such);
    tcase_add_test(t, the_tables_of_connections_tell_the_same);
    tcase_add_test(t, the_counters_table_lists_every_counter);
    tcase_add_test(t, the_manual_tells_every_member_of_a_connection);
    tcase_add_test(t, the_manual_tells_every_member_of_a_subflow);
    tcase_add_test(t, the_manual_tells_every_member_of_the_status);
    tcase_add_test(t, a_server_that_several_workers_know_is_listed_once);
    tcase_add_test(t, bypassed_servers_in_json);
    tcase_add_test(t, the_table_of_bypassed_servers_tells_the_same);
    tcase_add_test(t, the_manual_tells_every_member_of_a_bypassed_server);
    tcase_add_test(t, what_was_learned_in_json);
    tcase_add_test(t, the_table_of_what_was_learned_tells_the_same);
    tcase_add_test(t, the_manual_tells_every_member_of_what_was_learned);
    tcase_add_test(t, names_of_metrics_are_made_of_nstats);
    tcase_add_test(t, no_two_counters_share_a_metric);
    tcase_add_test(t, metrics_have_help_type_and_bounded_labels);
    tcase_add_test(t, promtool_accepts_the_metrics);
    suite_add_tcase(s, t);
    return run_suite(s);
}
