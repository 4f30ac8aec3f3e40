/* conf: a file that is read anew: what stays as it was (stay.c), where uplinks are (uplink_places.c), what
 * differs (wording.c), and the table of all keys (facts.c). */
#include "conf_harness.h"
#include "base/addr.h"
#include "conf/facts.h"
#include "conf/keys.h"

static struct conf next;
static char said[2048];

static void note(void *arg, bool warning, const char *line)
{
    (void)arg;
    size_t used = strlen(said);
    snprintf(said + used, sizeof(said) - used, "%s%s\n", warning ? "" : "error ", line);
}

static const struct conf_report report = {.say = note};

/* The first text, and then the second one: into conf and next. */
static int again(const char *first, const char *second)
{
    said[0] = '\0';
    ck_assert_msg(parse(first) == 0, "%s", err);
    return conf_parse_again("f.ini", second, strlen(second), &conf, &next, &report);
}

static void done(void)
{
    conf_free(&conf);
    conf_free(&next);
}

START_TEST(what_cannot_change_stays_and_is_said)
{
    ck_assert_int_eq(again("[daemon]\nworkers = 2\nlog_level = warn\n" EDGE,
                           "[daemon]\nworkers = 3\nlog_level = debug\n[tun]\nmtu = 9000\n" EDGE),
                     0);
    ck_assert_uint_eq(next.daemon.workers, 2);
    ck_assert_int_eq(next.daemon.log_level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(next.tun.mtu, 1500);
    ck_assert_str_eq(said,
                     "f.ini:2: [daemon] workers: cannot change while braidd runs: it stays as it was (2) "
                     "until a restart\n"
                     "f.ini:5: [tun] mtu: cannot change while braidd runs: it stays as it was (1500) until a "
                     "restart\n");
    ck_assert_str_eq(conf_text_effective(&next.text, "tun", "mtu"), "1500");
    ck_assert_str_eq(conf_text_effective(&next.text, "daemon", "workers"), "2");
    done();
}
END_TEST

START_TEST(what_the_file_says_no_more_of_stays_too)
{
    ck_assert_int_eq(again("[tun]\nname = braid3\nmtu = 1500\nlocal_ports = 40000-41000\n" EDGE, EDGE), 0);
    ck_assert_str_eq(next.tun.name, "braid3");
    ck_assert_uint_eq(next.limits.port_first, 40000);
    ck_assert_ptr_nonnull(strstr(said, "[tun] name: cannot change"));
    ck_assert_ptr_nonnull(strstr(said, "[tun] local_ports: cannot change"));
    ck_assert_ptr_null(strstr(said, "mtu")); /* the default says the same */
    done();
}
END_TEST

START_TEST(a_flaw_is_told_and_nothing_comes_of_the_file)
{
    ck_assert_int_eq(again(EDGE, EDGE "[limits]\nsubflows = many\n"), -1);
    ck_assert_ptr_nonnull(strstr(said, "error f.ini:5: [limits] subflows: "));
    conf_free(&conf);
}
END_TEST

/* ---- uplinks ------------------------------------------------------------------------------------------ */

#define UPLINK(name, device) "[uplink " name "]\ninterface = " device "\n"

/* "a b - c": the uplinks in their places, '-' before those that are gone. */
static const char *places(const struct conf *c)
{
    static char text[128];
    text[0] = '\0';
    for (unsigned i = 0; i < c->n_uplinks; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s%s", i ? " " : "", c->uplinks[i].gone ? "-" : "",
                 c->uplinks[i].name);
    }
    return text;
}

static const struct {
    const char *before, *now, *places;
} moves[] = {
    {UPLINK("a", "d1") UPLINK("b", "d2"), UPLINK("b", "d2") UPLINK("a", "d1"), "a b"},
    {UPLINK("a", "d1") UPLINK("b", "d2"), UPLINK("b", "d2"), "-a b"},
    {UPLINK("a", "d1") UPLINK("b", "d2"), UPLINK("c", "d3") UPLINK("b", "d9"), "-a b c"},
    {UPLINK("a", "d1"), UPLINK("b", "d1"), "-a b"},
    {UPLINK("a", "d1"), "", "-a"},
    {"", UPLINK("a", "d1"), "a"},
};

