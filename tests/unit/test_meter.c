/* What was carried from second to second: the meter asks fake workers, whose counters grow by the same each
 * time. */
#include <check.h>
#include <event2/event.h>
#include <event2/buffer.h>
#include "admin/meter.h"
#include "admin/render.h"
#include "admin_client.h"
#include "admin_fake.h"
#include "suite.h"

#define PERIOD_MS 5

static struct event_base *base;
static struct fake fake;
static struct conf conf;
static struct meter *meter;

static void setup(void)
{
    base = event_base_new();
    fake_conf(&conf);
    fake_init(&fake, base, 2);
    meter = meter_new(base, &fake.source, &conf, PERIOD_MS);
    ck_assert_ptr_nonnull(meter);
}

static void teardown(void)
{
    meter_free(meter);
    fake_release(&fake);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    conf_free(&conf);
}

static struct meter_point last(enum meter_kind kind, unsigned i)
{
    return meter_point(meter, kind, i, 0);
}

START_TEST(before_the_second_round_nothing_is_known)
{
    ck_assert_uint_eq(meter_seconds(meter), 0);
    client_until(base, fake.rounds == 1);
    ck_assert_uint_eq(meter_seconds(meter), 0);
    ck_assert_int_eq(meter_at_ms(meter), 0);
    ck_assert_uint_eq(last(METER_EDGES, 0).in, 0);
    ck_assert_uint_eq(meter_seconds(NULL), 0);
    ck_assert_uint_eq(meter_point(NULL, METER_EDGES, 0, 0).in, 0);
}
END_TEST

/* The time between two rounds is the machine's: what is certain is how the figures go together. */
START_TEST(what_the_counters_grew_by_is_a_rate)
{
    client_until(base, meter_seconds(meter) >= 3);
    const struct meter_point web = last(METER_EDGES, 0), lte = last(METER_PATHS, 0);
    ck_assert_uint_gt(web.in, 0);
    ck_assert_uint_le(web.in, 2 * 100 * 1000 / PERIOD_MS);
    ck_assert(web.out >= 3 * web.in && web.out <= 3 * web.in + 3);
    ck_assert(lte.in >= 69 * web.in && lte.in <= 71 * web.in);
    ck_assert(lte.again * 4 <= lte.sent && lte.sent <= lte.again * 4 + 4);
    ck_assert_uint_eq(lte.rtt_us, 4000);
    ck_assert_uint_eq(lte.samples, 2);
    ck_assert_uint_eq(last(METER_EDGES, 1).in, 0);
    ck_assert_uint_eq(last(METER_PATHS, 1).in, 0);
    ck_assert_uint_eq(meter_count(meter, METER_EDGES), FAKE_EDGES);
    ck_assert_uint_eq(meter_count(meter, METER_CPES), 0);
    ck_assert_uint_eq(meter_count(meter, METER_PATHS), 3);
    ck_assert_int_gt(meter_at_ms(meter), 0);
}
END_TEST

START_TEST(the_last_five_minutes_are_kept_and_no_more)
{
    client_until(base, fake.rounds >= METER_SECONDS + 5);
    ck_assert_uint_eq(meter_seconds(meter), METER_SECONDS);
    for (unsigned ago = 0; ago < METER_SECONDS; ago++)
        ck_assert_uint_gt(meter_point(meter, METER_EDGES, 0, ago).in, 0);
    ck_assert_uint_eq(meter_point(meter, METER_EDGES, 0, METER_SECONDS).in, 0);
}
END_TEST

START_TEST(a_worker_that_is_slow_is_asked_once_and_makes_a_longer_second)
{
    client_until(base, meter_seconds(meter) == 1);
    fake.hold = true;
    client_until(base, fake.n_held == 1);
    unsigned before = meter_seconds(meter);
    int64_t end = client_now_ms() + 10 * PERIOD_MS;
    client_until(base, client_now_ms() > end);
    ck_assert_uint_eq(fake.n_held, 1);
    ck_assert_uint_eq(meter_seconds(meter), before);
    fake.hold = false;
    fake_release(&fake);
    client_until(base, meter_seconds(meter) == before + 1);
    ck_assert_uint_le(last(METER_EDGES, 0).in, 2 * 100 * 1000 / (10 * PERIOD_MS));
}
END_TEST

