/* admin/filter, admin/filter_match: what is said of connections, and which ones that means. */
#include <check.h>
#include "admin/filter_match.h"
#include "admin_fake.h"
#include "suite.h"

static struct conf conf;
static struct snapshot_conn conn;
static const struct filter_place here = {.worker = 1, .n_workers = 4, .now = 100 * BRAID_SECOND};

static void setup(void)
{
    fake_conf(&conf);
    memset(&conn, 0, sizeof(conn));
    fake_conn(&conn.stats, 4, 2); /* of web; its second subflow comes under the path lte */
    conn.told.server = fake_addr("10.99.3.2:80");
    conn.stats.active_at = 40 * BRAID_SECOND;
}

static void teardown(void)
{
    conf_free(&conf);
}

static int take(struct filter *f, const char *parameter)
{
    const char *error = NULL;
    int taken = filter_take(f, parameter, &error);
    ck_assert((taken < 0) == (error != NULL && taken != 1));
    return taken;
}

/* Of one filter. */
static bool fits(const char *parameter)
{
    char error[CONF_ERROR_MAX];
    struct filter f = {.said = 0};
    ck_assert_msg(take(&f, parameter) == 1, "%s", parameter);
    ck_assert_msg(filter_resolve(&f, &conf, error) == 0, "%s", error);
    return filter_matches(&f, &conn, &here);
}

START_TEST(nothing_said_means_all)
{
    const struct filter f = {.said = 0};
    ck_assert(filter_matches(&f, &conn, &here));
}
END_TEST

static const struct {
    const char *right, *wrong;
} pairs[] = {
    {"edge=web", "edge=six"},
    {"client=192.0.2.7", "client=192.0.2.8"},
    {"client=192.0.2.0/24", "client=2001:db8::/32"},
    {"client=0.0.0.0/0", "client=::1"},
    {"server=10.99.3.2", "server=10.99.3.3"},
    {"server=10.99.3.2:80", "server=10.99.3.2:81"},
    {"server=10.99.3.0/24", "server=10.99.4.0/24"},
    {"state=established", "state=closing"},
    {"state=ESTABLISHED", "state=connecting_server"},
    {"subflows=2", "subflows=1"},
    {"subflows=2-", "subflows=3-"},
    {"subflows=1-2", "subflows=0-1"},
    {"idle=60", "idle=61"},
    {"path=lte", "path=dsl"},
    {"after=16", "after=22"}, /* it is 5 of worker 1, 21 to the outside */
    {"after=20", "after=21"}, /* any of worker 0 is before it */
    {"after=17", "after=2"},  /* any of worker 2 behind */
};

START_TEST(each_filter_tells_connections_apart)
{
    ck_assert(fits(pairs[_i].right));
    ck_assert(!fits(pairs[_i].wrong));
}
END_TEST

START_TEST(all_filters_have_to_fit)
{
    struct filter f = {.said = 0};
    ck_assert(take(&f, "edge=web") == 1 && take(&f, "idle=30") == 1);
    ck_assert(filter_matches(&f, &conn, &here));
    ck_assert_int_eq(take(&f, "subflows=5"), 1);
    ck_assert(!filter_matches(&f, &conn, &here));
}
END_TEST

START_TEST(what_has_no_server_yet_is_none_of_a_prefix)
{
    conn.told.server = (struct braid_addr){.port = 0};
    ck_assert(!fits("server=0.0.0.0/0"));
    ck_assert(!fits("server=::/0"));
}
END_TEST

START_TEST(an_uplink_is_known_by_its_inner_addresses)
{
    ck_assert(!fits("uplink=lte")); /* which has none here */
    conf.uplinks[1].inner[UPLINK_V4] = fake_addr("10.99.9.1:1").ip;
    ck_assert(fits("uplink=lte"));
    ck_assert(!fits("uplink=dsl"));
}
END_TEST

START_TEST(of_a_cpe_the_device_is_the_client)
{
    conn.told.cpe = "lan";
    conn.told.client = fake_addr("192.168.1.5:4000");
    ck_assert(fits("client=192.168.1.0/24"));
    ck_assert(!fits("client=192.0.2.7"));
}
END_TEST

static const char *const bad[] = {"edge=",
                                  "edge=a-name-of-more-than-thirty-two-bytes-as-none-can-be",
                                  "client=",
                                  "client=web",
                                  "client=192.0.2.7/33",
                                  "client=192.0.2.7/24",
                                  "client=192.0.2.7:80",
                                  "server=example.org:80",
                                  "server=10.0.0.1:0x1",
                                  "state=",
                                  "state=open",
                                  "subflows=",
                                  "subflows=-",
                                  "subflows=-1",
                                  "subflows=2-1",
                                  "subflows=1000",
                                  "subflows=two",
                                  "idle=0",
                                  "idle=-1",
                                  "idle=31622401",
                                  "idle=60s",
                                  "path=",
                                  "uplink=",
                                  "after=",
                                  "after=-1",
                                  "after=99999999999999999999",
                                  "after=1x"};

START_TEST(a_value_that_is_none_is_told)
{
    struct filter f = {.said = 0};
    const char *error = NULL;
    size_t key = strcspn(bad[_i], "=");
    ck_assert_msg(filter_take(&f, bad[_i], &error) == -1, "%s", bad[_i]);
    ck_assert_int_eq(strncmp(error, bad[_i], key + 1), 0); /* "edge= takes ..." */
}
END_TEST

START_TEST(other_keys_are_somebody_elses)
{
    struct filter f = {.said = 0};
    const char *error = NULL;
    ck_assert_int_eq(filter_take(&f, "limit=3", &error), 0);
    ck_assert_int_eq(filter_take(&f, "edge", &error), 0);
    ck_assert_int_eq(filter_take(&f, "edges=web", &error), 0);
    ck_assert_int_eq(filter_take(&f, "", &error), 0);
    ck_assert_uint_eq(f.said, 0);
}
END_TEST

START_TEST(names_are_those_of_the_configuration)
{
    static const char *const unknown[][2] = {
        {"edge=web2", "there is no edge or CPE \"web2\"; \"status\" lists them"},
        {"path=5g", "there is no path \"5g\"; \"paths\" lists them"},
        {"uplink=5g", "there is no uplink \"5g\"; \"uplinks\" lists them"}};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        char error[CONF_ERROR_MAX];
        struct filter f = {.said = 0};
        ck_assert_int_eq(take(&f, unknown[i][0]), 1);
        ck_assert_int_eq(filter_resolve(&f, &conf, error), -1);
        ck_assert_str_eq(error, unknown[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("filter");
    TCase *t = tcase_create("filter");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_said_means_all);
    tcase_add_loop_test(t, each_filter_tells_connections_apart, 0, sizeof(pairs) / sizeof(pairs[0]));
    tcase_add_test(t, all_filters_have_to_fit);
    tcase_add_test(t, what_has_no_server_yet_is_none_of_a_prefix);
    tcase_add_test(t, an_uplink_is_known_by_its_inner_addresses);
    tcase_add_test(t, of_a_cpe_the_device_is_the_client);
    tcase_add_loop_test(t, a_value_that_is_none_is_told, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, other_keys_are_somebody_elses);
    tcase_add_test(t, names_are_those_of_the_configuration);
    suite_add_tcase(s, t);
    return run_suite(s);
}
