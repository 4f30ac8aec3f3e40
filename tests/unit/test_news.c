/* What happens to connections, as it is told to whoever listens (src/mptcp/news.c): both ends of a pair. */
#include <stdio.h>
#include <braid/events.h>
#include "pair.h"
#include "strip.h"

static struct pair p;

/* What each end has heard, a word an event: "established/mptcp up0 up1/peer down1:0 ...". */
static char heard[2][1024];
static struct braid_event last[2]; /* in full */

static void note(void *ctx, const struct braid_conn *c, const struct braid_event *e)
{
    static const char *const words[] = {"established", "up",       "down",  "failed",
                                        "priority",    "silent",   "heard", "announced",
                                        "withdrawn",   "fallback", "closed"};
    unsigned end = ctx == &p.server;
    char *text = heard[end];
    size_t n = strlen(text);
    ck_assert_uint_eq(braid_conn_id(c), 1);
    n += (size_t)snprintf(text + n, sizeof(heard[0]) - n, "%s%s", n > 0 ? " " : "", words[e->kind]);
    if (e->kind >= BRAID_EVENT_SUBFLOW_UP && e->kind <= BRAID_EVENT_HEARD)
        n += (size_t)snprintf(text + n, sizeof(heard[0]) - n, "%u", e->subflow);
    if (e->kind == BRAID_EVENT_SUBFLOW_DOWN || e->kind == BRAID_EVENT_FAILED || e->kind == BRAID_EVENT_CLOSED)
        n += (size_t)snprintf(text + n, sizeof(heard[0]) - n, ":%s", braid_close_text(e->why));
    snprintf(text + n, sizeof(heard[0]) - n, "%s%s%s%s", e->mptcp ? "/mptcp" : "", e->backup ? "/backup" : "",
             e->by_peer ? "/peer" : "", e->present ? "/present" : "");
    last[end] = *e;
}

static void listen_at(struct side *s)
{
    braid_core_on_event(s->core, note, s);
}

/* And forgets. */
static void expect(unsigned end, const char *expected)
{
    ck_assert_str_eq(heard[end], expected);
    heard[end][0] = '\0';
}

static void begin(bool plain)
{
    memset(heard, 0, sizeof(heard));
    pair_init(&p, false, NULL, 0);
    listen_at(&p.client);
    listen_at(&p.server);
    pair_connect(&p, plain);
    pair_run_for(&p, BRAID_SECOND);
}

/* Over two subflows, of which is told no more. */
static void begin_two(void)
{
    begin(false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    pair_run_for(&p, 100 * BRAID_MS);
    heard[0][0] = heard[1][0] = '\0';
}

START_TEST(subflows_come_and_the_connection_ends_in_order)
{
    begin(false);
    expect(0, "established/mptcp up0");
    expect(1, "established/mptcp up0/peer");
    ck_assert(addr_equal(&last[0].local, &last[1].remote) && last[0].local.port == 4000);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", true);
    pair_run_for(&p, 100 * BRAID_MS);
    expect(0, "up1/backup");
    expect(1, "up1/backup/peer");
    ck_assert(last[1].remote.port == 4001 && addr_equal(&last[0].remote, &last[1].local));
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 10 * BRAID_SECOND);
    for (unsigned end = 0; end < 2; end++) {
        ck_assert(last[end].kind == BRAID_EVENT_CLOSED && last[end].established);
        expect(end, "down0:done down1:done/backup closed:done");
    }
    pair_free(&p);
}
END_TEST