static char *document(void (*render)(struct doc *d, const struct snapshot_view *v), unsigned seconds)
{
    const struct snapshot_view view = {.conf = &conf, .meter = meter, .seconds = seconds};
    struct doc doc = {.buf = evbuffer_new()};
    render(&doc, &view);
    ck_assert(!doc.failed);
    size_t len = evbuffer_get_length(doc.buf);
    char *text = calloc(1, len + 1);
    evbuffer_remove(doc.buf, text, len);
    evbuffer_free(doc.buf);
    return text;
}

START_TEST(the_document_has_as_many_seconds_as_are_asked_for)
{
    client_until(base, meter_seconds(meter) == 4);
    char *text = document(render_rates_json, 2), expected[512];
    struct meter_point before = meter_point(meter, METER_EDGES, 0, 1), now = last(METER_EDGES, 0);
    snprintf(expected, sizeof(expected),
             "\"seconds\":2,\"edges\":[{\"name\":\"web\",\"bytes_to_server\":[%u,%u],\"bytes_from_server\":[%"
             "u,%u]},"
             "{\"name\":\"six\",\"bytes_to_server\":[0,0],",
             (unsigned)before.in, (unsigned)now.in, (unsigned)before.out, (unsigned)now.out);
    ck_assert_msg(strstr(text, expected) != NULL, "%s is not in %s", expected, text);
    ck_assert_ptr_nonnull(strstr(text, "],\"rtt_us\":[4000,4000]},{\"name\":\"dsl\",\"bytes_in\":[0,0],"));
    ck_assert_ptr_nonnull(strstr(text, ",{\"name\":\"-\",\"bytes_in\":[0,0],"));
    free(text);
    text = document(render_rates_json, 0);
    ck_assert_ptr_nonnull(strstr(text, "\"seconds\":4,"));
    free(text);
}
END_TEST

START_TEST(people_see_the_last_second)
{
    char *text = document(render_rates_text, 0);
    ck_assert_str_eq(text, "no second has been measured yet\n");
    free(text);
    client_until(base, meter_seconds(meter) == 1);
    text = document(render_rates_text, 0);
    ck_assert_ptr_nonnull(strstr(text, "EDGE                 TO SERVERS   FROM SERVERS\nweb "));
    ck_assert_ptr_nonnull(strstr(text, " 4.0 ms   20"));
    ck_assert_ptr_nonnull(strstr(text, "\n-                       0 bit/s        0 bit/s         -   \n"));
    free(text);
}
END_TEST

START_TEST(metrics_have_the_rates_of_the_last_second)
{
    client_until(base, meter_seconds(meter) == 1);
    char *text = document(render_rates_metrics, 0), expected[128];
    snprintf(expected, sizeof(expected), "\nbraid_edge_from_server_bytes_per_second{edge=\"web\"} %u\n",
             (unsigned)last(METER_EDGES, 0).out);
    ck_assert_ptr_nonnull(strstr(text, expected));
    ck_assert_ptr_nonnull(strstr(text, "\nbraid_path_sent_bytes_per_second{path=\"-\"} 0\n"));
    ck_assert_ptr_null(strstr(text, "cpe"));
    free(text);
}
END_TEST

START_TEST(stopping_while_a_worker_is_asked_leaves_nothing)
{
    fake.hold = true;
    client_until(base, fake.n_held == 1);
    meter_free(meter);
    meter = NULL;
    fake_release(&fake);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("meter");
    TCase *t = tcase_create("meter");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, before_the_second_round_nothing_is_known);
    tcase_add_test(t, what_the_counters_grew_by_is_a_rate);
    tcase_add_test(t, the_last_five_minutes_are_kept_and_no_more);
    tcase_add_test(t, a_worker_that_is_slow_is_asked_once_and_makes_a_longer_second);
    tcase_add_test(t, the_document_has_as_many_seconds_as_are_asked_for);
    tcase_add_test(t, people_see_the_last_second);
    tcase_add_test(t, metrics_have_the_rates_of_the_last_second);
    tcase_add_test(t, stopping_while_a_worker_is_asked_leaves_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
