/* The first connections in some order, taken out of pages of them. */
#include <check.h>
#include <event2/buffer.h>
#include "admin/ranking.h"
#include "admin/render.h"
#include "admin_fake.h"
#include "suite.h"

#define PAGE 30

static struct conf conf;
static struct census *census;
static struct ranking *ranking;
static struct snapshot_job *job;

static void begin(struct ranking_wish wish)
{
    fake_conf(&conf);
    census = census_new();
    ranking = ranking_new(&wish, &conf, census);
    job = calloc(1, sizeof(*job));
    ck_assert(census && ranking && job);
    job->now = 65 * BRAID_SECOND;
}

static void end(void)
{
    ranking_free(ranking);
    census_free(census);
    snapshot_job_free(job);
    conf_free(&conf);
}

/* Connection n differs from the others in what it is sorted by: the order is not that of the numbers. */
static unsigned shuffled(unsigned n)
{
    return n * 7 % PAGE;
}

static void page(unsigned worker)
{
    snapshot_job_clear(job);
    job->worker = worker;
    for (unsigned n = 0; n < PAGE; n++) {
        fake_add_conn(job, n, 2);
        struct braid_conn_stats *c = &job->conns[n]->stats;
        c->bytes_in = 1000 + shuffled(n);
        c->opened_at = BRAID_SECOND * shuffled(n);
        c->memory = shuffled(n);
        c->subflows[1].srtt_us = shuffled(n) * 1000;
        c->subflows[0].srtt_us = 1;
        c->subflows[1].retransmits = shuffled(n);
    }
    ranking_take(ranking, job, 2);
}

static uint64_t nth(unsigned i)
{
    return ranking->best[i].conn->stats.id - 1;
}

START_TEST(the_first_are_kept_in_their_order)
{
    static const enum ranking_key keys[] = {RANKING_BYTES, RANKING_RTT, RANKING_RETRANSMITS, RANKING_MEMORY};
    begin((struct ranking_wish){.limit = 5, .key = keys[_i]});
    page(0);
    ck_assert_uint_eq(ranking->n, 5);
    ck_assert_uint_eq(ranking->seen, PAGE);
    ck_assert_uint_eq(ranking->matching, PAGE);
    if (keys[_i] != RANKING_BYTES) /* to the client some has carried more */
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_eq(shuffled((unsigned)nth(i)), PAGE - 1 - i);
    for (unsigned i = 1; i < 5; i++)
        ck_assert_uint_ge(ranking->best[i - 1].rank, ranking->best[i].rank);
    end();
}
END_TEST

START_TEST(the_oldest_come_first_by_age)
{
    begin((struct ranking_wish){.limit = 3, .key = RANKING_AGE});
    page(0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(shuffled((unsigned)nth(i)), i);
    end();
}
END_TEST

START_TEST(of_equals_those_that_came_first_are_kept)
{
    begin((struct ranking_wish){.limit = 4, .key = RANKING_SUBFLOWS});
    page(0);
    page(1);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(nth(i), i);
        ck_assert_uint_eq(ranking->best[i].worker, 0);
    }
    end();
}
END_TEST

START_TEST(a_rate_needs_a_second_walk)
{
    begin((struct ranking_wish){.limit = 1, .key = RANKING_RATE});
    page(1);
    ck_assert_uint_eq(ranking->best[0].rank, 0);
    ranking_free(ranking);
    ranking = ranking_new(&(struct ranking_wish){.limit = 1, .key = RANKING_RATE}, &conf, census);
    snapshot_job_clear(job);
    job->now += BRAID_SECOND;
    for (unsigned n = 0; n < 3; n++) {
        fake_add_conn(job, n, 1);
        job->conns[n]->stats.bytes_in = 1000 + shuffled(n) + (n == 1 ? 4000 : 100);
    }
    ranking_take(ranking, job, 2);
    ck_assert_uint_eq(nth(0), 1);
    ck_assert_uint_eq(ranking->best[0].rate.from_client, 4000);
    end();
}
END_TEST

START_TEST(a_text_is_looked_for_in_names_and_addresses)
{
    static const struct {
        const char *find;
        unsigned matching;
    } cases[] = {{"SIX", PAGE / 2}, {"10.99.3.2", PAGE / 2}, {"192.0.2.7:4", PAGE},
                 {"db8::7", PAGE},  {"lte", PAGE},           {"dsl", 0},
                 {"198.51", 0}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ranking_wish wish = {.limit = 500, .key = RANKING_BYTES};
        strcpy(wish.find, cases[i].find);
        begin(wish);
        page(0);
        ck_assert_msg(ranking->matching == cases[i].matching, "%s: %u", cases[i].find,
                      (unsigned)ranking->matching);
        ck_assert_uint_eq(ranking->n, cases[i].matching);
        ck_assert_uint_eq(ranking->seen, PAGE);
        end();
    }
}
END_TEST

START_TEST(what_the_lan_has_with_a_cpe_is_not_counted_twice)
{
    begin((struct ranking_wish){.limit = 500, .key = RANKING_BYTES});
    for (unsigned n = 0; n < 2; n++) {
        fake_add_conn(job, n, 1);
        job->conns[n]->told.cpe = "home";
        job->conns[n]->told.wan = n == 1;
    }
    ranking_take(ranking, job, 2);
    ck_assert_uint_eq(ranking->seen, 1);
    ck_assert_uint_eq(nth(0), 1);
    end();
}
END_TEST

START_TEST(documents_show_the_rates_and_how_many_there_are)
{
    begin((struct ranking_wish){.limit = 2, .key = RANKING_MEMORY});
    page(1);
    const struct snapshot_view view = {.conf = &conf, .n_workers = 2, .ranking = ranking};
    struct doc doc = {.buf = evbuffer_new()};
    char text[16384];
    ranking->best[0].rate = (struct census_rate){125000, 250000000};
    render_top_json(&doc, &view);
    text[evbuffer_remove(doc.buf, text, sizeof(text) - 1)] = '\0';
    static const char head[] = "{\"seen\":30,\"matching\":30,\"connections\":[{\"id\":";
    ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
    ck_assert_ptr_nonnull(strstr(text, ",\"from_client_per_s\":125000,\"to_client_per_s\":250000000,"));
    ck_assert_ptr_nonnull(strstr(text, ",\"subflows\":[{"));
    render_top_text(&doc, &view);
    text[evbuffer_remove(doc.buf, text, sizeof(text) - 1)] = '\0';
    ck_assert_ptr_nonnull(strstr(text, " 1.0 Mbit/s     2.0 Gbit/s    2   29.0 ms     62\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n2 of 30 connections\n"));
    evbuffer_free(doc.buf);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ranking");
    TCase *t = tcase_create("ranking");
    tcase_add_loop_test(t, the_first_are_kept_in_their_order, 0, 4);
    tcase_add_test(t, the_oldest_come_first_by_age);
    tcase_add_test(t, of_equals_those_that_came_first_are_kept);
    tcase_add_test(t, a_rate_needs_a_second_walk);
    tcase_add_test(t, a_text_is_looked_for_in_names_and_addresses);
    tcase_add_test(t, what_the_lan_has_with_a_cpe_is_not_counted_twice);
    tcase_add_test(t, documents_show_the_rates_and_how_many_there_are);
    suite_add_tcase(s, t);
    return run_suite(s);
}
