/* The HTTP port over loopback, answered from fake workers. */
#include "http_harness.h"
#include "suite.h"

/* ---- documents ---- */

START_TEST(every_document_is_served_with_its_type)
{
    static const struct {
        const char *path, *type, *part;
    } documents[] = {
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8",
         "\nbraid_edge_connections{edge=\"web\"} 6\n"},
        {"/api/v1/status", "application/json",
         "\"uptime_s\":0,\"log_lines_lost\":0,\"system_calls_refused\":0,\"total\":{\"connections\":9,"},
        {"/api/v1/counters", "application/json", "{\"TcpActiveOpens\":6,\"TcpPassiveOpens\":12,"},
        {"/api/v1/connections", "application/json", "\"count\":101}"},
        {"/api/v1/bypass", "application/json", "],\"count\":4,\"cleared\":false}"},
        {"/api/v1/learned", "application/json", "],\"count\":4,\"cleared\":false}"},
        {"/api/v1/connections/5", "application/json", "{\"id\":5,\"worker\":2,"},
        {"/api/v1/top?limit=3&sort=bytes&find=10.99.3.2%3A80", "application/json",
         "{\"seen\":101,\"matching\":51,"},
        {"/api/v1/rates?seconds=3", "application/json", "{\"at_ms\":0,\"seconds\":0,"},
        {"/api/v1/status?pretty=1", "application/json", "\"total\":{"},
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        char type[128];
        struct http_reply r = get(documents[i].path);
        ck_assert_int_eq(r.code, 200);
        snprintf(type, sizeof(type), "\r\nContent-Type: %s\r\n", documents[i].type);
        ck_assert_msg(strstr(r.raw.text, type) != NULL, "%s: %s", documents[i].path, r.raw.text);
        ck_assert_ptr_nonnull(strstr(r.raw.text, "\r\nCache-Control: no-store"));
        has(&r, documents[i].part);
        free(r.raw.text);
    }
}
END_TEST

START_TEST(a_list_of_many_pages_is_one_document_with_unique_ids)
{
    struct http_reply r = get("/api/v1/connections");
    ck_assert_int_eq(r.code, 200);
    ck_assert(r.chunked && r.whole);
    python(&r, "c = d[\"connections\"]\n"
               "assert len(c) == d[\"count\"] == 101 == len({x[\"id\"] for x in c})\n"
               "assert all(x[\"id\"] % 3 == x[\"worker\"] for x in c)\n"
               "assert [x[\"worker\"] for x in c] == [1] * 100 + [2]\n");
    free(r.raw.text);
}
END_TEST

START_TEST(a_client_of_http_1_0_gets_the_list_without_chunks)
{
    int fd = client_tcp(http_port(http));
    client_send(fd, "GET /api/v1/connections HTTP/1.0\r\n\r\n");
    struct http_reply r = take_apart(client_receive(base, fd));
    ck_assert(!r.chunked);
    python(&r, "assert d[\"count\"] == 101\n");
    free(r.raw.text);
}
END_TEST

START_TEST(each_connection_of_the_list_can_be_shown)
{
    for (unsigned n = 1; n <= 100; n += 33) {
        char path[64], id[64];
        snprintf(path, sizeof(path), "/api/v1/connections/%u", n * 3 + 1);
        snprintf(id, sizeof(id), "{\"id\":%u,\"worker\":1,", n * 3 + 1);
        struct http_reply r = get(path);
        ck_assert_int_eq(r.code, 200);
        has(&r, id);
        free(r.raw.text);
    }
}
END_TEST

START_TEST(five_thousand_connections_are_listed)
{
    fake.conns[0] = 2000;
    fake.conns[1] = 2999;
    struct http_reply r = get("/api/v1/connections");
    python(&r, "assert len(d[\"connections\"]) == 5000 == len({x[\"id\"] for x in d[\"connections\"]})\n");
    free(r.raw.text);
}
END_TEST

/* ---- errors ---- */

