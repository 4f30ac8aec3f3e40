/* The converter's edge, between a scripted core and nobody: whom it answers how, and when. What needs a
 * server is tried end to end (tests/e2e/test_convert.py), since no address of this machine may be reached. */
#include <sys/resource.h>
#include "property.h"
#include "relay_harness.h"
#include "role/convert_cookie.h"
#include "wire/convert.h"

static struct convert_message said;

static void converter(void)
{
    node_free(node);
    params = (struct edge_params){.name = "test",
                                  .kind = EDGE_CONVERT,
                                  .n_listen = 1,
                                  .connect_timeout = CONNECT_TIMEOUT,
                                  .convert = {.open = true, .pending = 100}};
    make_edges();
}

static void again(void)
{
    node_free(node);
    make_edges();
}

/* A Connect message to a server that there is no way to, in an empty namespace. */
static size_t connect_to(const char *to, uint8_t out[CONVERT_MESSAGE_MAX])
{
    struct braid_addr a;
    struct convert_writer w;
    ck_assert_int_eq(addr_parse(to, &a), 0);
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    convert_put_connect(&w, &a, NULL, 0);
    return convert_end(&w);
}

static void arrive(struct braid_conn *c, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(c->up, bytes, n);
    c->up_arrived = n;
    c->remote.port = 1;
    c->ops->incoming(fake_listener->params.ctx, c);
}

/* A client whose SYN has these bytes. */
static struct braid_conn *syn_with(const void *bytes, size_t n)
{
    struct braid_conn *c = fake_conn();
    arrive(c, bytes, n);
    return c;
}

static void expect_said(const struct braid_conn *c, enum convert_error error)
{
    ck_assert_int_eq(convert_parse(CONVERT_BY_CONVERTER, c->down, c->down_len, &said), CONVERT_COMPLETE);
    ck_assert_uint_eq(said.len, c->down_len);
    ck_assert(said.has_error);
    ck_assert_int_eq(said.error, error);
}

/* The client does what RFC 8803 wants of it. */
static void resets(struct braid_conn *c)
{
    fake_close(c, BRAID_CLOSE_RESET);
    finish(c, -1);
}

START_TEST(an_error_comes_with_the_syns_answer_and_the_stream_ends_behind_it)
{
    static const uint8_t twice[] = {1, 3, 0x22, 0x63, 1, 1, 0, 0, 1, 1, 0, 0};
    struct braid_conn *c = syn_with(twice, sizeof(twice));
    expect_said(c, CONVERT_MALFORMED_MESSAGE);
    ck_assert_uint_eq(c->with_syn, c->down_len);
    ck_assert_uint_eq(c->down_len, sizeof(twice) + 8);
    ck_assert(!c->shut);
    turn(c);
    ck_assert(c->established_told && c->shut && !c->aborted);
    client_sends(c, "more", 4);
    ck_assert_uint_eq(c->up_taken, c->up_arrived); /* else closing would be a reset */
    ck_assert_uint_eq(counted(EDGE_MALFORMED), 1);
    ck_assert_uint_eq(counted(EDGE_ERRORS), 1);
    resets(c);
    ck_assert_uint_eq(counted(EDGE_CLIENT_RESET), 0);
}
END_TEST

START_TEST(a_message_may_come_after_the_handshake_and_in_pieces)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    size_t n = connect_to("127.0.0.1:80", message);
    struct braid_conn *c = syn_with(NULL, 0);
    ck_assert(c->accepted);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(c->down_len, 0);
        client_sends(c, message + i, 1);
    }
    expect_said(c, CONVERT_MALFORMED_MESSAGE);
    ck_assert(c->shut && !c->aborted);
    ck_assert_mem_eq(said.error_value.at + 1, message, n);
    resets(c);
}
END_TEST

START_TEST(a_message_may_be_complete_with_what_follows_the_syn)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    size_t n = connect_to("[::1]:80", message);
    struct braid_conn *c = syn_with(message, 7);
    ck_assert(c->accepted && c->with_syn == 0);
    client_sends(c, message + 7, n - 7);
    expect_said(c, CONVERT_MALFORMED_MESSAGE);
    resets(c);
}
END_TEST