START_TEST(uplinks_keep_their_places)
{
    char before[512], now[512], inner[ADDR_TEXT];
    snprintf(before, sizeof(before), "%s" EDGE, moves[_i].before);
    snprintf(now, sizeof(now), "%s" EDGE "[path p]\nremote = 192.0.2.0/24\n", moves[_i].now);
    ck_assert_msg(again(before, now) == 0, "%s", said);
    ck_assert_str_eq(places(&next), moves[_i].places);
    ck_assert_uint_eq(next.n_paths, 1 + next.n_uplinks);
    for (unsigned i = 0; i < next.n_uplinks; i++) {
        char expected[ADDR_TEXT];
        snprintf(expected, sizeof(expected), "10.200.0.%u", i + 1);
        ck_assert_str_eq(ip_text(&next.uplinks[i].inner[UPLINK_V4], inner), expected);
        ck_assert_str_eq(next.path_names[1 + i], next.uplinks[i].name);
        ck_assert_int_eq(next.uplinks[i].gone, next.uplinks[i].interface[0] == '\0');
        ck_assert(ip_equal(&next.paths[1 + i].local, &next.uplinks[i].inner[UPLINK_V4]));
    }
    done();
}
END_TEST

START_TEST(with_all_places_taken_a_new_uplink_has_that_of_one_that_is_gone)
{
    static const char all[] = UPLINK("a", "d1") UPLINK("b", "d2") UPLINK("c", "d3") UPLINK("d", "d4")
        UPLINK("e", "d5") UPLINK("f", "d6") UPLINK("g", "d7") UPLINK("h", "d8") EDGE;
    static const char other[] = UPLINK("a", "d1") UPLINK("x", "d2") UPLINK("c", "d3") UPLINK("d", "d4")
        UPLINK("e", "d5") UPLINK("f", "d6") UPLINK("g", "d7") UPLINK("h", "d8") EDGE;
    ck_assert_msg(again(all, other) == 0, "%s", said);
    ck_assert_str_eq(places(&next), "a x c d e f g h");
    done();
}
END_TEST

START_TEST(policies_find_uplinks_where_they_are)
{
    ck_assert_int_eq(again(UPLINK("a", "d1") UPLINK("b", "d2") "[cpe lan]\n",
                           UPLINK("b", "d2") "[cpe lan]\n[policy p]\nuplinks = b\n"),
                     0);
    ck_assert_uint_eq(next.policies[0].endpoints,
                      UPLINK_ENDPOINT(1, UPLINK_V4) | UPLINK_ENDPOINT(1, UPLINK_V6));
    conf_free(&next);
    static const char gone[] = UPLINK("b", "d2") "[cpe lan]\n[policy p]\nuplinks = a\n";
    ck_assert_int_eq(conf_parse_again("f.ini", gone, strlen(gone), &conf, &next, &report), -1);
    ck_assert_ptr_nonnull(strstr(said, "there is no section [uplink a]"));
    static const char none[] = "[cpe lan]\n";
    ck_assert_int_eq(conf_parse_again("f.ini", none, strlen(none), &conf, &next, &report), -1);
    ck_assert_ptr_nonnull(strstr(said, "has no way out"));
    conf_free(&conf);
}
END_TEST

/* ---- what differs -------------------------------------------------------------------------------------- */

static void tell(void *arg, char sign, const char *title, const char *keys)
{
    (void)arg;
    size_t used = strlen(said);
    snprintf(said + used, sizeof(said) - used, "%c%s: %s\n", sign, title, keys);
}

static const struct {
    const char *before, *now, *said;
} differences[] = {
    {EDGE, EDGE, ""},
    {EDGE, EDGE "scheduler = roundrobin\nsignal = 10.99.9.7\n", "~edge web: signal, scheduler\n"},
    {EDGE "checksum = off\n", EDGE, ""},
    {EDGE, EDGE "[edge any]\nmode = transparent\n", "+edge any: \n"},
    {EDGE "[path a]\nremote = ::1\n", EDGE "[path b]\nremote = ::1\n", "-path a: \n+path b: \n"},
    {EDGE, EDGE "[limits]\nsubflows = 3\n", "~limits: subflows\n"},
    {EDGE "[limits]\nsubflows = 3\n", EDGE, "~limits: subflows\n"},
    {EDGE "[limits]\nsubflows = 8\n", EDGE, ""},
};

START_TEST(what_differs_is_told_by_section_and_key)
{
    ck_assert_int_eq(again(differences[_i].before, differences[_i].now), 0);
    said[0] = '\0';
    conf_text_compare(&conf.text, &next.text, tell, NULL);
    ck_assert_str_eq(said, differences[_i].said);
    done();
}
END_TEST

/* ---- what outlives a configuration ----------------------------------------------------------------------
 */