static const struct {
    const char *method, *path, *headers;
    int code;
    const char *body; /* a part; NULL: any */
} errors[] = {
    {"GET", "//", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here; there are /, /metrics, "},
    {"GET", "/", "Host: evil.example\r\n", 403, "{\"error\":\"the Host header must be"},
    {"GET", "/metrics/", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here"},
    {"GET", "/api/v1/connections/", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here"},
    {"GET", "/api/v1/connections/x", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here"},
    {"GET", "/api/v1/connections/-1", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here"},
    {"GET", "/api/v1/connections/1/2", "Host: localhost\r\n", 404, "{\"error\":\"there is nothing here"},
    {"GET", "/api/v1/connections/99999999999999999999", "Host: localhost\r\n", 404, "nothing here"},
    {"GET", "/api/v1/connections/0", "Host: localhost\r\n", 404, "{\"error\":\"no connection has this id"},
    {"GET", "/api/v1/connections/1000000", "Host: localhost\r\n", 404,
     "{\"error\":\"no connection has this id"},
    {"GET", "/api/v1/connections/18446744073709551615", "Host: a.example\r\n", 403, "Host header"},
    {"GET", "/metrics", "Host: evil.example:9180\r\n", 403, "{\"error\":\"the Host header must be"},
    {"GET", "/metrics", "Host: localhost.evil.example\r\n", 403, "{\"error\":\"the Host header must be"},
    {"GET", "/metrics", "Host: 127.0.0.1.evil.example\r\n", 403, "{\"error\":\"the Host header must be"},
    {"POST", "/metrics", "Host: localhost\r\nContent-Length: 0\r\n", 405,
     "{\"error\":\"only GET and HEAD are allowed\"}"},
    {"PUT", "/metrics", "Host: localhost\r\nContent-Length: 0\r\n", 405,
     "{\"error\":\"only GET and HEAD are allowed\"}"},
    {"DELETE", "/metrics", "Host: localhost\r\n", 405, "{\"error\":\"only GET and HEAD are allowed\"}"},
    {"OPTIONS", "/metrics", "Host: localhost\r\n", 405, "{\"error\":\"only GET and HEAD are allowed\"}"},
    {"POST", "/metrics", "Host: localhost\r\nContent-Length: 2000\r\n", 405, "{\"error\":\"only GET"},
    {"GET", "/metrics", "Host: localhost\r\nContent-Length: 2000\r\n", 413, "{\"error\":\"there is no use"},
    {"GET", "/metrics", "Host: localhost\r\nTransfer-Encoding: chunked\r\n", 413, "{\"error\":\"there is"},
    {"GET", "/api/v1/top?order=up", "Host: localhost\r\n", 400, "{\"error\":\"this command takes limit=N, "},
    {"GET", "/metrics", "Host: localhost\r\nHost: localhost\r\n", 400, "{\"error\":\"this is not a request"},
    {"GET", "/metrics", "Host : localhost\r\n", 400, "{\"error\":\"this is not a request"},
    {"GET", "/metrics", "Host: localhost\r\n more\r\n", 400, "{\"error\":\"this is not a request"},
    {"GET", "/metrics", "Accept: */*\r\n", 400, "{\"error\":\"this is not a request"},
    {"GET", "metrics", "", 400, "{\"error\":\"this is not a request"},
    {"", "/metrics", "", 400, "{\"error\":\"this is not a request"},
    {"GET", "http://evil.example/metrics", "", 403, "{\"error\":\"the Host header must be"},
    {"GET", "/metrics HTTP/1.1", "", 400, "{\"error\":\"this is not a request"},
};

START_TEST(a_bad_request_gets_its_code_and_a_reason)
{
    struct http_reply r = ask(errors[_i].method, errors[_i].path, errors[_i].headers);
    ck_assert_int_eq(r.code, errors[_i].code);
    if (errors[_i].body)
        has(&r, errors[_i].body);
    if (r.code == 405)
        ck_assert_ptr_nonnull(strstr(r.raw.text, "\r\nAllow: GET, HEAD\r\n"));
    free(r.raw.text);
}
END_TEST

/* Of a document that is not made of parts, the length as well. */
START_TEST(head_is_get_without_the_content)
{
    struct http_reply r = ask("GET", "/api/v1/connections/4", "");
    char length[64];
    snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(r.body));
    free(r.raw.text);
    r = ask("HEAD", "/api/v1/connections/4", "");
    ck_assert_int_eq(r.code, 200);
    ck_assert_str_eq(r.body, "");
    ck_assert_msg(strstr(r.raw.text, length) != NULL, "no %s in %s", length, r.raw.text);
    free(r.raw.text);
    r = ask("HEAD", "/api/v1/connections", "");
    ck_assert_int_eq(r.code, 200);
    ck_assert(r.chunked);
    ck_assert_str_eq(r.body, "");
    free(r.raw.text);
    r = ask("HEAD", "/nowhere", "");
    ck_assert_int_eq(r.code, 404);
    ck_assert_str_eq(r.body, "");
    free(r.raw.text);
}
END_TEST

START_TEST(a_target_may_name_the_host_itself)
{
    struct http_reply r = ask("GET", "http://127.0.0.1:9180/api/v1/connections/4?x", "Host: ignored\r\n");
    ck_assert_int_eq(r.code, 200);
    has(&r, "{\"id\":4,");
    free(r.raw.text);
}
END_TEST

/* More than there is room for, one after the other, none of which asks anything: who asks is answered. */
START_TEST(idle_clients_make_way_for_those_who_ask)
{
    int idle[200];
    for (unsigned i = 0; i < 200; i++) {
        idle[i] = client_tcp(http_port(http));
        client_send(idle[i], "GET /met");
        client_spin(base, -1);
    }
    struct http_reply r = get("/metrics");
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
    char byte;
    ck_assert_int_eq(recv(idle[0], &byte, 1, MSG_DONTWAIT), 0); /* gone */
    ck_assert_int_eq(recv(idle[199], &byte, 1, MSG_DONTWAIT), -1);
    for (unsigned i = 0; i < 200; i++)
        close(idle[i]);
}
END_TEST

/* Those who ask for lists and do not read them keep only each other waiting. */
START_TEST(lists_that_nobody_reads_leave_room_for_other_documents)
{
    restart("127.0.0.1:1", 32, 5000);
    fake.hold = true;
    int lists[20];
    for (unsigned i = 0; i < 20; i++)
        lists[i] = begin("GET", "/api/v1/connections", "");
    client_until(base, fake.n_held == 8);
    struct http_reply r = take_apart(client_receive(base, lists[19]));
    ck_assert_int_eq(r.code, 503);
    free(r.raw.text);
    fake.hold = false;
    r = get("/metrics");
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
    for (unsigned i = 0; i < 19; i++)
        close(lists[i]);
}
END_TEST

START_TEST(an_address_or_localhost_as_host_is_fine)
{
    static const char *const hosts[] = {"Host: localhost\r\n",      "Host:\r\n",
                                        "Host: LOCALHOST:9180\r\n", "Host: 127.0.0.1:9180\r\n",
                                        "Host: [::1]\r\n",          "Host: [::1]:9180\r\n"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct http_reply r = ask("GET", "/api/v1/counters", hosts[i]);
        ck_assert_msg(r.code == 200, "%s%d", hosts[i], r.code);
        free(r.raw.text);
    }
}
END_TEST

START_TEST(rubbish_and_long_headers_end_the_connection_only)
{
    static char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "GET /metrics HTTP/1.1\r\nA: ", 26);
    int fd = client_tcp(http_port(http));
    client_send(fd, text);
    struct http_reply r = take_apart(client_receive(base, fd));
    ck_assert_int_eq(r.code, 431);
    has(&r, "{\"error\":\"the request is too long\"}");
    free(r.raw.text);
    fd = client_tcp(http_port(http));
    client_send(fd, "\x16\x03\x01\x02\x05\x01\x05\x01\xfc\x03\x03 \r\n\r\n");
    r = take_apart(client_receive(base, fd));
    ck_assert_int_eq(r.code, 400);
    free(r.raw.text);
    fd = client_tcp(http_port(http));
    client_send(fd, "GET /metrics HTTP/2.0\r\n\r\n");
    r = take_apart(client_receive(base, fd));
    ck_assert_int_eq(r.code, 505);
    free(r.raw.text);
    struct http_reply good = get("/metrics");
    ck_assert_int_eq(good.code, 200);
    free(good.raw.text);
}
END_TEST

START_TEST(a_port_in_use_is_one_line)
{
    char err[CONF_ERROR_MAX], expected[CONF_ERROR_MAX];
    struct http *second;
    struct admin_params a = {.listen = fake_addr("127.0.0.1:1")};
    a.listen.port = http_port(http);
    ck_assert_int_eq(http_open(&a, base, &second, err, sizeof(err)), -1);
    snprintf(expected, sizeof(expected),
             "[admin] listen: cannot listen on 127.0.0.1:%u (Address already in use); give a free port of an "
             "address "
             "of this host",
             a.listen.port);
    ck_assert_str_eq(err, expected);
}
END_TEST

/* ---- workers that do not answer, clients that go away ---- */

START_TEST(a_worker_that_does_not_answer_gives_503)
{
    restart("127.0.0.1:1", 8, 30);
    fake.hold = true;
    struct http_reply r = get("/api/v1/status");
    ck_assert_int_eq(r.code, 503);
    has(&r, "{\"error\":\"a worker did not answer in time; try again\"}");
    free(r.raw.text);
}
END_TEST

START_TEST(memory_that_is_short_gives_503)
{
    fake.fail = true;
    struct http_reply r = get("/api/v1/connections");
    ck_assert_int_eq(r.code, 503);
    has(&r, "short of memory");
    free(r.raw.text);
}
END_TEST

/* The first page is answered, and then no other: the client must see that the list is not whole. */
START_TEST(a_list_that_breaks_off_is_not_taken_for_whole)
{
    restart("127.0.0.1:1", 8, 500); /* ms: the first page has to be answered in time */
    fake.hold = true;
    int fd = begin("GET", "/api/v1/connections", "");
    client_until(base, fake.n_held == 1);
    fake_release(&fake);
    client_until(base, fake.n_held == 1);
    fake_release(&fake);
    struct http_reply r = take_apart(client_receive(base, fd));
    ck_assert_int_eq(r.code, 200);
    ck_assert(r.chunked && !r.whole);
    has(&r, "{\"connections\":[{\"id\":4,");
    free(r.raw.text);
}
END_TEST

START_TEST(too_many_requests_at_once_give_503)
{
    restart("127.0.0.1:1", 2, 5000);
    fake.hold = true;
    int a = begin("GET", "/metrics", ""), b = begin("GET", "/api/v1/connections", "");
    client_until(base, fake.n_held == 2);
    struct http_reply r = get("/metrics");
    ck_assert_int_eq(r.code, 503);
    has(&r, "too many requests");
    free(r.raw.text);
    fake.hold = false;
    fake_release(&fake);
    r = take_apart(client_receive(base, a));
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
    r = take_apart(client_receive(base, b));
    ck_assert_int_eq(r.code, 200);
    ck_assert(r.whole);
    free(r.raw.text);
}
END_TEST

START_TEST(requests_at_the_same_time_get_their_own_documents)
{
    int lists[4], shows[4];
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/connections/%u", 3 * (i + 1) + 1);
        lists[i] = begin("GET", "/api/v1/connections", "");
        shows[i] = begin("GET", path, "");
    }
    for (unsigned i = 0; i < 4; i++) {
        char id[64];
        snprintf(id, sizeof(id), "{\"id\":%u,", 3 * (i + 1) + 1);
        struct http_reply list = take_apart(client_receive(base, lists[i]));
        struct http_reply show = take_apart(client_receive(base, shows[i]));
        python(&list, "assert len(d[\"connections\"]) == d[\"count\"] == 101\n");
        has(&show, id);
        free(list.raw.text);
        free(show.raw.text);
    }
}
END_TEST

START_TEST(several_requests_may_use_one_connection)
{
    int fd = client_tcp(http_port(http));
    client_send(fd, "GET /api/v1/connections/4 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /api/v1/connections HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /api/v1/connections/7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    struct reply_text r = client_receive(base, fd);
    char *first = strstr(r.text, "{\"id\":4,"), *second = strstr(r.text, "\"count\":101}");
    ck_assert(first && second && first < second && strstr(second, "{\"id\":7,"));
    free(r.text);
}
END_TEST

/* A client that reads nothing costs no more than what the sockets hold, whatever the number of connections.
 */
START_TEST(a_client_that_does_not_read_is_not_run_ahead_of)
{
    fake.conns[0] = 200000;
    int small = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(http_port(http))};
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    client_send(fd, "GET /api/v1/connections HTTP/1.1\r\nHost: localhost\r\n\r\n");
    unsigned before;
    do {
        before = fake.asked;
        for (int i = 0; i < 100; i++)
            client_spin(base, -1);
    } while (fake.asked != before);
    ck_assert_uint_gt(fake.asked, 0);
    ck_assert_uint_lt(fake.asked, 1000); /* of 6,250 pages */
    ck_assert_uint_eq(fake.open_dumps, 1);
    close(fd);
    client_until(base, fake.open_dumps == 0);
}
END_TEST

START_TEST(a_client_that_goes_away_while_a_worker_is_asked_leaves_nothing)
{
    fake.hold = true;
    int fd = begin("GET", "/api/v1/connections", "");
    client_until(base, fake.n_held == 1);
    struct linger hard = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
    for (int i = 0; i < 20; i++)
        client_spin(base, -1);
    fake.hold = false;
    fake_release(&fake);
    client_until(base, fake.open_dumps == 0);
    struct http_reply r = get("/metrics");
    ck_assert_int_eq(r.code, 200);
    free(r.raw.text);
}
END_TEST

/* teardown frees everything with the requests under way; the address sanitizer sees what is wrong. */
START_TEST(stopping_breaks_off_what_is_under_way)
{
    fake.hold = true;
    int a = begin("GET", "/api/v1/connections", ""), b = begin("GET", "/metrics", "");
    client_until(base, fake.n_held == 2);
    fake_release(&fake);
    for (int i = 0; i < 20; i++)
        client_spin(base, -1);
    close(a);
    close(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http");
    TCase *t = tcase_create("http");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_document_is_served_with_its_type);
    tcase_add_test(t, a_list_of_many_pages_is_one_document_with_unique_ids);
    tcase_add_test(t, a_client_of_http_1_0_gets_the_list_without_chunks);
    tcase_add_test(t, each_connection_of_the_list_can_be_shown);
    tcase_add_test(t, five_thousand_connections_are_listed);
    tcase_add_loop_test(t, a_bad_request_gets_its_code_and_a_reason, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(t, head_is_get_without_the_content);
    tcase_add_test(t, a_target_may_name_the_host_itself);
    tcase_add_test(t, idle_clients_make_way_for_those_who_ask);
    tcase_add_test(t, lists_that_nobody_reads_leave_room_for_other_documents);
    tcase_add_test(t, an_address_or_localhost_as_host_is_fine);
    tcase_add_test(t, rubbish_and_long_headers_end_the_connection_only);
    tcase_add_test(t, a_port_in_use_is_one_line);
    tcase_add_test(t, a_worker_that_does_not_answer_gives_503);
    tcase_add_test(t, memory_that_is_short_gives_503);
    tcase_add_test(t, a_list_that_breaks_off_is_not_taken_for_whole);
    tcase_add_test(t, too_many_requests_at_once_give_503);
    tcase_add_test(t, requests_at_the_same_time_get_their_own_documents);
    tcase_add_test(t, several_requests_may_use_one_connection);
    tcase_add_test(t, a_client_that_does_not_read_is_not_run_ahead_of);
    tcase_add_test(t, a_client_that_goes_away_while_a_worker_is_asked_leaves_nothing);
    tcase_add_test(t, stopping_breaks_off_what_is_under_way);
    suite_add_tcase(s, t);
    return run_suite(s);
}
