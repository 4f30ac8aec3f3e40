/* Messages between programs and the daemon (src/app). */
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "app/channel.h"
#include "base/addr.h"
#include "suite.h"

static struct braid_addr at(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* The longest there is. */
static struct app_message whole(void)
{
    struct app_message m = {.kind = APP_ANSWER,
                            .number = 0x01020304,
                            .option = APP_SUBFLOWS,
                            .target = at("[2001:db8::1]:443"),
                            .error = 92,
                            .has_value = true,
                            .value = 0xfffefdfc,
                            .add.n = APP_ADDRS_MAX,
                            .remove.n = APP_ADDRS_MAX,
                            .n_pairs = APP_PAIRS_MAX,
                            .n_figures = APP_PAIRS_MAX,
                            .n_tcp = APP_PAIRS_MAX,
                            .has_mptcp = true};
    for (unsigned i = 0; i < APP_ADDRS_MAX; i++) {
        m.add.addr[i] = at("192.0.2.1:1");
        m.add.addr[i].port = (uint16_t)i;
        m.remove.addr[i] = at("[2001:db8::2]:1");
        m.remove.addr[i].ip.b[15] = (uint8_t)i;
    }
    for (unsigned i = 0; i < APP_PAIRS_MAX; i++)
        m.pairs[i] = (struct braid_pair){.local = at("10.0.0.2:50000"), .remote = at("192.0.2.1:443")};
    for (unsigned i = 0; i < APP_PAIRS_MAX; i++)
        m.figures[i] = (struct app_figures){i, 2, 3, 4, 5, UINT64_MAX - i, 7};
    memset(m.profile, 'p', APP_NAME_MAX);
    memset(m.program, '/', APP_PATH_MAX);
    memset(m.tcp, 0xab, sizeof(m.tcp));
    memset(&m.mptcp, 0xcd, sizeof(m.mptcp));
    memset(m.path_manager, 'm', APP_NAME_MAX);
    for (unsigned i = 0; i < APP_NUMBERS; i++)
        app_numbers_say(&m.numbers, i, UINT64_MAX - i);
    m.tcp[9].rtt = 17;
    m.mptcp.write_seq = UINT64_MAX - 3;
    return m;
}

static void expect_same(const struct app_message *a, const struct app_message *b)
{
    uint8_t one[APP_MESSAGE_MAX], other[APP_MESSAGE_MAX];
    size_t n = app_write(a, one);
    ck_assert_uint_eq(app_write(b, other), n);
    ck_assert_mem_eq(one, other, n);
}

START_TEST(what_is_written_is_read)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    struct app_message m = whole(), got;
    size_t n = app_write(&m, bytes);
    ck_assert_int_eq(app_parse(bytes, n, &got), 0);
    ck_assert(got.kind == APP_ANSWER && got.number == m.number && got.option == APP_SUBFLOWS);
    ck_assert(got.error == 92 && got.has_value && got.value == m.value);
    ck_assert(addr_equal(&got.target, &m.target) && got.add.n == APP_ADDRS_MAX);
    ck_assert(addr_equal(&got.remove.addr[7], &m.remove.addr[7]));
    ck_assert(got.n_pairs == APP_PAIRS_MAX && addr_equal(&got.pairs[15].remote, &m.pairs[15].remote));
    ck_assert(got.n_figures == APP_PAIRS_MAX && got.figures[9].subflow == 9 && got.figures[9].received == 7);
    ck_assert(got.figures[9].sent == UINT64_MAX - 9 && got.figures[9].retransmissions == 5);
    ck_assert_str_eq(got.profile, m.profile);
    ck_assert_str_eq(got.program, m.program);
    ck_assert_str_eq(got.path_manager, m.path_manager);
    ck_assert_mem_eq(&got.numbers, &m.numbers, sizeof(m.numbers));
    ck_assert(got.n_tcp == APP_PAIRS_MAX && got.tcp[9].rtt == 17 && got.tcp[8].state == 0xab);
    ck_assert(got.has_mptcp && got.mptcp.write_seq == UINT64_MAX - 3 && got.mptcp.flags == 0xcd);
    expect_same(&m, &got);
}
END_TEST

START_TEST(an_event_is_read_as_it_was_written)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    struct app_message got, m = {.kind = APP_EVENT,
                                 .number = 7,
                                 .event = {APP_EVENT_KINDS, APP_EVENT_BACKUP, 6, 3, 0x01020304, 110},
                                 .pairs[0] = {at("10.0.0.2:50000"), at("192.0.2.1:443")},
                                 .n_pairs = 1};
    size_t n = app_write(&m, bytes);
    ck_assert_int_eq(app_parse(bytes, n, &got), 0);
    ck_assert(got.event.kind == APP_EVENT_KINDS); /* of a newer daemon */
    ck_assert(got.event.flags == APP_EVENT_BACKUP && got.event.reset == 6 && got.event.address_id == 3);
    ck_assert(got.event.subflow == 0x01020304 && got.event.error == 110);
    ck_assert(got.n_pairs == 1 && addr_equal(&got.pairs[0].remote, &m.pairs[0].remote));
    expect_same(&m, &got);
    bytes[3] = APP_ANSWER; /* which has none */
    ck_assert_int_eq(app_parse(bytes, n, &got), -1);
}
END_TEST

