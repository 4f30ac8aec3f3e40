/* Scenario files of the lab: what is read, what is refused and with which words. */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lab/scenario.h"
#include "../lab/values.h"
#include "suite.h"

#define SCENARIOS "tests/lab/scenarios/"

static char directory[] = "/tmp/scenario-XXXXXX";

static void make_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
    char file[64];

    snprintf(file, sizeof(file), "%s/s.ini", directory);
    unlink(file);
    snprintf(file, sizeof(file), "%s/t", directory);
    unlink(file);
    ck_assert_int_eq(rmdir(directory), 0);
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void write_file(const char *name, const char *text)
{
    char file[64];
    FILE *out;

    snprintf(file, sizeof(file), "%s/%s", directory, name);
    out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
}

static int load(const char *text, struct lab_scenario *s, char *error)
{
    char file[64];

    write_file("s.ini", text);
    snprintf(file, sizeof(file), "%s/s.ini", directory);
    return lab_scenario_load(file, s, error);
}

/* The text is refused, and the error has these words behind the name of the file. */
static void refused(const char *text, const char *words)
{
    struct lab_scenario s;
    char error[LAB_ERROR], *colon;

    ck_assert_msg(load(text, &s, error) < 0, "accepted: %s", text);
    colon = strstr(error, "s.ini:");
    ck_assert_msg(colon && strncmp(colon + 6, words, strlen(words)) == 0, "'%s' is not '%s'", error, words);
    lab_scenario_free(&s);
}

START_TEST(every_key_is_read)
{
    struct lab_scenario s;
    char error[LAB_ERROR] = "";
    struct link_params *p = &s.paths[0].down, *up = &s.paths[0].up;

    ck_assert_msg(load("; a comment\n"
                       "[scenario]\n"
                       "about = Both ways  # and not more\n"
                       "\n"
                       "[path one]\n"
                       "queue = 1s\n"
                       "rate = 8mbit\n"
                       "up.rate = 800kbit\n"
                       "rtt = 30ms\n"
                       "up.delay = 40ms\n"
                       "jitter = 1.5ms\n"
                       "down.aqm = codel 10ms 200ms\n"
                       "loss = 1%\n"
                       "gilbert = 0.1% 20% 0.5\n"
                       "reorder = 2% 5ms\n"
                       "duplicate = 0.3%\n"
                       "corrupt = 0.4%\n"
                       "schedule = 10s down, 15s up, 15s rate 2mbit, 16s delay 90ms, repeat 20s\n"
                       "policer = 4mbit 64KB\n"
                       "mtu = 1400B\n"
                       "up.mtu = 1300B silent\n"
                       "strip = data\n"
                       "join_loss = 30%\n"
                       "[path two]\n"
                       "shares = one\n"
                       "rtt = 50ms\n",
                       &s, error) == 0,
                  "%s", error);
    ck_assert_str_eq(s.about, "Both ways");
    ck_assert_uint_eq(s.n_paths, 2);
    ck_assert_ptr_eq(lab_scenario_path(&s, "one"), &s.paths[0]);
    ck_assert_ptr_eq(lab_scenario_path(&s, "two"), &s.paths[1]);
    ck_assert_ptr_null(lab_scenario_path(&s, "three"));
    ck_assert_uint_eq(p->rate, 1000000);
    ck_assert_uint_eq(up->rate, 100000);
    ck_assert_uint_eq(p->queue, 1000000);
    ck_assert_uint_eq(up->queue, 100000);
    ck_assert_int_eq(p->delay, 15 * BRAID_MS);
    ck_assert_int_eq(up->delay, 40 * BRAID_MS);
    ck_assert_int_eq(p->jitter, 1500);
    ck_assert(p->codel && !up->codel);
    ck_assert_int_eq(p->codel_target, 10 * BRAID_MS);
    ck_assert_int_eq(p->codel_interval, 200 * BRAID_MS);
    ck_assert_double_eq_tol(p->loss, 0.01, 1e-12);
    ck_assert_double_eq_tol(p->burst_begin, 0.001, 1e-12);
    ck_assert_double_eq_tol(p->burst_end, 0.2, 1e-12);
    ck_assert_double_eq_tol(p->burst_loss, 0.5, 1e-12);
    ck_assert_double_eq_tol(p->reorder, 0.02, 1e-12);
    ck_assert_int_eq(p->reorder_by, 5 * BRAID_MS);
    ck_assert_double_eq_tol(p->duplicate, 0.003, 1e-12);
    ck_assert_double_eq_tol(p->corrupt, 0.004, 1e-12);
    ck_assert_uint_eq(p->n_changes, 4);
    ck_assert(p->schedule[0].what == LINK_DOWN && p->schedule[0].at == 10 * BRAID_SECOND);
    ck_assert(p->schedule[1].what == LINK_UP && p->schedule[1].at == 15 * BRAID_SECOND);
    ck_assert_int_eq(p->repeat, 20 * BRAID_SECOND);
    ck_assert(p->schedule[2].what == LINK_RATE && p->schedule[2].value == 250000);
    ck_assert(p->schedule[3].what == LINK_DELAY && p->schedule[3].value == 90 * BRAID_MS);
    ck_assert_uint_eq(p->policer_rate, 500000);
    ck_assert_uint_eq(p->policer_burst, 65536);
    ck_assert(p->mtu == 1400 && !p->black_hole && up->mtu == 1300 && up->black_hole);
    ck_assert_int_eq(p->strip, STRIP_DATA);
    ck_assert_double_eq_tol(p->join_loss, 0.3, 1e-12);
    ck_assert_uint_eq(p->shares, 0);
    ck_assert(s.paths[1].down.shares == 1 && s.paths[1].up.shares == 1);
    ck_assert(s.paths[1].down.queue == 0 && s.paths[1].down.mtu == 1500);
    lab_scenario_free(&s);
}
END_TEST

