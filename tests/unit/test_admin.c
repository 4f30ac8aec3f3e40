/* The admin surface asking real workers with real cores. A seqpacket socket stands for each worker's TUN;
 * clients are SYNs written into it, whose connections then wait for the third ACK. */
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <event2/event.h>
#include "admin/admin.h"
#include "admin_client.h"
#include "base/addr.h"
#include "io/tun_queue.h"
#include "io/worker.h"
#include "role/edge.h"
#include "role/node.h"
#include "wire/packet.h"
#include "suite.h"

#define WORKERS 2
#define CLIENTS 150 /* per worker: more than a page */

static struct event_base *base;
static struct conf conf;
static struct worker *workers[WORKERS];
static int tun[WORKERS][2]; /* the worker's end, and ours */
static int server;          /* listens, and lets connections wait */
static struct braid_addr target;
static struct admin *admin;
static char dir[64], server_text[ADDR_TEXT];

static void listen_server(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    server = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&sin, sizeof(sin)), 0);
    ck_assert_int_eq(listen(server, 2 * WORKERS * CLIENTS), 0);
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&sin, &len), 0);
    snprintf(server_text, sizeof(server_text), "127.0.0.1:%u", ntohs(sin.sin_port));
    ck_assert_int_eq(addr_parse(server_text, &target), 0);
}

static void read_conf(void)
{
    char text[512], err[CONF_ERROR_MAX];
    snprintf(text, sizeof(text),
             "[daemon]\ncontrol = %s/control.sock\n[edge web]\nlisten = 10.99.9.1:8080\ntarget = %s\n", dir,
             server_text);
    ck_assert_msg(conf_parse("f", text, strlen(text), &conf, err, sizeof(err)) == 0, "%s", err);
    conf.admin.listen.port = 0;
    conf.unproven = (struct unproven_limits){.all = CLIENTS, .per_source = CLIENTS};
}

static void start_worker(unsigned i)
{
    struct worker_params params = {.number = i, .n_workers = WORKERS, .cpu = -1};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tun[i]), 0);
    params.tun_fd = tun[i][0];
    braid_core_params_default(&params.core);
    workers[i] = worker_new(&params);
    ck_assert_ptr_nonnull(workers[i]);
    struct targets targets = {.addr = {target}, .n = 1};
    struct node *node = node_new(worker_core(workers[i]), worker_base(workers[i]));
    ck_assert_ptr_nonnull(node);
    ck_assert_ptr_nonnull(edges_new(node, &conf.unproven, conf.edges, &targets, conf.n_edges));
    worker_set_user(workers[i], node);
}

