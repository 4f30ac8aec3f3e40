/* service/upgrade_message, upgrade_channel, take_over: what two daemons say to each other arrives as it was
 * said; what is no message, or comes out of turn, is refused, whatever it is; no descriptor is lost or left
 * behind. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <braid/version.h>
#include "io/heirlooms.h"
#include "service/take_over.h"
#include "service/upgrade_channel.h"
#include "suite.h"

static const struct {
    enum upgrade_kind kind;
    unsigned least, most;
} kinds[] = {
#define X(id, number, least, most) {UPGRADE_##id, least, most},
    UPGRADE_KINDS(X)
#undef X
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int ends[2], fds[UPGRADE_FDS];
static unsigned n_fds;
static struct upgrade_message got;

static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void teardown(void)
{
    for (unsigned i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

static unsigned open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* ---- messages ---------------------------------------------------------------------------------- */

START_TEST(every_message_is_read_as_it_was_written)
{
    uint8_t bytes[UPGRADE_BYTES];
    struct upgrade_message m = {.kind = kinds[_i].kind, .number = 0x01020304, .count = UINT32_MAX};
    for (size_t len = 0; len < UPGRADE_TEXT; len = 2 * len + 1) {
        memset(m.text, 'x', len);
        size_t n = upgrade_message_write(&m, bytes);
        ck_assert_int_eq(upgrade_message_read(bytes, n, kinds[_i].least, &got), 0);
        ck_assert_mem_eq(&got, &m, sizeof(m));
    }
}
END_TEST

START_TEST(only_with_as_many_descriptors_as_belong_to_it)
{
    uint8_t bytes[UPGRADE_BYTES];
    const struct upgrade_message m = {.kind = kinds[_i].kind};
    size_t n = upgrade_message_write(&m, bytes);
    for (unsigned with = 0; with <= UPGRADE_FDS + 1; with++) {
        bool right = with >= kinds[_i].least && with <= kinds[_i].most;
        ck_assert_int_eq(upgrade_message_read(bytes, n, with, &got), right ? 0 : -1);
    }
}
END_TEST

START_TEST(what_is_torn_or_no_message_is_refused)
{
    uint8_t bytes[UPGRADE_BYTES + 1] = {0};
    const struct upgrade_message m = {.kind = UPGRADE_REFUSED, .text = "no"};
    size_t n = upgrade_message_write(&m, bytes);
    for (size_t len = 0; len < n - 2; len++)
        ck_assert_int_eq(upgrade_message_read(bytes, len, 0, &got), -1);
    ck_assert_int_eq(upgrade_message_read(bytes, n + 1, 0, &got), -1); /* a NUL in the text */
    memset(bytes + n, 'x', sizeof(bytes) - n);
    ck_assert_int_eq(upgrade_message_read(bytes, UPGRADE_BYTES, 0, &got), -1); /* no room for its NUL */
    ck_assert_int_eq(upgrade_message_read(bytes, UPGRADE_BYTES - 1, 0, &got), 0);
    for (unsigned kind = 0; kind < 256; kind++) {
        bool known = false;
        for (unsigned i = 0; i < KINDS; i++)
            known |= kinds[i].kind == kind && kinds[i].least == 0;
        bytes[0] = (uint8_t)kind;
        ck_assert_int_eq(upgrade_message_read(bytes, n, 0, &got), known ? 0 : -1);
    }
    bytes[0] = UPGRADE_REFUSED;
    bytes[3] = 1;
    ck_assert_int_eq(upgrade_message_read(bytes, n, 0, &got), -1);
}
END_TEST

/* ---- the socket -------------------------------------------------------------------------------- */

START_TEST(as_many_descriptors_as_the_kernel_takes_arrive_in_their_order)
{
    int pipes[UPGRADE_FDS];
    for (unsigned i = 0; i < UPGRADE_FDS; i++)
        pipes[i] = i % 2 ? ends[0] : ends[1];
    const struct upgrade_message m = {.kind = UPGRADE_SOCKETS, .number = 7};
    unsigned before = open_files();
    ck_assert_int_eq(upgrade_send(ends[0], &m, pipes, UPGRADE_FDS), 0);
    ck_assert_int_eq(upgrade_receive(ends[1], 1000, &got, fds, &n_fds), 0);
    ck_assert_uint_eq(n_fds, UPGRADE_FDS);
    ck_assert_uint_eq(got.number, 7);
    ck_assert_uint_eq(open_files(), before + UPGRADE_FDS);
    for (unsigned i = 0; i < n_fds; i++) {
        ck_assert_int_ne(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, 0);
        close(fds[i]);
    }
}
END_TEST

