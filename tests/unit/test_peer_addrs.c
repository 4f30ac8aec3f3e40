/* The peer's addresses, as it announces and withdraws them (src/mptcp/peer_addrs.c). */
#include "lone_conn.h"
#include "mptcp/addr_index.h"
#include "mptcp/crypto.h"
#include "mptcp/known.h"
#include "mptcp/peer_addrs.h"

static void begin(void)
{
    lone_begin(NULL);
    lone.c->keys.local = 0x1111;
    lone.c->keys.remote = 0x2222;
}

static void announce_with(uint8_t id, const char *addr, uint8_t error)
{
    struct mptcp_add_addr a = {.id = id, .addr = lone_addr(addr)};
    mptcp_add_addr_hmac(lone.c->keys.remote, lone.c->keys.local, id, &a.addr, a.hmac);
    a.hmac[7] ^= error;
    conn_add_addr_in(lone.s, &a);
}

static void announce(uint8_t id, const char *addr)
{
    announce_with(id, addr, 0);
    if (lone.c->pm.known)
        lone.c->pm.known->n_echoes = 0; /* they have gone out */
}

static void withdraw(uint8_t id)
{
    conn_remove_addr_in(lone.s, &(struct mptcp_remove_addr){.n = 1, .ids = {id}}, lone.now);
}

/* Addresses that subflows may be opened to, besides the initial one. */
static unsigned usable(void)
{
    const struct conn_known *m = lone.c->pm.known;
    unsigned n = 0;
    for (unsigned i = 1; m && i < m->n_remotes; i++)
        n += m->remotes[i].usable;
    return n;
}

START_TEST(an_announced_address_is_echoed_and_kept)
{
    begin();
    announce_with(5, "10.0.9.2:8080", 0);
    const struct conn_known *m = lone.c->pm.known;
    ck_assert_uint_eq(m->n_echoes, 1);
    ck_assert(m->echoes[0].echo && m->echoes[0].id == 5);
    ck_assert_uint_eq(usable(), 1);
    ck_assert_uint_eq(m->remotes[1].id, 5);
    ck_assert_uint_eq(m->remotes[1].addr.port, 8080);
    announce(6, "10.0.9.3:0"); /* no port: that of the connection */
    ck_assert_uint_eq(m->remotes[2].addr.port, 80);
    lone_end();
}
END_TEST

START_TEST(without_the_keys_nobody_announces)
{
    begin();
    announce_with(5, "10.0.9.2:8080", 1);
    ck_assert_uint_eq(lone_count(COUNT_MP_ADD_ADDR_HMAC), 1);
    ck_assert_ptr_null(lone.c->pm.known);
    lone_end();
}
END_TEST

START_TEST(what_can_be_nobodys_address_or_is_known_is_ignored)
{
    begin();
    announce(0, "10.0.9.2:80");
    announce(5, "224.0.0.1:80");
    announce(5, "0.0.0.0:80");
    announce(5, "10.0.9.1:80"); /* the initial one */
    ck_assert_uint_eq(usable(), 0);
    announce(5, "10.0.9.2:80");
    announce(6, "10.0.9.2:80"); /* the same under another ID */
    ck_assert_uint_eq(usable(), 1);
    lone_end();
}
END_TEST

START_TEST(an_id_keeps_its_address_until_it_is_withdrawn)
{
    begin();
    announce(5, "10.0.9.2:80");
    announce(5, "10.0.9.3:80");
    ck_assert(lone.c->pm.known->remotes[1].addr.ip.b[15] == 2);
    announce(5, "10.0.9.2:81"); /* another port may be */
    ck_assert_uint_eq(lone.c->pm.known->remotes[1].addr.port, 81);
    withdraw(5);
    ck_assert_uint_eq(usable(), 0);
    announce(5, "10.0.9.3:80");
    ck_assert(lone.c->pm.known->remotes[1].addr.ip.b[15] == 3);
    lone_end();
}
END_TEST

START_TEST(there_are_as_many_as_the_operator_allows)
{
    begin();
    lone.core->env.params.max_add_addr = 2;
    announce(5, "10.0.9.2:80");
    announce(6, "10.0.9.3:80");
    announce(7, "10.0.9.4:80");
    ck_assert_uint_eq(usable(), 2);
    withdraw(5);
    announce(7, "10.0.9.4:80");
    ck_assert_uint_eq(usable(), 2);
    ck_assert_uint_eq(lone.c->pm.known->remotes[1].id, 7);
    lone_end();
}
END_TEST

START_TEST(more_than_four_at_a_time_wait_until_they_come_again)
{
    begin();
    char addr[] = "10.0.9.2:80";
    for (uint8_t i = 0; i < 5; i++) {
        addr[7] = (char)('2' + i);
        announce_with((uint8_t)(5 + i), addr, 0);
    }
    ck_assert_uint_eq(lone.c->pm.known->n_echoes, ECHOES_MAX);
    ck_assert_uint_eq(usable(), ECHOES_MAX);
    lone_end();
}
END_TEST

START_TEST(an_address_that_comes_anew_has_not_failed_and_one_that_comes_again_is_only_open_again)
{
    begin();
    announce(5, "10.0.9.2:80");
    struct conn_known *m = lone.c->pm.known;
    m->pairs = calloc(1, PAIRS_SIZE);
    mem_take(&lone.core->env.mem, mem_cost(PAIRS_SIZE));
    m->pairs[0][1] = (struct pm_pair){.failures = 3, .closed = true};
    announce(5, "10.0.9.2:80");
    ck_assert(m->pairs[0][1].failures == 3 && !m->pairs[0][1].closed);
    withdraw(5);
    announce(5, "10.0.9.2:80");
    ck_assert_uint_eq(m->pairs[0][1].failures, 0);
    lone_end();
}
END_TEST

START_TEST(subflows_of_a_withdrawn_address_are_asked_whether_they_live)
{
    begin();
    struct mp_subflow *s = lone_flow("10.0.2.2:4000"), *other = lone_flow("10.0.3.2:4000");
    s->ids.remote = other->ids.remote = 5;
    other->closing.dead = true;
    withdraw(5);
    ck_assert_int_eq(s->closing.answer_by, lone.now + BRAID_SECOND);
    ck_assert(!other->closing.answer_by && !lone.s->closing.answer_by);
    lone.now += BRAID_MS;
    withdraw(5);
    ck_assert_int_eq(s->closing.answer_by, lone.now - BRAID_MS + BRAID_SECOND);
    lone_end();
}
END_TEST

START_TEST(the_initial_address_may_be_withdrawn_too)
{
    begin();
    withdraw(0);
    ck_assert(lone.c->pm.known && !lone.c->pm.known->remotes[0].usable);
    ck_assert_int_ne(lone.s->closing.answer_by, 0);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer_addrs");
    TCase *t = tcase_create("all");
    tcase_add_test(t, an_announced_address_is_echoed_and_kept);
    tcase_add_test(t, without_the_keys_nobody_announces);
    tcase_add_test(t, what_can_be_nobodys_address_or_is_known_is_ignored);
    tcase_add_test(t, an_id_keeps_its_address_until_it_is_withdrawn);
    tcase_add_test(t, there_are_as_many_as_the_operator_allows);
    tcase_add_test(t, more_than_four_at_a_time_wait_until_they_come_again);
    tcase_add_test(t, an_address_that_comes_anew_has_not_failed_and_one_that_comes_again_is_only_open_again);
    tcase_add_test(t, subflows_of_a_withdrawn_address_are_asked_whether_they_live);
    tcase_add_test(t, the_initial_address_may_be_withdrawn_too);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