START_TEST(names_and_profiles_are_where_they_were)
{
    ck_assert_int_eq(
        again(EDGE "[profile mine]\nscheduler = redundant\n",
              "[profile mine]\nscheduler = redundant\n[profile bulk]\nscheduler = roundrobin\n" EDGE),
        0);
    const struct profile *mine = conf.profiles[conf.n_profiles - 1], *bulk = conf.edges[0].profile;
    const char *name = conf.edges[0].name;
    ck_assert_ptr_eq(next.profiles[next.n_profiles - 1], mine);
    ck_assert_ptr_eq(next.edges[0].name, name);
    ck_assert_ptr_ne(next.edges[0].profile, bulk);
    conf_free(&conf);
    ck_assert_str_eq(mine->sched->name, "redundant");
    ck_assert_str_eq(bulk->sched->name, "minrtt");
    ck_assert_str_eq(next.edges[0].profile->sched->name, "roundrobin");
    ck_assert_str_eq(name, "web");
    conf_free(&next);
}
END_TEST

/* ---- the table ------------------------------------------------------------------------------------------
 */

START_TEST(every_key_is_in_the_table_once)
{
    unsigned n = 0;
    for (const char *known; (known = conf_known_key(n)) != NULL; n++) {
        char section[64];
        snprintf(section, sizeof(section), "%s", known);
        char *key = strchr(section, '.');
        *key++ = '\0';
        ck_assert_msg(conf_fact(section, key) != NULL, "%s", known);
    }
    for (const struct conf_fact *f = conf_facts; f->section; f++)
        n--;
    ck_assert_uint_eq(n, 0);
}
END_TEST

/* A file that says of some sections what holds if it does not. */
static void write_standards(const char *kind, char *text, size_t size)
{
    for (const struct conf_fact *f = conf_facts; f->section; f++) {
        bool only_elsewhere =
            strcmp(f->section, "edge") == 0 &&
            (strcmp(f->key, "source") == 0 || strcmp(f->key, "ports") == 0 || strcmp(f->key, "bypass") == 0 ||
             strcmp(f->key, "open") == 0 || strcmp(f->key, "cookie") == 0 || strcmp(f->key, "pending") == 0 ||
             strcmp(f->key, "bare_syn") == 0 || strcmp(f->key, "early") == 0);
        size_t used = strlen(text);
        if (strcmp(f->section, kind) == 0 && f->standard && !only_elsewhere)
            snprintf(text + used, size - used, "%s = %s\n", f->key, f->standard);
    }
}

START_TEST(the_table_says_what_holds_without_a_file)
{
    static const char *const kinds[] = {"daemon", "tun", "admin", "limits"};
    char text[4096] = "";
    for (unsigned i = 0; i < 4; i++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "[%s]\n", kinds[i]);
        write_standards(kinds[i], text, sizeof(text));
    }
    strcat(text, EDGE);
    write_standards("edge", text, sizeof(text));
    ck_assert_msg(again(EDGE, text) == 0, "%s", said);
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(next.daemon.log_level, conf.daemon.log_level);
    ck_assert_str_eq(next.daemon.control, conf.daemon.control);
    ck_assert_uint_eq(next.daemon.app_mode, conf.daemon.app_mode);
    ck_assert(memcmp(&next.tun, &conf.tun, sizeof(conf.tun)) == 0);
    ck_assert(addr_equal(&next.admin.listen, &conf.admin.listen));
    ck_assert(memcmp(&next.limits, &conf.limits, sizeof(conf.limits)) == 0);
    ck_assert(memcmp(&next.unproven, &conf.unproven, sizeof(conf.unproven)) == 0);
    ck_assert_ptr_eq(next.edges[0].profile, conf.edges[0].profile);
    ck_assert(next.edges[0].checksum == conf.edges[0].checksum &&
              next.edges[0].no_join == conf.edges[0].no_join &&
              next.edges[0].version_0 == conf.edges[0].version_0 &&
              next.edges[0].believe_addresses == conf.edges[0].believe_addresses &&
              next.edges[0].fate_sharing == conf.edges[0].fate_sharing);
    done();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf_reload");
    TCase *t = tcase_create("conf_reload");
    tcase_add_test(t, what_cannot_change_stays_and_is_said);
    tcase_add_test(t, what_the_file_says_no_more_of_stays_too);
    tcase_add_test(t, a_flaw_is_told_and_nothing_comes_of_the_file);
    tcase_add_loop_test(t, uplinks_keep_their_places, 0, sizeof(moves) / sizeof(moves[0]));
    tcase_add_test(t, with_all_places_taken_a_new_uplink_has_that_of_one_that_is_gone);
    tcase_add_test(t, policies_find_uplinks_where_they_are);
    tcase_add_loop_test(t, what_differs_is_told_by_section_and_key, 0,
                        sizeof(differences) / sizeof(differences[0]));
    tcase_add_test(t, names_and_profiles_are_where_they_were);
    tcase_add_test(t, every_key_is_in_the_table_once);
    tcase_add_test(t, the_table_says_what_holds_without_a_file);
    suite_add_tcase(s, t);
    return run_suite(s);
}