START_TEST(plain_tcp_is_told_as_well)
{
    begin(true);
    expect(0, "established up0");
    expect(1, "established up0/peer");
    braid_conn_abort(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    expect(0, "down0:aborted closed:aborted");
    expect(1, "down0:reset by peer closed:reset by peer");
    pair_free(&p);
}
END_TEST

START_TEST(a_subflow_that_is_reset_says_why)
{
    begin_two();
    braid_conn_set_option(p.client.conn, BRAID_OPT_RESET_REASON, BRAID_RESET_PERFORMANCE);
    braid_conn_reset_subflow(p.client.conn, 1);
    pair_run_for(&p, 100 * BRAID_MS);
    expect(0, "down1:aborted");
    expect(1, "down1:reset by peer");
    ck_assert(last[0].reset == BRAID_RESET_PERFORMANCE && last[1].reset == BRAID_RESET_PERFORMANCE);
    pair_free(&p);
}
END_TEST

/* RFC 8684 section 3.3.8; saying the same again is no change. */
START_TEST(priorities_are_told_at_both_ends_when_they_change)
{
    begin_two();
    for (unsigned i = 0; i < 2; i++) {
        braid_conn_set_backup(p.client.conn, 1, true);
        pair_run_for(&p, 100 * BRAID_MS);
    }
    expect(0, "priority1/backup");
    expect(1, "priority1/backup/peer");
    braid_conn_set_backup(p.server.conn, 1, true);
    pair_run_for(&p, 100 * BRAID_MS);
    braid_conn_set_backup(p.client.conn, 1, false);
    pair_run_for(&p, 100 * BRAID_MS);
    expect(0, "priority1/backup/peer priority1/backup"); /* the server still wants it so */
    expect(1, "priority1/backup priority1/backup/peer");
    pair_free(&p);
}
END_TEST

START_TEST(addresses_are_told_once_and_when_they_go)
{
    struct braid_addr more = pair_addr("10.0.9.7:81"), other = pair_addr("10.0.9.7:82");
    begin(false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    expect(0, "established/mptcp up0");
    for (unsigned i = 0; i < 2; i++) {
        braid_conn_announce(p.server.conn, &more);
        pair_run_for(&p, 100 * BRAID_MS);
    }
    expect(0, "announced");
    ck_assert(addr_equal(&last[0].remote, &more) && last[0].address_id == 1);
    braid_conn_announce(p.server.conn, &other);
    pair_run_for(&p, BRAID_SECOND);
    expect(0, "announced");
    braid_conn_withdraw(p.server.conn, &more.ip);
    pair_run_for(&p, 3 * BRAID_SECOND); /* it is repeated */
    expect(0, "withdrawn");
    ck_assert(addr_equal(&last[0].remote, &other) && last[0].address_id == 1);
    expect(1, "established/mptcp up0/peer"); /* what one has done oneself is no news */
    pair_free(&p);
}
END_TEST

static bool strip(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    (void)unused, (void)to_server, (void)len;
    strip_mptcp(packet + 20);
    return true;
}

START_TEST(falling_back_is_told)
{
    begin(false);
    expect(0, "established/mptcp up0");
    expect(1, "established/mptcp up0/peer");
    p.tap = strip;
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    expect(0, "fallback");
    expect(1, "fallback");
    braid_conn_tell(p.client.conn, note, &p.client);
    expect(0, "established/mptcp/present fallback/present up0/present");
    pair_free(&p);
}
END_TEST

START_TEST(what_we_open_in_vain_is_told)
{
    begin(false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, 100 * BRAID_MS); /* for the first DSS to arrive */
    heard[0][0] = heard[1][0] = '\0';
    struct braid_addr from = pair_addr("10.0.2.2:4001"), nobody = pair_addr("10.0.9.1:81");
    p.tap = strip; /* the SYN arrives without its MP_JOIN, at a port where nobody listens */
    ck_assert_int_eq(braid_conn_join(p.client.conn, &from, &nobody, false, p.now), BRAID_ERROR_NONE);
    p.tap = NULL;
    pair_run_for(&p, BRAID_SECOND);
    expect(0, "failed1:refused");
    expect(1, "");
    pair_free(&p);
}
END_TEST

static bool lose_third_acks(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    (void)unused, (void)len;
    return !to_server || (packet[33] & TCP_SYN);
}

/* Anybody who has seen the token can send SYNs with it. */
START_TEST(of_joins_that_have_proven_nothing_nothing_is_told)
{
    begin(false);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    heard[0][0] = heard[1][0] = '\0';
    p.tap = lose_third_acks;
    pair_join(&p, "10.0.2.2:4001", false);
    ck_assert_int_eq(braid_conn_set_backup(p.client.conn, 1, true), 0);
    expect(0, ""); /* it is not up */
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
    pair_run_for(&p, 60 * BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 1);
    expect(1, "");
    pair_free(&p);
}
END_TEST

START_TEST(who_begins_to_listen_is_told_how_it_is)
{
    struct braid_addr more = pair_addr("10.0.9.7:81");
    begin_two();
    braid_conn_announce(p.server.conn, &more);
    braid_conn_set_backup(p.server.conn, 1, true);
    pair_run_for(&p, 100 * BRAID_MS);
    heard[0][0] = '\0';
    braid_conn_tell(p.client.conn, note, &p.client);
    expect(0, "established/mptcp/present up0/present up1/backup/present announced/present");
    pair_free(&p);
}
END_TEST

/* A connection that never was is told by its end alone. */
START_TEST(a_connection_that_is_refused_has_an_end)
{
    memset(heard, 0, sizeof(heard));
    pair_init(&p, false, NULL, 0);
    listen_at(&p.client);
    listen_at(&p.server);
    p.refuse = true;
    pair_connect(&p, false);
    braid_conn_tell(p.client.conn, note, &p.client);
    expect(0, "");
    pair_run_for(&p, BRAID_SECOND);
    expect(0, "closed:refused");
    ck_assert(!last[0].established && !last[1].established);
    pair_free(&p);
}
END_TEST

START_TEST(who_has_gone_hears_nothing)
{
    begin(false);
    braid_core_on_event(p.client.core, NULL, NULL);
    heard[0][0] = heard[1][0] = '\0';
    pair_free(&p); /* nor does anybody when the core is freed */
    expect(0, "");
    expect(1, "");
}
END_TEST

START_TEST(each_kind_has_a_text)
{
    ck_assert_str_eq(braid_event_text(BRAID_EVENT_ESTABLISHED), "established");
    ck_assert_str_eq(braid_event_text(BRAID_EVENT_CLOSED), "closed");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("news");
    TCase *t = tcase_create("all");
    tcase_add_test(t, subflows_come_and_the_connection_ends_in_order);
    tcase_add_test(t, plain_tcp_is_told_as_well);
    tcase_add_test(t, a_subflow_that_is_reset_says_why);
    tcase_add_test(t, priorities_are_told_at_both_ends_when_they_change);
    tcase_add_test(t, addresses_are_told_once_and_when_they_go);
    tcase_add_test(t, falling_back_is_told);
    tcase_add_test(t, what_we_open_in_vain_is_told);
    tcase_add_test(t, of_joins_that_have_proven_nothing_nothing_is_told);
    tcase_add_test(t, who_begins_to_listen_is_told_how_it_is);
    tcase_add_test(t, a_connection_that_is_refused_has_an_end);
    tcase_add_test(t, who_has_gone_hears_nothing);
    tcase_add_test(t, each_kind_has_a_text);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
