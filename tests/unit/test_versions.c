/* mptcp/versions: which version a SYN can be answered in, what agrees to one, and what a connection's version
 * changes in its options and in those that it takes. */
#include "lone_conn.h"
#include "mptcp/crypto.h"
#include "mptcp/options_in.h"
#include "mptcp/options_out.h"
#include "mptcp/versions.h"

static const struct mptcp_version *const v0 = &mptcp_versions[0], *const v1 = &mptcp_versions[1];

static struct wire_mptcp capable(uint8_t version, uint8_t n_keys)
{
    struct wire_mptcp mp = {.has = MPTCP_HAS(MPTCP_CAPABLE)};
    mp.capable = (struct mptcp_capable){.version = version, .flags = MPTCP_CAPABLE_SHA256, .n_keys = n_keys};
    return mp;
}

START_TEST(the_table_is_in_the_order_of_the_numbers)
{
    for (unsigned n = 0; n <= MPTCP_NEWEST; n++)
        ck_assert_uint_eq(mptcp_versions[n].number, n);
}
END_TEST

START_TEST(a_syn_is_answered_in_the_highest_version_of_both)
{
    struct wire_mptcp mp = capable(0, 1);
    ck_assert_ptr_eq(mptcp_offered(&mp, true), v0);
    ck_assert_ptr_null(mptcp_offered(&mp, false));
    mp = capable(0, 0); /* version 0 needs the key */
    ck_assert_ptr_null(mptcp_offered(&mp, true));
    for (uint8_t version = 1; version < 16; version++) {
        mp = capable(version, 0);
        ck_assert_ptr_eq(mptcp_offered(&mp, true), v1);
        ck_assert_ptr_eq(mptcp_offered(&mp, false), v1);
    }
    mp = capable(0, 1);
    mp.capable.flags = MPTCP_CAPABLE_NO_JOIN; /* an algorithm that we have not */
    ck_assert_ptr_null(mptcp_offered(&mp, true));
    mp.capable.flags |= MPTCP_CAPABLE_SHA256;
    ck_assert_ptr_eq(mptcp_offered(&mp, true), v0);
    mp.capable.flags |= MPTCP_CAPABLE_EXTENDED;
    ck_assert_ptr_null(mptcp_offered(&mp, true));
}
END_TEST

START_TEST(an_answer_is_of_the_version_that_was_asked_for)
{
    for (uint8_t n_keys = 1; n_keys <= 2; n_keys++)
        for (uint8_t version = 0; version < 16; version++) {
            struct wire_mptcp mp = capable(version, n_keys);
            ck_assert(mptcp_agrees(&mp, v0, n_keys) == (version == 0));
            ck_assert(mptcp_agrees(&mp, v1, n_keys) == (version == 1));
            ck_assert(!mptcp_agrees(&mp, v1, 3 - n_keys));
        }
}
END_TEST

/* An ACK or RST of the connection's, as it would leave. */
static struct wire_mptcp out(enum subflow_segment kind)
{
    struct wire_tcp t = {.flags = TCP_ACK};
    flow_options_out(&lone.s->tcp, kind, NULL, 40, &t);
    return t.mp;
}

static void begin(uint8_t version)
{
    lone_begin(NULL);
    lone.c->keys.version = version;
    lone.c->keys.local = 0x1111;
    lone.c->keys.remote = 0x2222;
    lone.c->fallback.was_mptcp = true;
}

START_TEST(only_version_1_has_reasons_and_mp_fastclose_in_a_rst)
{
    for (uint8_t version = 0; version <= 1; version++) {
        begin(version);
        lone.s->closing.rst_reason = MPTCP_RST_PROHIBITED;
        ck_assert_uint_eq(out(SUBFLOW_RST).has, version ? MPTCP_HAS(MPTCP_TCPRST) : 0);
        lone.c->closing.fastclose = true;
        ck_assert_uint_eq(out(SUBFLOW_RST).has & MPTCP_HAS(MPTCP_FASTCLOSE),
                          version ? MPTCP_HAS(MPTCP_FASTCLOSE) : 0);
        lone.s->signal.now = true; /* as ending.c asks for it */
        ck_assert_uint_eq(out(SUBFLOW_ACK).has, MPTCP_HAS(MPTCP_FASTCLOSE));
        lone_end();
    }
}
END_TEST

START_TEST(keys_numbers_and_tokens_follow_from_the_version)
{
    for (uint8_t version = 0; version <= 1; version++) {
        uint32_t token, tokens[2];
        uint64_t idsn, idsns[2];
        begin(version);
        mptcp_key_derive_sha1(0x2222, &tokens[0], &idsns[0]);
        mptcp_key_derive(0x2222, &tokens[1], &idsns[1]);
        conn_version(lone.c)->derive(0x2222, &token, &idsn);
        ck_assert(token == tokens[version] && idsn == idsns[version]);
        lone.s->join = true;
        ck_assert_uint_eq(out(SUBFLOW_SYN).join.token, tokens[version]);
        lone.s->join = false;
        struct wire_mptcp mp = out(SUBFLOW_SYN);
        ck_assert(mp.capable.version == version && mp.capable.n_keys == !version);
        lone_end();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("versions");
    TCase *t = tcase_create("versions");
    tcase_add_test(t, the_table_is_in_the_order_of_the_numbers);
    tcase_add_test(t, a_syn_is_answered_in_the_highest_version_of_both);
    tcase_add_test(t, an_answer_is_of_the_version_that_was_asked_for);
    tcase_add_test(t, only_version_1_has_reasons_and_mp_fastclose_in_a_rst);
    tcase_add_test(t, keys_numbers_and_tokens_follow_from_the_version);
    suite_add_tcase(s, t);
    return run_suite(s);
}
