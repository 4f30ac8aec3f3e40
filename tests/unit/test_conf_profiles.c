/* The configuration of profiles and paths: what a good file becomes, and the one line that each bad one
 * gives.
 */
#include "base/addr.h"
#include "conf/profiles.h"
#include "conf/values.h"
#include "conf_harness.h"

static void good(const char *text)
{
    ck_assert_msg(parse(text) == 0, "%s", err);
}

static const struct profile *profile(const char *name)
{
    const struct profile *p = conf_profile(&conf, name);
    ck_assert_msg(p != NULL, "there is no profile %s", name);
    return p;
}

/* ---- profiles ---- */

START_TEST(the_built_in_profiles_are_there_without_a_section)
{
    static const char *const names[] = {"bulk", "interactive", "resilient", "economy"};
    static const char *const schedulers[] = {NULL, "lowlatency", "redundant", "priority"};
    good(EDGE);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_ptr_nonnull(profile(names[i])->sched);
        if (schedulers[i])
            ck_assert_str_eq(profile(names[i])->sched->name, schedulers[i]);
        ck_assert_ptr_nonnull(profile(names[i])->cc);
        ck_assert_ptr_null(profile(names[i])->bulk);
    }
    ck_assert_ptr_eq(profile("auto")->bulk, profile("bulk"));
    ck_assert_ptr_eq(profile("auto")->interactive, profile("interactive"));
    ck_assert_ptr_eq(profile("auto")->sched, profile("bulk")->sched);
    ck_assert_ptr_null(conf_profile(&conf, "Bulk"));
    conf_free(&conf);
}
END_TEST

START_TEST(an_edge_without_a_profile_is_bulk)
{
    good(EDGE);
    ck_assert_ptr_eq(conf.edges->profile, profile("bulk"));
    ck_assert_ptr_eq(conf.edges->sched, profile("bulk")->sched);
    ck_assert_ptr_eq(conf.edges->cc, profile("bulk")->cc);
    ck_assert_ptr_null(conf.edges->pm);
    ck_assert_uint_eq(conf.edges->n_port_profiles, 0);
    conf_free(&conf);
}
END_TEST

START_TEST(a_section_changes_one_key_of_a_built_in_profile_and_keeps_the_others)
{
    good(EDGE);
    const struct sched_ops *before = profile("resilient")->sched;
    conf_free(&conf);
    good("[profile resilient]\ncongestion = lia\n" EDGE);
    ck_assert_ptr_eq(profile("resilient")->sched, before);
    ck_assert_str_eq(profile("resilient")->cc->name, "lia");
    conf_free(&conf);
}
END_TEST

START_TEST(a_changed_bulk_profile_is_that_of_edges_without_one_and_of_the_automatic_one)
{
    good(EDGE "[profile bulk]\nscheduler = roundrobin\n");
    ck_assert_str_eq(conf.edges->sched->name, "roundrobin");
    ck_assert_str_eq(profile("auto")->sched->name, "roundrobin");
    conf_free(&conf);
}
END_TEST

START_TEST(profiles_of_ones_own_begin_with_the_defaults)
{
    good(EDGE "profile = mine\n[profile bulk]\nscheduler = roundrobin\n[profile mine]\ncongestion = lia\n");
    ck_assert_ptr_eq(conf.edges->profile, profile("mine"));
    ck_assert_str_eq(conf.edges->sched->name, "minrtt");
    ck_assert_str_eq(conf.edges->cc->name, "lia");
    conf_free(&conf);
}
END_TEST

START_TEST(keys_of_an_edge_come_before_its_profile)
{
    good("[profile mine]\nscheduler = roundrobin\ncongestion = lia\npath_manager = passive\n" EDGE
         "congestion = cubic\nprofile = mine\npath_manager = signal\n");
    ck_assert_str_eq(profile("mine")->pm->name, "passive");
    ck_assert_str_eq(conf.edges->sched->name, "roundrobin");
    ck_assert_str_eq(conf.edges->cc->name, "cubic");
    ck_assert_str_eq(conf.edges->pm->name, "signal");
    ck_assert_ptr_eq(conf.edges->profile, profile("mine"));
    conf_free(&conf);
}
END_TEST