START_TEST(whoever_is_not_allowed_hears_it_whatever_he_says)
{
    params.convert.open = false;
    again();
    struct braid_conn *c = syn_with(NULL, 0);
    expect_said(c, CONVERT_NOT_AUTHORIZED);
    resets(c);
    c = syn_with("GET / HTTP/1.1", 14);
    expect_said(c, CONVERT_NOT_AUTHORIZED);
    resets(c);
    ck_assert_uint_eq(counted(EDGE_UNAUTHORIZED), 2);
}
END_TEST

START_TEST(other_protocols_are_reset)
{
    struct braid_conn *c = syn_with("GET / HTTP/1.1", 14);
    ck_assert(c->refused && c->refusal == BRAID_REFUSE_RESET);
    fake_conn_free(c);
    c = syn_with(NULL, 0);
    client_sends(c, "SSH-2.0-x\r\n", 11);
    ck_assert(c->aborted && c->down_len == 0);
    fake_flush(c);
    finish(c, -1);
    ck_assert_uint_eq(counted(EDGE_MALFORMED), 2);
    ck_assert_uint_eq(counted(EDGE_ERRORS), 0);
}
END_TEST

START_TEST(a_bare_syn_is_ignored_if_that_is_wanted)
{
    static const uint8_t part[] = {1, 6};
    params.convert.ignore_bare_syn = true;
    again();
    for (size_t n = 0; n <= sizeof(part); n++) {
        struct braid_conn *c = syn_with(part, n);
        ck_assert(c->refused && c->refusal == BRAID_REFUSE_SILENTLY);
        fake_conn_free(c);
    }
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 0);
}
END_TEST

/* A second's worth, and the next second may begin in between. */
START_TEST(errors_are_limited)
{
    static const uint8_t bad[] = {1, 2, 0x22, 0x63, 99, 1, 0, 0};
    struct braid_conn *c = fake_conn();
    const struct braid_conn fresh = *c;
    unsigned resets_seen = 0;
    for (unsigned i = 0; i < 2500; i++) {
        *c = fresh;
        arrive(c, bad, sizeof(bad));
        resets_seen += c->refused && c->refusal == BRAID_REFUSE_RESET;
        if (!c->refused)
            fake_close(c, BRAID_CLOSE_REFUSED);
    }
    fake_conn_free(c);
    ck_assert_uint_ge(resets_seen, 500);
    ck_assert_uint_eq(counted(EDGE_ERRORS_LIMITED), resets_seen);
    ck_assert_uint_eq(counted(EDGE_ERRORS), 2500 - resets_seen);
    ck_assert_uint_eq(edges_counters(edges, 0)->connecting, 0);
}
END_TEST

/* A cookie is the longest that is not an echo. */
START_TEST(no_answer_is_much_longer_than_what_it_answers)
{
    static const uint8_t info[] = {1, 2, 0x22, 0x63, 1, 1, 0, 0};
    uint64_t seed = 8803;
    params.convert.cookie = CONVERT_COOKIE_ADDRESS;
    again();
    for (unsigned i = 0; i < 300; i++) {
        uint8_t bytes[256];
        size_t n = 4 + rng_below(&seed, sizeof(bytes) - 3);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)rng_below(&seed, 4);
        memcpy(bytes, (const uint8_t[]){1, (uint8_t)(n / 4), 0x22, 0x63}, 4);
        struct braid_conn *c = i == 0 ? syn_with(info, n = sizeof(info)) : syn_with(bytes, n);
        ck_assert_uint_le(c->with_syn, n + CONVERT_ADDRESS_COOKIE);
        if (i == 0)
            expect_said(c, CONVERT_MISSING_COOKIE);
        if (!c->refused)
            fake_close(c, BRAID_CLOSE_REFUSED);
        fake_conn_free(c);
    }
}
END_TEST

static bool alone(void)
{
    if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return true;
    printf("test_converter: skipped in part, needs a network namespace\n");
    return false;
}