START_TEST(every_part_of_a_message_but_the_ends_of_items_is_refused)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    struct app_message m = {.kind = APP_GET, .option = APP_CONNID}, got;
    size_t n = app_write(&m, bytes);
    for (size_t len = 0; len < n; len++)
        ck_assert_int_eq(app_parse(bytes, len, &got), len == 8 ? 0 : -1);
    ck_assert_int_eq(app_parse(bytes, n, &got), 0);
}
END_TEST

START_TEST(what_is_not_a_message_is_refused)
{
    static const struct {
        uint8_t bytes[128];
        size_t len;
    } bad[] = {
        {{'b', 'r', 1, 2, 0, 0, 0, 1}, 8},                                       /* not ours */
        {{'B', 'r', 2, 2, 0, 0, 0, 1}, 8},                                       /* another version */
        {{'B', 'r', 1, 0, 0, 0, 0, 1}, 8},                                       /* no kind */
        {{'B', 'r', 1, APP_KINDS, 0, 0, 0, 1}, 8},                               /* nor this one */
        {{'B', 'r', 1, 2, 0, 0, 0, 1, 1, 1, 0}, 11},                             /* no option */
        {{'B', 'r', 1, 2, 0, 0, 0, 1, 1, 1, 99}, 11},                            /* nor this one */
        {{'B', 'r', 1, 2, 0, 0, 0, 1, 1, 2, 1, 1}, 12},                          /* too long */
        {{'B', 'r', 1, 4, 0, 0, 0, 1, 3, 4, 0, 0, 0}, 13},                       /* cut off */
        {{'B', 'r', 1, 4, 0, 0, 0, 1, 9, 36}, 46},                               /* figures without a pair */
        {{'B', 'r', 1, 4, 0, 0, 0, 1, 8, 2, 'a', ' '}, 12},                      /* no word */
        {{'B', 'r', 1, 4, 0, 0, 0, 1, 12, LINUX_TCP_SIZE}, 10 + LINUX_TCP_SIZE}, /* of TCP without a pair */
        {{'B', 'r', 1, 4, 0, 0, 0, 1, 13, 1, 0}, 11}                             /* too short */
    };
    struct app_message got;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(app_parse(bad[i].bytes, bad[i].len, &got) == -1, "message %u", i);
}
END_TEST

START_TEST(items_that_are_not_known_are_skipped_and_too_many_are_not)
{
    uint8_t bytes[APP_MESSAGE_MAX + 64];
    struct app_message m = whole(), got;
    size_t n = app_write(&m, bytes);
    memcpy(bytes + n, (const uint8_t[]){200, 3, 1, 2, 3}, 5);
    ck_assert_int_eq(app_parse(bytes, n + 5, &got), 0);
    expect_same(&m, &got);
    memset(bytes + n, 0, 20);
    bytes[n] = 5; /* a ninth address */
    bytes[n + 1] = 18;
    ck_assert_int_eq(app_parse(bytes, n + 20, &got), -1);
}
END_TEST

/* ---- the channel ------------------------------------------------------------------------------------- */

static int ends[2];

static void open_ends(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
}

static void close_ends(void)
{
    close(ends[0]);
    close(ends[1]);
}

START_TEST(a_message_and_a_descriptor_go_through)
{
    struct app_message m = whole(), got;
    struct channel_descriptors came;
    int pipe_ends[2];
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_AGAIN);
    ck_assert_uint_eq(came.n, 0);
    ck_assert_int_eq(channel_send(ends[0], &m, pipe_ends[1]), CHANNEL_DONE);
    ck_assert_int_eq(channel_send(ends[0], &m, -1), CHANNEL_DONE);
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_DONE);
    expect_same(&m, &got);
    char c = 0;
    ck_assert(came.n == 1 && came.fd[0] != pipe_ends[1] && fcntl(came.fd[0], F_GETFD) == FD_CLOEXEC);
    ck_assert(write(came.fd[0], "x", 1) == 1 && read(pipe_ends[0], &c, 1) == 1);
    ck_assert_int_eq(c, 'x');
    close(came.fd[0]);
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_DONE);
    ck_assert_uint_eq(came.n, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}
END_TEST

static void send_descriptors(const void *bytes, size_t len, int fd, unsigned n)
{
    union {
        char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } room = {.bytes = {0}};
    struct iovec iov = {(void *)bytes, len};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = room.bytes,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int))};
    for (unsigned i = 0; i < n; i++)
        memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
    ck_assert_int_gt(sendmsg(ends[0], &msg, 0), 0);
}