START_TEST(ports_have_profiles)
{
    good(TRANSPARENT "profiles = 443:resilient, 5000 - 5100 : mine ,22:auto\n[profile mine]\n");
    const struct edge_params *e = conf.edges;
    ck_assert_uint_eq(e->n_port_profiles, 3);
    ck_assert_uint_eq(e->port_profiles[0].first, 443);
    ck_assert_uint_eq(e->port_profiles[0].last, 443);
    ck_assert_ptr_eq(e->port_profiles[0].profile, profile("resilient"));
    ck_assert_uint_eq(e->port_profiles[1].first, 5000);
    ck_assert_uint_eq(e->port_profiles[1].last, 5100);
    ck_assert_ptr_eq(e->port_profiles[1].profile, profile("mine"));
    ck_assert_ptr_eq(e->port_profiles[2].profile, profile("auto"));
    conf_free(&conf);
}
END_TEST

/* ---- paths ---- */

static void check_rule(unsigned i, const char *name, const char *local, unsigned local_bits,
                       const char *remote, unsigned remote_bits)
{
    char text[ADDR_TEXT];
    const struct braid_path_rule *r = &conf.paths[i];
    ck_assert_str_eq(conf.path_names[i], name);
    ck_assert_uint_eq(r->local_bits, local_bits);
    ck_assert_uint_eq(r->remote_bits, remote_bits);
    if (local)
        ck_assert_str_eq(ip_text(&r->local, text), local);
    if (remote)
        ck_assert_str_eq(ip_text(&r->remote, text), remote);
}

START_TEST(paths_become_rules_in_their_order)
{
    good(EDGE "[path dsl]\nremote = 10.1.0.0/16\n"
              "[path lte]\nlocal=10.99.9.2\nremote = 2001:db8:1::/48\ncost = 10\nweight = 3\nquota = 5 GB\n"
              "[path rest]\nremote = 0.0.0.0/0\nquota = none\n[path six]\nlocal = ::/0\n");
    ck_assert_uint_eq(conf.n_paths, 4);
    ck_assert_uint_eq(conf.limits.n_paths, 4);
    ck_assert_ptr_eq(conf.limits.paths, conf.paths);
    check_rule(0, "dsl", NULL, 0, "10.1.0.0", 112);
    check_rule(1, "lte", "10.99.9.2", 128, "2001:db8:1::", 48);
    check_rule(2, "rest", NULL, 0, "0.0.0.0", 96);
    check_rule(3, "six", NULL, 0, NULL, 0);
    ck_assert_uint_eq(conf.paths[0].cost, 0);
    ck_assert_uint_eq(conf.paths[0].weight, 1);
    ck_assert_uint_eq(conf.paths[0].quota, 0);
    ck_assert_uint_eq(conf.paths[1].cost, 10);
    ck_assert_uint_eq(conf.paths[1].weight, 3);
    ck_assert_uint_eq(conf.paths[1].quota, 5000000000);
    ck_assert_uint_eq(conf.paths[2].quota, 0);
    conf_free(&conf);
}
END_TEST

START_TEST(amounts_of_bytes_have_a_unit)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: an error */
    } amounts[] = {
        {"1KB", 1000},
        {"20 MB", 20000000},
        {"1000000TB", 1000000000000000000},
        {"0GB", 0},
        {"1", 0},
        {"1B", 0},
        {"GB", 0},
        {"1.5GB", 0},
        {"-1GB", 0},
        {"1GBit", 0},
        {"1gb", 0},
        {"1000001KB", 0},
        {"1GB 2MB", 0},
        {"", 0},
        {"99999999999999999999999999GB", 0},
    };
    for (unsigned i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        uint64_t got = 0;
        int result = value_bytes(amounts[i].text, &got);
        ck_assert_msg(result == (amounts[i].bytes ? 0 : -1), "%s: %d", amounts[i].text, result);
        if (result == 0)
            ck_assert_uint_eq(got, amounts[i].bytes);
    }
}
END_TEST

/* ---- errors ---- */

#define BAD_PREFIX "; give an address or a prefix, such as 192.0.2.0/24 or 2001:db8::/32"
#define BAD_QUOTA                                                                                            \
    " is neither none nor a number from 1 to 1000000 with KB, MB, GB or TB; give one, such as 10GB"
#define BAD_ITEM                                                                                             \
    " is not PORT:PROFILE or FIRST-LAST:PROFILE; give such items, separated by commas, such as "             \
    "22:interactive, 8000-8999:bulk"
#define PATH "[path x]\nremote = 10.1.0.0/16\n"