START_TEST(a_server_without_a_way_is_a_failure_of_the_network)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    size_t n = connect_to("192.0.2.1:80", message);
    if (!alone())
        return;
    struct braid_conn *c = syn_with(message, n);
    expect_said(c, CONVERT_NETWORK_FAILURE);
    ck_assert_uint_eq(c->with_syn, c->down_len);
    ck_assert_uint_eq(said.error_value.at[0], 1);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    resets(c);
}
END_TEST

START_TEST(while_the_kernel_cannot_be_asked_nothing_is_reached)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    size_t n = connect_to("192.0.2.1:80", message);
    struct rlimit usual, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = usual.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct braid_conn *c = syn_with(message, n);
    expect_said(c, CONVERT_NOT_AUTHORIZED);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0); /* sanitizers open files at the end */
    ck_assert_uint_eq(counted(EDGE_FORBIDDEN), 1);
    resets(c);
}
END_TEST

START_TEST(nothing_is_connected_for_strangers_once_there_are_too_many)
{
    uint8_t message[CONVERT_MESSAGE_MAX];
    size_t n = connect_to("192.0.2.1:80", message);
    if (!alone())
        return;
    limits.all = 0;
    again();
    struct braid_conn *c = syn_with(message, n);
    ck_assert(c->accepted && c->down_len == 0);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 0);
    turn(c); /* it is no stranger any more */
    expect_said(c, CONVERT_NETWORK_FAILURE);
    ck_assert(c->shut && !c->aborted);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    resets(c);
}
END_TEST

START_TEST(a_good_cookie_makes_no_stranger)
{
    struct convert_writer w;
    struct braid_addr server;
    uint8_t message[CONVERT_MESSAGE_MAX], cookie[CONVERT_PSK_COOKIE];
    if (!alone())
        return;
    limits.all = 0;
    params.convert.cookie = CONVERT_COOKIE_PSK;
    strcpy(params.convert.psk, "0123456789abcdef");
    again();
    ck_assert_int_eq(addr_parse("192.0.2.1:80", &server), 0);
    convert_psk_cookie(params.convert.psk, &server, time(NULL), cookie);
    convert_begin(&w, message, sizeof(message));
    convert_put_cookie(&w, cookie, sizeof(cookie));
    convert_put_connect(&w, &server, NULL, 0);
    struct braid_conn *c = syn_with(message, convert_end(&w));
    expect_said(c, CONVERT_NETWORK_FAILURE);
    ck_assert_uint_eq(counted(EDGE_UNREACHABLE), 1);
    resets(c);
}
END_TEST

START_TEST(a_client_that_leaves_early_leaves_nothing)
{
    struct braid_conn *c = syn_with(NULL, 0);
    c->up_end = true;
    turn(c);
    expect_said(c, CONVERT_MALFORMED_MESSAGE);
    fake_close(c, BRAID_CLOSE_DONE);
    finish(c, -1);
    c = syn_with(NULL, 0);
    fake_close(c, BRAID_CLOSE_REFUSED);
    finish(c, -1);
    c = syn_with(NULL, 0);
    turn(c);
    resets(c);
}
END_TEST

START_TEST(the_end_of_the_daemon_finds_clients_in_every_state)
{
    static const uint8_t bad[] = {1, 2, 0x22, 0x63, 99, 1, 0, 0};
    struct braid_conn *waiting = syn_with(NULL, 0), *told = syn_with(bad, sizeof(bad));
    again();
    ck_assert(waiting->released && told->released);
    fake_conn_free(waiting);
    fake_conn_free(told);
}
END_TEST

/* ---- random conversations ------------------------------------------------------------------------ */