START_TEST(a_queue_that_is_not_given_fits_the_path)
{
    struct lab_scenario s;
    char error[LAB_ERROR];

    ck_assert_int_eq(load("[path near]\nrate = 8mbit\nrtt = 10ms\n"
                          "[path far]\nrate = 8mbit\nrtt = 200ms\n"
                          "[path slow]\nrate = 80kbit\n"
                          "[path infinite]\ndelay = 1ms\n",
                          &s, error),
                     0);
    ck_assert_uint_eq(s.paths[0].down.queue, 50000); /* 50 ms */
    ck_assert_uint_eq(s.paths[1].up.queue, 200000);  /* a bandwidth-delay product */
    ck_assert_uint_eq(s.paths[2].down.queue, 15000); /* ten packets */
    ck_assert_uint_eq(s.paths[3].down.queue, 0);
    lab_scenario_free(&s);
}
END_TEST

START_TEST(who_shares_a_wire_gets_one_like_it_when_alone)
{
    struct lab_scenario s;
    char error[LAB_ERROR];

    ck_assert_int_eq(load("[path a]\nrate = 8mbit\nrtt = 10ms\naqm = codel 10ms 200ms\n"
                          "[path b]\nshares = a\nrtt = 30ms\nloss = 1%\n",
                          &s, error),
                     0);
    lab_path_alone(&s.paths[1], &s);
    ck_assert_uint_eq(s.paths[1].down.shares, 0);
    ck_assert_uint_eq(s.paths[1].down.rate, 1000000);
    ck_assert_uint_eq(s.paths[1].up.queue, 50000);
    ck_assert(s.paths[1].up.codel && s.paths[1].up.codel_target == 10 * BRAID_MS);
    ck_assert_int_eq(s.paths[1].down.delay, 15 * BRAID_MS);
    ck_assert_double_eq_tol(s.paths[1].down.loss, 0.01, 1e-12);
    lab_path_alone(&s.paths[0], &s); /* has its own */
    ck_assert_uint_eq(s.paths[0].down.rate, 1000000);
    lab_scenario_free(&s);
}
END_TEST

START_TEST(a_trace_stands_for_the_rate)
{
    struct lab_scenario s;
    char error[LAB_ERROR];

    write_file("t", "0\n5\n5\n10\n");
    ck_assert_int_eq(load("[path p]\ndown.trace = t\nup.rate = 1mbit\nqueue = 100ms\n", &s, error), 0);
    ck_assert_ptr_nonnull(s.paths[0].down.trace);
    ck_assert_ptr_null(s.paths[0].up.trace);
    ck_assert_uint_eq(s.paths[0].down.trace->n, 4);
    ck_assert_uint_eq(link_mean_rate(&s.paths[0].down), 600000); /* 4 x 1,500 bytes in 10 ms */
    ck_assert_uint_eq(s.paths[0].down.queue, 60000);
    ck_assert_uint_eq(s.paths[0].up.queue, 12500);
    lab_scenario_free(&s);
}
END_TEST