static const struct {
    const char *text, *error; /* error: what follows "f.ini:" */
} bad[] = {
    {EDGE "profile = fast\n",
     "4: [edge web] profile: there is no profile \"fast\"; it is one of: bulk, interactive, resilient, "
     "economy, auto; or add a section [profile NAME]"},
    {EDGE "profile = fast\n[profile quick]\n",
     "4: [edge web] profile: there is no profile \"fast\"; it is one of: bulk, interactive, resilient, "
     "economy, auto, quick; or add a section [profile NAME]"},
    {EDGE "profile = a234567890123456789012345678901234\n",
     "4: [edge web] profile: \"a234567890123456789012345678901234\" is too long for the name of a profile"},
    {EDGE "profile = auto\nscheduler = minrtt\n",
     "5: [edge web] scheduler: cannot be with profile = auto, which changes it; remove one of the two"},
    {EDGE "congestion = cubic\nprofile = auto\n",
     "4: [edge web] congestion: cannot be with profile = auto, which changes it; remove one of the two"},
    {EDGE "profiles = 80:bulk\n", "4: [edge web] profiles: has a meaning only with mode = transparent or "
                                  "convert; remove it (profile is that "
                                  "of all connections to target), or set one of these"},
    {TRANSPARENT "profiles = 80\n", "3: [edge any] profiles: \"80\"" BAD_ITEM},
    {TRANSPARENT "profiles = 80:\n", "3: [edge any] profiles: \"80:\"" BAD_ITEM},
    {TRANSPARENT "profiles = :bulk\n", "3: [edge any] profiles: \":bulk\"" BAD_ITEM},
    {TRANSPARENT "profiles = 90-80:bulk\n", "3: [edge any] profiles: \"90-80:bulk\"" BAD_ITEM},
    {TRANSPARENT "profiles = 0:bulk\n", "3: [edge any] profiles: \"0:bulk\"" BAD_ITEM},
    {TRANSPARENT "profiles = 80:bulk,\n", "3: [edge any] profiles: \"\"" BAD_ITEM},
    {TRANSPARENT "profiles = 80:bulk, 70-90:economy\n",
     "3: [edge any] profiles: \"70-90:economy\" meets 80-80:bulk; give each port one profile"},
    {TRANSPARENT "profiles = 80:fast\n",
     "3: [edge any] profiles: there is no profile \"fast\"; it is one of: bulk, interactive, resilient, "
     "economy, auto; or add a section [profile NAME]"},
    {TRANSPARENT "profiles = 1:bulk,2:bulk,3:bulk,4:bulk,5:bulk,6:bulk,7:bulk,8:bulk,9:bulk,10:bulk,11:bulk,"
                 "12:bulk,13:bulk,14:bulk,15:bulk,16:bulk,17:bulk\n",
     "3: [edge any] profiles: there are more than 16 items; give at most 16"},
    {"[profile auto]\n" EDGE, "1: [profile auto] is not to be changed: it chooses between bulk and "
                              "interactive; change those, or give another name"},
    {"[profile]\n" EDGE, "1: [profile] has no proper name; give 1 to 32 letters, digits, '-', '_' or '.', "
                         "such as [profile web]"},
    {"[profile x]\n[profile x]\n" EDGE,
     "2: [profile x] is there already in line 1; give this profile another name"},
    {"[profile x]\ncost = 1\n" EDGE, "2: [profile x] cost: unknown key; the nearest is congestion (all of "
                                     "this section: scheduler, congestion, path_manager)"},
    {EDGE "[path x]\ncost = 1\n", "4: [path x] remote: is missing, and so is local; add one of them, such as "
                                  "remote = 192.0.2.0/24"},
    {EDGE "[path x]\nlocal = host\n", "5: [path x] local: \"host\" is not a prefix" BAD_PREFIX},
    {EDGE "[path x]\nremote = 10.0.0.0/33\n",
     "5: [path x] remote: \"10.0.0.0/33\" has no length from 0 to 32" BAD_PREFIX},
    {EDGE "[path x]\nremote = 2001:db8::/129\n",
     "5: [path x] remote: \"2001:db8::/129\" has no length from 0 to 128" BAD_PREFIX},
    {EDGE "[path x]\nremote = 10.0.0.0/\n",
     "5: [path x] remote: \"10.0.0.0/\" has no length from 0 to 32" BAD_PREFIX},
    {EDGE "[path x]\nremote = 10.0.0.1/24\n",
     "5: [path x] remote: \"10.0.0.1/24\" has bits beyond its length" BAD_PREFIX},
    {EDGE "[path x]\nremote = 10.0.0.1:80\n",
     "5: [path x] remote: \"10.0.0.1:80\" is not a prefix" BAD_PREFIX},
    {EDGE PATH "cost = -1\n",
     "6: [path x] cost: \"-1\" is not a number from 0 to 1000000; give one, such as 1"},
    {EDGE PATH "weight = 0\n",
     "6: [path x] weight: \"0\" is not a number from 1 to 1000000; give one, such as 1"},
    {EDGE PATH "quota = 10\n", "6: [path x] quota: \"10\"" BAD_QUOTA},
    {EDGE PATH "quota = 0GB\n", "6: [path x] quota: \"0GB\"" BAD_QUOTA},
    {EDGE PATH "[path x]\nlocal = 10.0.0.1\n",
     "6: [path x] is there already in line 4; give this path another name"},
};