static size_t random_message(uint64_t *seed, uint8_t out[CONVERT_MESSAGE_MAX])
{
    static const char *const servers[] = {"192.0.2.1:80", "[2001:db8::1]:443", "127.0.0.1:80",
                                          "169.254.169.254:80"};
    static const uint8_t options[] = {30, 2, 8, 2, 2, 4, 5, 180};
    struct braid_addr a;
    struct convert_writer w;
    ck_assert_int_eq(addr_parse(servers[rng_below(seed, 4)], &a), 0);
    convert_begin(&w, out, CONVERT_MESSAGE_MAX);
    if (rng_below(seed, 2))
        convert_put_info(&w);
    if (rng_below(seed, 4))
        convert_put_connect(&w, &a, options, rng_below(seed, 3) * 4);
    if (rng_below(seed, 2))
        convert_put_cookie(&w, options, rng_below(seed, 3) * 4);
    size_t n = convert_end(&w);
    for (uint64_t i = rng_below(seed, 3); i > 0; i--)
        out[rng_below(seed, n)] = (uint8_t)rng_below(seed, 64);
    return n;
}

/* From the SYN to the last byte: whatever a client sends, in whatever pieces, and whenever it leaves. */
static void converse(uint64_t *seed)
{
    uint8_t bytes[CONVERT_MESSAGE_MAX + 16] = {0};
    size_t n = random_message(seed, bytes) + rng_below(seed, 16), at = rng_below(seed, n + 1);
    struct braid_conn *c = syn_with(bytes, at);
    c->client_ready = rng_below(seed, 4);
    c->piece = 1 + rng_below(seed, 40);
    while (!c->refused && !c->closed_told && rng_below(seed, 12)) {
        if (c->established_told && at < n) {
            size_t piece = 1 + rng_below(seed, n - at);
            client_sends(c, bytes + at, piece);
            at += piece;
        }
        c->client_ready |= rng_below(seed, 2) == 0;
        c->up_end |= at == n && rng_below(seed, 3) == 0;
        fake_flush(c);
    }
    must(c->down_len == 0 ||
         convert_parse(CONVERT_BY_CONVERTER, c->down, c->down_len, &said) == CONVERT_COMPLETE);
    must(c->down_len == 0 || said.has_error || said.has_supported);
    if (!c->refused && !c->closed_told)
        fake_close(c, rng_below(seed, 2) ? BRAID_CLOSE_RESET : BRAID_CLOSE_DONE);
    fake_conn_free(c);
}

START_TEST(random_conversations_leave_nothing)
{
    uint64_t seed = 8803 + (uint64_t)_i;
    if (!alone())
        return;
    params.convert.ignore_bare_syn = _i == 1;
    params.convert.cookie = (enum convert_cookie_kind)(_i % 3);
    limits.all = _i == 2 ? 0 : 1000;
    again();
    for (unsigned i = 0; i < 1500; i++)
        converse(&seed);
    must(edges_counters(edges, 0)->connecting == 0 && edges_counters(edges, 0)->open == 0);
    must(counted(EDGE_INCOMING) == 1500 && counted(EDGE_ERRORS) > 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("converter");
    TCase *t = new_case(s, "converter");
    tcase_add_checked_fixture(t, converter, NULL);
    tcase_add_test(t, an_error_comes_with_the_syns_answer_and_the_stream_ends_behind_it);
    tcase_add_test(t, a_message_may_come_after_the_handshake_and_in_pieces);
    tcase_add_test(t, a_message_may_be_complete_with_what_follows_the_syn);
    tcase_add_test(t, whoever_is_not_allowed_hears_it_whatever_he_says);
    tcase_add_test(t, other_protocols_are_reset);
    tcase_add_test(t, a_bare_syn_is_ignored_if_that_is_wanted);
    tcase_add_test(t, errors_are_limited);
    tcase_add_test(t, no_answer_is_much_longer_than_what_it_answers);
    tcase_add_test(t, a_server_without_a_way_is_a_failure_of_the_network);
    tcase_add_test(t, while_the_kernel_cannot_be_asked_nothing_is_reached);
    tcase_add_test(t, nothing_is_connected_for_strangers_once_there_are_too_many);
    tcase_add_test(t, a_good_cookie_makes_no_stranger);
    tcase_add_test(t, a_client_that_leaves_early_leaves_nothing);
    tcase_add_test(t, the_end_of_the_daemon_finds_clients_in_every_state);
    tcase_add_loop_test(t, random_conversations_leave_nothing, 0, 4);
    return run_suite(s);
}