START_TEST(mistakes_are_told_with_their_place)
{
    refused("", "0: expected at least one [path NAME]");
    refused("rate = 1mbit\n", "1: rate: expected [scenario] or [path NAME] first");
    refused("[paths one]\n", "1: [paths one]: expected [scenario] or [path NAME]");
    refused("[path One]\n", "1: [path One]: expected a name of a-z");
    refused("[path a]\n[path a]\n", "2: [path a]: there is a path of this name");
    refused("[path a]\n[path b]\n[path c]\n[path d]\n[path e]\n[path f]\n",
            "6: [path f]: expected at most 5 paths");
    refused("[path a]\n[scenario]\n", "2: [scenario]: expected before all paths");
    refused("[scenario]\nname = x\n", "2: name: there is no such key in [scenario]; expected about");
    refused("[path a]\nrate\n", "2: path a: rate: expected key = value");
    refused("[path a]\nrate =\n", "2: path a: expected key = value");
    refused("[path a]\n\nspeed = 1mbit\n",
            "3: path a: speed: there is no such key; expected trace, shares, rate,");
    refused("[path a]\nrate = 1mbit\nrate = 2mbit\n", "3: path a: rate: expected once in a section");
    refused("[path a]\nrate = 1000\n", "2: path a: rate = 1000: expected a rate such as");
    refused("[path a]\nrate = 0mbit\n", "2: path a: rate = 0mbit: expected a rate");
    refused("[path a]\nrate = 1 mbit\n", "2: path a: rate = 1 mbit: expected a rate");
    refused("[path a]\nrate = -1mbit\n", "2: path a: rate = -1mbit: expected a rate");
    refused("[path a]\nrtt = 15\n", "2: path a: rtt = 15: expected a time");
    refused("[path a]\nup.rtt = 15ms\n", "2: path a: up.rtt: a round trip has both directions");
    refused("[path a]\nloss = 101%\n", "2: path a: loss = 101%: expected a probability");
    refused("[path a]\nloss = nan\n", "2: path a: loss = nan: expected a probability");
    refused("[path a]\ngilbert = 1% 20%\n", "2: path a: gilbert = 1% 20%: expected three probabilities");
    refused("[path a]\ngilbert = 1% 0% 1%\n", "2: path a: gilbert");
    refused("[path a]\nreorder = 1%\n", "2: path a: reorder = 1%: expected a probability and how late");
    refused("[path a]\naqm = red\n", "2: path a: aqm = red: expected tail, codel");
    refused("[path a]\naqm = codel 5ms 1ms\n", "2: path a: aqm");
    refused("[path a]\naqm = codel\n", "1: path a: down.aqm: CoDel needs a rate");
    refused("[path a]\nqueue = 1s\n", "2: path a: queue = 1s: expected a size such as 64KB, or a time");
    refused("[path a]\njitter = 2ms\nrtt = 2ms\n",
            "1: path a: down.jitter: expected at most the delay, 1000 us");
    refused("[path a]\nschedule = 2s up, 1s down\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s off\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s down, repeat 1s\n", "2: path a: schedule");
    refused("[path a]\nschedule = repeat 1s\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s down, 1s down\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s rate\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s rate 5ms\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s delay 5mbit\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s down, repeat 2s now\n", "2: path a: schedule");
    refused("[path a]\nschedule = 1s rate 5mbit\n",
            "1: path a: down.schedule: who changes the rate needs one");
    refused("[path a]\nrtt = 9ms\njitter = 4ms\nschedule = 1s delay 2ms\n",
            "1: path a: down.jitter: expected at most the delay, which becomes 2000 us");
    refused("[path a]\npolicer = 5mbit\n", "2: path a: policer = 5mbit: expected a rate and");
    refused("[path a]\nmtu = 1400\n", "2: path a: mtu = 1400: expected a size from 576B");
    refused("[path a]\nmtu = 1501B\n", "2: path a: mtu");
    refused("[path a]\nmtu = 1400B loud\n", "2: path a: mtu");
    refused("[path a]\nstrip = some\n", "2: path a: strip = some: expected none, all, syn, data or join");
    refused("[path a]\njoin_loss = 2\n", "2: path a: join_loss");
    refused("[path a]\nshares = b\n[path b]\n", "2: path a: shares = b: expected a path above");
    refused("[path a]\nshares = a\n", "2: path a: shares = a: expected a path above");
    refused("[path a]\n[path b]\nshares = a\n[path c]\nshares = b\n", "5: path c: shares = b: expected");
    refused("[path a]\nrate = 1mbit\n[path b]\nshares = a\nrate = 1mbit\n",
            "3: path b: shares: rate, queue and aqm");
    refused("[path a]\ntrace = nowhere\n", "2: path a: trace: ");
    write_file("t", "1\n2\n");
    refused("[path a]\ntrace = t\nrate = 1mbit\n", "3: path a: rate: this direction has a trace");
    refused("[path a]\nrate = 1mbit\ntrace = t\n", "3: path a: trace: expected before any rate");
}
END_TEST