START_TEST(every_error_is_one_line_that_names_file_line_key_and_what_is_right)
{
    check_refused(bad[_i].text, bad[_i].error);
}
END_TEST

/* Whatever algorithms this build has. */
START_TEST(unknown_algorithms_are_told_with_those_that_there_are)
{
    char expected[2 * CONF_ERROR_MAX], list[CONF_LIST_MAX];
    ck_assert_int_eq(parse(EDGE "scheduler = fastest\n"), -1);
    snprintf(expected, sizeof(expected),
             "f.ini:4: [edge web] scheduler: there is no scheduler \"fastest\"; it is one of: %s",
             conf_scheduler_list(list));
    ck_assert_str_eq(err, expected);
    ck_assert_int_eq(parse("[profile mine]\ncongestion = vegas\n" EDGE), -1);
    snprintf(expected, sizeof(expected),
             "f.ini:2: [profile mine] congestion: there is no congestion control \"vegas\"; it is one of: %s",
             conf_congestion_list(list));
    ck_assert_str_eq(err, expected);
    ck_assert_int_eq(parse(EDGE "path_manager = full\n"), -1);
    ck_assert_ptr_nonnull(
        strstr(err, "f.ini:4: [edge web] path_manager: there is no path manager \"full\"; it is one of: "));
    for (unsigned i = 0; pm_algorithms[i]; i++)
        ck_assert_ptr_nonnull(strstr(err, pm_algorithms[i]->name));
    for (unsigned i = 0; sched_algorithms[i]; i++)
        ck_assert_ptr_nonnull(strstr(conf_scheduler_list(list), sched_algorithms[i]->name));
    for (unsigned i = 0; cc_algorithms[i]; i++)
        ck_assert_ptr_nonnull(strstr(conf_congestion_list(list), cc_algorithms[i]->name));
}
END_TEST

START_TEST(every_prefix_of_a_good_file_is_handled)
{
    static const char text[] =
        TRANSPARENT "profiles = 80:mine, 443:bulk\n[profile mine]\nscheduler = minrtt\ncongestion = lia\n"
                    "[path a]\nlocal = 10.0.0.0/8\nquota = 1GB\n[path b]\nremote = ::1\n";
    check_prefixes(text, sizeof(text));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_profiles");
    TCase *t = tcase_create("conf_profiles");
    tcase_add_test(t, the_built_in_profiles_are_there_without_a_section);
    tcase_add_test(t, an_edge_without_a_profile_is_bulk);
    tcase_add_test(t, a_section_changes_one_key_of_a_built_in_profile_and_keeps_the_others);
    tcase_add_test(t, a_changed_bulk_profile_is_that_of_edges_without_one_and_of_the_automatic_one);
    tcase_add_test(t, profiles_of_ones_own_begin_with_the_defaults);
    tcase_add_test(t, keys_of_an_edge_come_before_its_profile);
    tcase_add_test(t, ports_have_profiles);
    tcase_add_test(t, paths_become_rules_in_their_order);
    tcase_add_test(t, amounts_of_bytes_have_a_unit);
    tcase_add_loop_test(t, every_error_is_one_line_that_names_file_line_key_and_what_is_right, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, unknown_algorithms_are_told_with_those_that_there_are);
    tcase_add_test(t, every_prefix_of_a_good_file_is_handled);
    suite_add_tcase(s, t);
    return run_suite(s);
}