static void setup(void)
{
    char err[CONF_ERROR_MAX];
    signal(SIGPIPE, SIG_IGN);
    strcpy(dir, "/tmp/braid-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    listen_server();
    read_conf();
    base = event_base_new();
    ck_assert_msg(admin_open(&conf, base, &admin, err, sizeof(err)) == 0, "%s", err);
    for (unsigned i = 0; i < WORKERS; i++)
        start_worker(i);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_set_peers(workers[i], workers);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_eq(worker_start(workers[i]), 0);
    ck_assert_int_eq(admin_start(admin, workers, WORKERS, NULL), 0);
}

static void teardown(void)
{
    admin_stop(admin);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_stop(workers[i]);
    for (unsigned i = 0; i < WORKERS; i++) {
        node_free(worker_user(workers[i]));
        worker_free(workers[i]);
        close(tun[i][0]);
        close(tun[i][1]);
    }
    event_base_free(base);
    conf_free(&conf);
    close(server);
    ck_assert_int_eq(rmdir(dir), 0);
}

/* Reads and forgets what a worker sent. */
static void drain(unsigned i)
{
    char packet[2048];
    while (recv(tun[i][1], packet, sizeof(packet), MSG_DONTWAIT) > 0)
        ;
}

static void send_syn(unsigned i, uint16_t port)
{
    struct wire_tcp syn = {
        .seq = 1000u + port, .flags = TCP_SYN, .window = 65535, .has_mss = true, .mss = 1460};
    struct packet_spec spec = {.tcp = &syn, .hop_limit = 64, .dst = conf.edges[0].listen[0]};
    struct packet_header h;
    uint8_t packet[TUN_VNET_BYTES + sizeof(h.bytes)] = {0};
    ck_assert_int_eq(addr_parse("192.0.2.7:1", &spec.src), 0);
    spec.src.port = port;
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    packet_checksum_fill(&h, NULL, 0);
    memcpy(packet + TUN_VNET_BYTES, h.bytes, h.len);
    client_until(base, send(tun[i][1], packet, TUN_VNET_BYTES + h.len, 0) > 0);
    drain(i);
}

static struct reply_text ask(const char *path)
{
    char request[256];
    int fd = client_tcp(admin_port(admin));
    snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
    client_send(fd, request);
    return client_receive(base, fd);
}

static char *get(const char *path)
{
    struct reply_text r = ask(path);
    char *blank = strstr(r.text, "\r\n\r\n");
    ck_assert_msg(strncmp(r.text, "HTTP/1.", 7) == 0 && strncmp(r.text + 8, " 200 ", 5) == 0 && blank, "%s",
                  r.text);
    memmove(r.text, blank + 4, strlen(blank + 4) + 1);
    return r.text;
}

static bool get_has(const char *path, const char *part)
{
    char *text = get(path);
    bool has = strstr(text, part) != NULL;
    free(text);
    return has;
}

/* Whether it is answered with this; it may be too early (503). */
static bool got(const char *path, const char *part)
{
    struct reply_text r = ask(path);
    bool has = strstr(r.text, part) != NULL;
    ck_assert_msg(has || strncmp(r.text + 8, " 503 ", 5) == 0, "%s", r.text);
    free(r.text);
    return has;
}

static void open_clients(void)
{
    char total[64];
    for (unsigned c = 0; c < CLIENTS; c++)
        for (unsigned i = 0; i < WORKERS; i++)
            send_syn(i, (uint16_t)(10000 + c * WORKERS + i));
    snprintf(total, sizeof(total), "\"connecting\":0,\"open\":%d,", WORKERS * CLIENTS);
    client_until(base, get_has("/api/v1/status", total));
}

static void python(const char *text, const char *program)
{
    char command[2048];
    snprintf(command, sizeof(command), "python3 -c 'import json, sys\nd = json.load(sys.stdin)\n%s'",
             program);
    FILE *p = popen(command, "w");
    ck_assert_ptr_nonnull(p);
    fputs(text, p);
    ck_assert_int_eq(pclose(p), 0);
}

START_TEST(connections_of_all_workers_are_listed_once)
{
    char program[1024];
    open_clients();
    char *list = get("/api/v1/connections");
    snprintf(program, sizeof(program),
             "c = d[\"connections\"]\n"
             "assert len(c) == d[\"count\"] == len({x[\"id\"] for x in c}) == len({x[\"client\"] for x in "
             "c}) == %d\n"
             "assert {x[\"server\"] for x in c} == {\"%s\"}, {x[\"server\"] for x in c}\n"
             "assert {x[\"edge\"] for x in c} == {\"web\"} and {x[\"mptcp\"] for x in c} == {False}\n"
             "assert all(x[\"id\"] %% %d == x[\"worker\"] for x in c)\n"
             "assert all(int(x[\"client\"].split(\":\")[1]) %% %d == x[\"worker\"] for x in c)\n"
             "assert all(len(x[\"subflows\"]) == 1 and 0 <= x[\"age_us\"] < 60000000 for x in c)\n",
             WORKERS * CLIENTS, server_text, WORKERS, WORKERS);
    python(list, program);
    char *first = strstr(list, "{\"id\":");
    unsigned id = (unsigned)atoi(first + 6);
    char path[64], member[64];
    snprintf(path, sizeof(path), "/api/v1/connections/%u", id);
    snprintf(member, sizeof(member), "{\"id\":%u,", id);
    ck_assert(get_has(path, member));
    free(list);
}
END_TEST

static char *tell(const char *line)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/control.sock", dir);
    int fd = client_unix(path);
    client_send(fd, line);
    return client_receive(base, fd).text;
}

static void tells(const char *line, const char *part)
{
    char *text = tell(line);
    ck_assert_msg(strstr(text, part) != NULL, "%s: %s", line, text);
    free(text);
}

START_TEST(settings_reach_the_connections_of_every_worker)
{
    send_syn(0, 10000);
    send_syn(1, 10001);
    client_until(base, get_has("/api/v1/status", "\"connecting\":0,\"open\":2,"));
    for (unsigned id = WORKERS; id < 2 * WORKERS; id++) { /* the first of each worker */
        char line[128], answer[128];
        snprintf(line, sizeof(line), "show %u\n", id);
        tells(line, "profile bulk, scheduler minrtt, congestion hybrid, path manager passive\n");
        snprintf(line, sizeof(line), "set %u scheduler roundrobin\n", id);
        snprintf(answer, sizeof(answer),
                 "connection %u: scheduler roundrobin, congestion hybrid, path manager passive\n", id);
        tells(line, answer);
        snprintf(line, sizeof(line), "set %u congestion lia --json\n", id);
        tells(line, "\"scheduler\":\"roundrobin\",\"congestion\":\"lia\",");
        snprintf(line, sizeof(line), "set %u profile auto\n", id);
        tells(line, ": profile auto (bulk), scheduler minrtt, congestion hybrid, path manager passive\n");
        snprintf(line, sizeof(line), "show %u --json\n", id);
        tells(line, "\"profile\":\"auto\",\"profile_now\":\"bulk\",");
    }
    tells("set 1000 profile bulk\n", "error: no connection has this id");
}
END_TEST

