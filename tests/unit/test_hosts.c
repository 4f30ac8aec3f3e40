/* braidctl --hosts: what machines say in /metrics, added up (src/ctl/hosts_read.c). */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/hosts_read.h"
#include "suite.h"

static const char one[] = "# HELP braid_worker_connections Connections of clients now.\n"
                          "# TYPE braid_worker_connections gauge\n"
                          "braid_worker_connections{worker=\"0\"} 3\n"
                          "braid_worker_connections{worker=\"1\"} 4\n"
                          "braid_worker_connections_total{worker=\"1\"} 400\n"
                          "braid_worker_mptcp_connections{worker=\"0\"} 2\n"
                          "braid_worker_subflows{worker=\"0\"} 9\n"
                          "braid_edge_drained{edge=\"web\"} 1\n"
                          "braid_edge_drained{edge=\"web6\"} 0\n"
                          "braid_edge_connections{edge=\"web\"} 7\n"
                          "braid_edge_to_server_bytes_per_second{edge=\"web\"} 1000000\n"
                          "braid_edge_from_server_bytes_per_second{edge=\"web\"} 125\n"
                          "braid_start_time_seconds 1790000000\n";

static struct hosts *h;

static void setup(void)
{
    h = calloc(1, sizeof(*h));
    h->n_machines = 3;
    strcpy(h->machines[0].name, "10.0.0.11");
    strcpy(h->machines[1].name, "10.0.0.12");
    strcpy(h->machines[2].name, "a\"b");
}

static void teardown(void)
{
    free(h);
}

static char *text(void (*print)(const struct hosts *h, FILE *out))
{
    char *made = NULL;
    size_t len;
    FILE *to = open_memstream(&made, &len);
    print(h, to);
    fclose(to);
    return made;
}

static void both_answer(void)
{
    hosts_read(h, &h->machines[0], one);
    hosts_read(h, &h->machines[1], one);
}

START_TEST(machines_and_edges_are_added_up)
{
    both_answer();
    ck_assert_uint_eq(h->n_answers, 2);
    ck_assert_double_eq(h->all.connections, 14);
    ck_assert_double_eq(h->all.mptcp, 4);
    ck_assert_double_eq(h->all.subflows, 18);
    ck_assert_double_eq(h->all.in, 2000000);
    ck_assert_double_eq(h->all.out, 250);
    ck_assert_double_eq(h->machines[1].sum.connections, 7);
    ck_assert_uint_eq(h->n_edges, 2);
    ck_assert_str_eq(h->edges[0].name, "web");
    ck_assert_double_eq(h->edges[0].sum.connections, 14);
    ck_assert_uint_eq(h->edges[0].sum.drained, 2);
    ck_assert_uint_eq(h->edges[1].sum.drained, 0);
    ck_assert_uint_eq(h->machines[0].sum.edges, 2);
    hosts_clear(h);
    hosts_read(h, &h->machines[0], one);
    ck_assert_double_eq(h->all.connections, 7);
    ck_assert(!h->machines[1].answers);
}
END_TEST

START_TEST(tables_name_who_is_silent_and_who_is_drained)
{
    both_answer();
    char *table = text(hosts_print);
    ck_assert_ptr_nonnull(strstr(table, "a\"b                          does not answer\n"));
    ck_assert_ptr_nonnull(strstr(table, "1 of 2 drained\n"));
    ck_assert_ptr_nonnull(
        strstr(table, "all (2 of 3 answer)                    14            4           18    16.0 Mbit/s"));
    ck_assert_ptr_nonnull(strstr(table, "2.0 kbit/s"));
    free(table);
    char *json = text(hosts_print_json);
    ck_assert_ptr_nonnull(strstr(json, "\"silent\":[\"a\\\"b\"]"));
    ck_assert_ptr_nonnull(strstr(json, "{\"name\":\"web\",\"connections\":14,"));
    ck_assert_ptr_nonnull(strstr(json,
                                 "\"total\":{\"connections\":14,\"mptcp_connections\":4,\"subflows\":18,"
                                 "\"bytes_from_clients_per_s\":2000000,\"bytes_to_clients_per_s\":250,"));
    free(json);
}
END_TEST

/* Whoever answers at that port need not be a daemon of ours. */
START_TEST(torn_and_foreign_lines_are_passed_over)
{
    static const char *const bad[] = {"braid_edge_connections",
                                      "braid_edge_connections ",
                                      "braid_edge_connections{edge",
                                      "braid_edge_connections{edge=\"",
                                      "braid_edge_connections{edge=\"\\\" 4",
                                      "braid_edge_drained{",
                                      "braid_edge_drained{edge=\"x 1",
                                      "{} 1",
                                      "\n\n \n",
                                      "<html> 404 </html>"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        hosts_read(h, &h->machines[0], bad[i]);
    ck_assert_double_eq(h->all.connections, 0);
    char line[1200];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    hosts_read(h, &h->machines[0], line);
    for (unsigned i = 0; i < HOSTS_EDGES + 10; i++) {
        snprintf(line, sizeof(line), "braid_edge_connections{edge=\"e%u\"} 1\n", i);
        hosts_read(h, &h->machines[0], line);
    }
    ck_assert_uint_eq(h->n_edges, HOSTS_EDGES);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hosts");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, machines_and_edges_are_added_up);
    tcase_add_test(t, tables_name_who_is_silent_and_who_is_drained);
    tcase_add_test(t, torn_and_foreign_lines_are_passed_over);
    suite_add_tcase(s, t);
    return run_suite(s);
}