static void close_all(struct channel_descriptors *came)
{
    while (came->n > 0)
        ck_assert_int_eq(close(came->fd[--came->n]), 0);
}

/* All that the kernel lets through, with messages and with what is none, are the receiver's: it leaves none
 * to the kernel to be closed. */
START_TEST(all_descriptors_are_the_receivers)
{
    struct app_message m = {.kind = APP_GET, .option = APP_ENABLE}, got;
    struct channel_descriptors came;
    uint8_t bytes[APP_MESSAGE_MAX];
    size_t len = app_write(&m, bytes);
    int next = dup(0);
    close(next);
    for (unsigned n = 1; n <= CHANNEL_DESCRIPTORS; n += 63) {
        send_descriptors(bytes, len, 0, n);
        ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_DONE);
        ck_assert_uint_eq(came.n, n);
        close_all(&came);
        send_descriptors("nonsense", 8, 0, n);
        ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_OVER);
        ck_assert_uint_eq(came.n, n);
        close_all(&came);
    }
    int again = dup(0); /* the lowest that is free is as before */
    ck_assert_int_eq(again, next);
    close(again);
}
END_TEST

START_TEST(what_is_no_message_or_the_end_is_over)
{
    struct app_message got;
    uint8_t big[APP_MESSAGE_MAX + 1] = {'B', 'r', 1, 2};
    struct channel_descriptors came;
    ck_assert_int_eq(send(ends[0], "hello", 5, 0), 5);
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_OVER);
    ck_assert_int_eq(send(ends[0], big, sizeof(big), 0), sizeof(big));
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_OVER);
    shutdown(ends[0], SHUT_WR);
    ck_assert_int_eq(channel_receive(ends[1], &got, &came), CHANNEL_OVER);
    struct app_message m = {.kind = APP_GET};
    ck_assert_int_eq(channel_send(ends[0], &m, -1), CHANNEL_OVER); /* without a signal */
}
END_TEST

START_TEST(numbers_are_within_their_bounds)
{
    static const uint64_t most[APP_NUMBERS] = {[APP_NUMBER_FATE_SHARING] = 1,
                                               [APP_NUMBER_EXPECT_BYTES] = INT64_MAX / 2,
                                               [APP_NUMBER_EXPECT_DURATION] = INT64_MAX / 1000,
                                               [APP_NUMBER_EXPECT_RATE] = INT64_MAX,
                                               [APP_NUMBER_REDUNDANCY] = 2,
                                               [APP_NUMBER_SUBFLOWS] = 16};
    struct app_numbers n = {.said = 0};
    ck_assert(app_numbers_are_valid(&n));
    for (unsigned i = 0; i < APP_NUMBERS; i++) {
        ck_assert(app_number_is_valid(i, 0) && app_number_is_valid(i, most[i]));
        ck_assert(!app_number_is_valid(i, most[i] + 1));
        app_numbers_say(&n, i, most[i] + 1);
        ck_assert(!app_numbers_are_valid(&n));
        app_numbers_say(&n, i, most[i]);
        ck_assert(app_numbers_are_valid(&n));
    }
}
END_TEST

START_TEST(numbers_that_are_said_later_count)
{
    struct app_numbers n = {.said = 0}, more = {.said = 0};
    uint64_t value;
    app_numbers_say(&n, APP_NUMBER_EXPECT_BYTES, 7);
    app_numbers_say(&n, APP_NUMBER_SUBFLOWS, 2);
    app_numbers_say(&more, APP_NUMBER_SUBFLOWS, 0);
    app_numbers_merge(&n, &more);
    ck_assert(app_numbers_tell(&n, APP_NUMBER_EXPECT_BYTES, &value) && value == 7);
    ck_assert(app_numbers_tell(&n, APP_NUMBER_SUBFLOWS, &value) && value == 0);
    ck_assert(!app_numbers_tell(&n, APP_NUMBER_FATE_SHARING, &value));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("app_message");
    TCase *t = tcase_create("codec");
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, numbers_are_within_their_bounds);
    tcase_add_test(t, numbers_that_are_said_later_count);
    tcase_add_test(t, an_event_is_read_as_it_was_written);
    tcase_add_test(t, every_part_of_a_message_but_the_ends_of_items_is_refused);
    tcase_add_test(t, what_is_not_a_message_is_refused);
    tcase_add_test(t, items_that_are_not_known_are_skipped_and_too_many_are_not);
    suite_add_tcase(suite, t);
    t = tcase_create("channel");
    tcase_add_checked_fixture(t, open_ends, close_ends);
    tcase_add_test(t, a_message_and_a_descriptor_go_through);
    tcase_add_test(t, all_descriptors_are_the_receivers);
    tcase_add_test(t, what_is_no_message_or_the_end_is_over);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