START_TEST(descriptors_that_there_is_no_room_for_are_noticed)
{
    int one[8];
    struct rlimit old, few;
    for (unsigned i = 0; i < 8; i++)
        one[i] = ends[0];
    const struct upgrade_message m = {.kind = UPGRADE_SOCKETS};
    ck_assert_int_eq(upgrade_send(ends[0], &m, one, 8), 0);
    int top = dup(ends[0]);
    unsigned before = open_files();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = (struct rlimit){.rlim_cur = (rlim_t)top + 4, .rlim_max = old.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    int result = upgrade_receive(ends[1], 1000, &got, fds, &n_fds), why = errno;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(why, EMFILE);
    ck_assert_uint_eq(n_fds, 0);
    ck_assert_uint_eq(open_files(), before);
    close(top);
}
END_TEST

START_TEST(silence_and_the_end_are_told_apart)
{
    ck_assert_int_eq(upgrade_receive(ends[1], 10, &got, fds, &n_fds), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    close(ends[0]);
    ends[0] = -1;
    ck_assert_int_eq(upgrade_receive(ends[1], 1000, &got, fds, &n_fds), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_int_eq(upgrade_say(ends[1], UPGRADE_GO, 0, ""), -1);
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

/* What a message does not have to have is closed with it. */
START_TEST(a_message_that_is_none_leaves_no_descriptor)
{
    const struct upgrade_message wrong = {.kind = UPGRADE_READY};
    unsigned before = open_files();
    ck_assert_int_eq(upgrade_send(ends[0], &wrong, ends, 2), 0);
    ck_assert_int_eq(upgrade_receive(ends[1], 1000, &got, fds, &n_fds), -1);
    ck_assert_int_eq(errno, EBADMSG);
    ck_assert_int_eq(send(ends[0], "good morning, is anybody there?", 31, 0), 31);
    ck_assert_int_eq(upgrade_receive(ends[1], 1000, &got, fds, &n_fds), -1);
    ck_assert_int_eq(errno, EBADMSG);
    char much[2 * UPGRADE_BYTES] = {UPGRADE_REFUSED};
    memset(much + 12, 'x', sizeof(much) - 12);
    ck_assert_int_eq(send(ends[0], much, sizeof(much), 0), (int)sizeof(much));
    ck_assert_int_eq(upgrade_receive(ends[1], 1000, &got, fds, &n_fds), -1);
    ck_assert_int_eq(errno, EBADMSG);
    ck_assert_uint_eq(open_files(), before);
}
END_TEST

/* Nobody reads: the other one's end is full. */
START_TEST(whoever_does_not_read_is_not_waited_for)
{
    int result;
    unsigned n = 0;
    do
        result = upgrade_say(ends[0], UPGRADE_PREPARED, 0, "");
    while (result == 0 && ++n < 100000);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

/* ---- what the new one is given ------------------------------------------------------------------ */

static int say(enum upgrade_kind kind, uint32_t number, const char *text, bool with)
{
    struct upgrade_message m = {.kind = kind, .number = number};
    strcpy(m.text, text);
    return upgrade_send(ends[0], &m, ends, with);
}

static int take(struct taking *t, char error[SERVICE_ERROR])
{
    *t = (struct taking){.channel = ends[1]};
    return take_heirlooms(t, error);
}

START_TEST(heirlooms_come_by_their_names)
{
    struct taking t;
    char error[SERVICE_ERROR];
    say(UPGRADE_HEIRLOOM, 0, "tun:one", true);
    say(UPGRADE_HEIRLOOM, 0, "tun:one", true);
    say(UPGRADE_PREPARE, 3, "", false);
    ck_assert_msg(take(&t, error) == 0, "%s", error);
    ck_assert_uint_eq(t.old_workers, 3);
    ck_assert(heirlooms_are_others());
    ck_assert_int_eq(upgrade_receive(ends[0], 0, &got, fds, &n_fds), 0);
    ck_assert_int_eq(got.kind, UPGRADE_HELLO);
    ck_assert_uint_eq(got.number, UPGRADE_PROTOCOL);
    ck_assert_str_eq(got.text, BRAID_VERSION);
    ck_assert_int_ge(heirloom_take("tun:one"), 0);
    ck_assert_int_ge(heirloom_take("tun:one"), 0);
    ck_assert_int_eq(heirloom_take("tun:one"), -1);
}
END_TEST

START_TEST(a_daemon_out_of_turn_is_not_taken_over_from)
{
    static const struct {
        enum upgrade_kind kind;
        uint32_t number;
    } wrong[] = {{UPGRADE_GO, 0},
                 {UPGRADE_WHOLE, 1},
                 {UPGRADE_READY, 0},
                 {UPGRADE_PREPARE, 0},
                 {UPGRADE_PREPARE, DAEMON_WORKERS_MAX + 1},
                 {UPGRADE_PREPARE, UINT32_MAX}};
    struct taking t;
    char error[SERVICE_ERROR] = "";
    say(wrong[_i].kind, wrong[_i].number, "", false);
    ck_assert_int_eq(take(&t, error), -1);
    ck_assert_str_ne(error, "");
}
END_TEST

START_TEST(a_daemon_that_is_gone_is_not_taken_over_from)
{
    struct taking t;
    char error[SERVICE_ERROR] = "";
    close(ends[0]);
    ends[0] = -1;
    ck_assert_int_eq(take(&t, error), -1);
    ck_assert_ptr_nonnull(strstr(error, "has ended"));
}
END_TEST

static Suite *upgrade_suite(void)
{
    Suite *s = suite_create("upgrade");
    TCase *tc = tcase_create("messages");
    tcase_add_loop_test(tc, every_message_is_read_as_it_was_written, 0, KINDS);
    tcase_add_loop_test(tc, only_with_as_many_descriptors_as_belong_to_it, 0, KINDS);
    tcase_add_test(tc, what_is_torn_or_no_message_is_refused);
    suite_add_tcase(s, tc);
    tc = tcase_create("channel");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, as_many_descriptors_as_the_kernel_takes_arrive_in_their_order);
    tcase_add_test(tc, descriptors_that_there_is_no_room_for_are_noticed);
    tcase_add_test(tc, silence_and_the_end_are_told_apart);
    tcase_add_test(tc, a_message_that_is_none_leaves_no_descriptor);
    tcase_add_test(tc, whoever_does_not_read_is_not_waited_for);
    tcase_add_test(tc, heirlooms_come_by_their_names);
    tcase_add_loop_test(tc, a_daemon_out_of_turn_is_not_taken_over_from, 0, 6);
    tcase_add_test(tc, a_daemon_that_is_gone_is_not_taken_over_from);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(upgrade_suite());
}