START_TEST(status_and_metrics_count_what_the_workers_have)
{
    char program[1024];
    open_clients();
    char *status = get("/api/v1/status");
    snprintf(program, sizeof(program),
             "n = %d\nt = d[\"total\"]\n(e,) = d[\"edges\"]\n"
             "assert t[\"connections\"] == e[\"connections\"] == e[\"accepted\"] == e[\"subflows\"] == n, d\n"
             "assert [w[\"connections\"] for w in d[\"workers\"]] == [n // 2, n // 2]\n"
             "assert all(w[\"tun_packets_in\"] >= n // 2 for w in d[\"workers\"])\n",
             WORKERS * CLIENTS);
    python(status, program);
    free(status);
    ck_assert(get_has("/metrics", "\nbraid_edge_connections{edge=\"web\"} 300\n"));
    ck_assert(get_has("/metrics", "\nbraid_tcp_passive_opens_total "));
    ck_assert(get_has("/api/v1/counters", "\"TcpInSegs\":300,"));
}
END_TEST

START_TEST(the_control_socket_tells_the_same)
{
    open_clients();
    int fd = client_unix(conf.daemon.control);
    client_send(fd, "connections\n");
    struct reply_text r = client_receive(base, fd);
    ck_assert_ptr_nonnull(strstr(r.text, "\n300 connections\n"));
    free(r.text);
}
END_TEST

/* Requests in every stage, some with a walk open in a worker, are ended by admin_stop in teardown. */
START_TEST(stopping_in_the_middle_of_requests_leaves_nothing)
{
    static const char *const paths[] = {"/metrics", "/api/v1/connections"};
    int fds[16];
    open_clients();
    for (unsigned i = 0; i < 16; i++) {
        char request[128];
        fds[i] = client_tcp(admin_port(admin));
        snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", paths[i % 2]);
        client_send(fds[i], request);
        client_spin(base, -1);
    }
    for (unsigned i = 0; i < 16; i++)
        close(fds[i]);
}
END_TEST

/* A client that goes before its list is whole: the walk in the worker has to end, or the core could not. */
START_TEST(clients_that_break_off_lists_leave_nothing)
{
    open_clients();
    for (unsigned i = 0; i < 50; i++) {
        struct linger hard = {.l_onoff = 1};
        int fd = client_tcp(admin_port(admin));
        client_send(fd, "GET /api/v1/connections HTTP/1.0\r\n\r\n");
        for (unsigned k = 0; k < i % 5; k++)
            client_spin(base, fd);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(fd);
    }
    /* Workers that have not come round yet to what was broken off take no further list. */
    client_until(base, got("/api/v1/connections", "\"count\":300}"));
}
END_TEST

START_TEST(a_second_daemon_finds_the_sockets_taken)
{
    char err[CONF_ERROR_MAX];
    struct admin *second;
    ck_assert_int_eq(admin_open(&conf, base, &second, err, sizeof(err)), -1);
    ck_assert_ptr_nonnull(strstr(err, "[daemon] control: "));
    struct conf other = conf;
    char path[128];
    snprintf(path, sizeof(path), "%s/other.sock", dir);
    other.daemon.control = path;
    other.admin.listen.port = admin_port(admin);
    ck_assert_int_eq(admin_open(&other, base, &second, err, sizeof(err)), -1);
    ck_assert_ptr_nonnull(strstr(err, "[admin] listen: "));
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("admin");
    TCase *t = tcase_create("admin");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, connections_of_all_workers_are_listed_once);
    tcase_add_test(t, settings_reach_the_connections_of_every_worker);
    tcase_add_test(t, status_and_metrics_count_what_the_workers_have);
    tcase_add_test(t, the_control_socket_tells_the_same);
    tcase_add_test(t, stopping_in_the_middle_of_requests_leaves_nothing);
    tcase_add_test(t, clients_that_break_off_lists_leave_nothing);
    tcase_add_test(t, a_second_daemon_finds_the_sockets_taken);
    suite_add_tcase(s, t);
    return run_suite(s);
}