START_TEST(bad_traces_are_refused)
{
    static const char *const bad[] = {"",     "0\n",   "1\nx\n",        "2\n1\n",
                                      "-1\n", "1 2\n", "99999999999\n", "1.5\n"};

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_file("t", bad[i]);
        refused("[path a]\ntrace = t\n", "2: path a: trace: ");
    }
}
END_TEST

START_TEST(values_have_units)
{
    uint64_t n = 7;
    braid_time t = 7;
    double p = 7;

    ck_assert(lab_rate("2.5gbit", &n) && n == 312500000);
    ck_assert(lab_rate("8kbit", &n) && n == 1000);
    ck_assert(lab_size("64KB", &n) && n == 65536);
    ck_assert(lab_size("1.5MB", &n) && n == 1572864);
    ck_assert(lab_size("1500B", &n) && n == 1500);
    ck_assert(lab_time("200us", &t) && t == 200);
    ck_assert(lab_time("0s", &t) && t == 0);
    ck_assert(lab_probability("2.5%", &p) && p > 0.02499 && p < 0.02501);
    ck_assert(lab_probability("0.25", &p) && p > 0.2499 && p < 0.2501);
    n = 7;
    ck_assert(!lab_rate("1e3mbit", &n) && !lab_rate("1..5mbit", &n) && !lab_rate("0x1mbit", &n) && n == 7);
    ck_assert(!lab_rate("", &n) && !lab_rate("mbit", &n) && !lab_rate(".5mbit", &n) && n == 7);
    ck_assert(!lab_size("0KB", &n) && !lab_size("99999999999999999999MB", &n) && n == 7);
}
END_TEST

START_TEST(a_change_while_running_is_whole_or_not_at_all)
{
    struct lab_path path = {.name = "p"};
    char error[LAB_ERROR];

    ck_assert_int_eq(lab_path_set(&path, "down.rate", "10mbit", error), 0);
    ck_assert_uint_eq(path.down.rate, 1250000);
    ck_assert_uint_eq(path.up.rate, 0);
    ck_assert_int_eq(lab_path_set(&path, "gilbert", "1% 2% x", error), -1);
    ck_assert(path.down.burst_begin == 0 && path.up.burst_begin == 0);
}
END_TEST

START_TEST(the_scenarios_that_stand_here_are_good)
{
    glob_t found;

    ck_assert_int_eq(glob(SCENARIOS "*.ini", 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, 34);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct lab_scenario s;
        char error[LAB_ERROR];

        ck_assert_msg(lab_scenario_load(found.gl_pathv[i], &s, error) == 0, "%s", error);
        ck_assert_msg(s.n_paths >= 2 && s.about[0], "%s", found.gl_pathv[i]);
        lab_scenario_free(&s);
    }
    globfree(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scenario");
    TCase *c = tcase_create("scenario");

    tcase_add_checked_fixture(c, make_directory, remove_directory);
    tcase_add_test(c, every_key_is_read);
    tcase_add_test(c, a_queue_that_is_not_given_fits_the_path);
    tcase_add_test(c, who_shares_a_wire_gets_one_like_it_when_alone);
    tcase_add_test(c, a_trace_stands_for_the_rate);
    tcase_add_test(c, mistakes_are_told_with_their_place);
    tcase_add_test(c, bad_traces_are_refused);
    tcase_add_test(c, values_have_units);
    tcase_add_test(c, a_change_while_running_is_whole_or_not_at_all);
    tcase_add_test(c, the_scenarios_that_stand_here_are_good);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
