/* service/state_file: what one process wrote is what another one reads, whatever the other one can count;
 * what is torn is refused. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "service/state_file.h"
#include "suite.h"

#define COUNTERS (sizeof(struct worker_counters) / sizeof(uint64_t))

/* As who keeps to himself where it is until the end. */
static void fill(struct braid_memory *m, const uint8_t *bytes, size_t len)
{
    struct braid_memory own = *m;
    while (own.cap - own.len < len) {
        own.cap += 5000;
        own.data = own.grow(own.ctx, own.cap);
        ck_assert_ptr_nonnull(own.data);
    }
    if (len > 0)
        memcpy(own.data + own.len, bytes, len);
    own.len += len;
    *m = own;
}

/* Whether there was room for it in the beginning or not. */
START_TEST(what_was_written_is_read)
{
    const size_t len = (size_t)_i * 100000, room = (size_t)(_i % 2) * 300000;
    uint8_t *bytes = malloc(len + 1);
    const struct worker_counters counters = {.wakeups = 1, .taken_over = UINT64_MAX};
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct state_writer w;
    struct state_file f;
    ck_assert_int_eq(state_file_create(&w, room), 0);
    state_file_begin(&w, &counters);
    fill(&w.memory, bytes, len);
    ck_assert_int_eq(state_file_end(&w), 0);
    ck_assert_int_eq(state_file_open(w.fd, &f), 0);
    state_file_forget(&w);
    ck_assert_mem_eq(&f.counters, &counters, sizeof(counters));
    ck_assert_uint_eq(f.len, len);
    ck_assert_int_eq(memcmp(f.node, bytes, len), 0);
    state_file_close(&f);
    free(bytes);
}
END_TEST

/* A memfd with these words. */
static int file_of(const uint64_t *words, size_t bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, words, bytes), (int)bytes);
    return fd;
}

START_TEST(another_version_counts_other_things)
{
    uint64_t words[COUNTERS + 4] = {COUNTERS + 2, 5};
    struct state_file f;
    int fd = file_of(words, sizeof(words));
    ck_assert_int_eq(state_file_open(fd, &f), 0);
    ck_assert_uint_eq(f.counters.wakeups, 5);
    ck_assert_uint_eq(f.len, 8);
    state_file_close(&f);
    close(fd);
    words[0] = 1;
    words[2] = 9;
    fd = file_of(words, 24);
    ck_assert_int_eq(state_file_open(fd, &f), 0);
    ck_assert_uint_eq(f.counters.wakeups, 5);
    ck_assert_uint_eq(f.counters.polled, 0);
    ck_assert_uint_eq(f.len, 8);
    ck_assert_uint_eq(f.node[0], 9);
    state_file_close(&f);
    close(fd);
}
END_TEST

START_TEST(what_is_torn_is_refused)
{
    const uint64_t words[] = {2, 1, 1};
    const uint64_t absurd[] = {UINT64_MAX / 8 + 1, 0};
    struct state_file f;
    for (size_t bytes = 0; bytes < sizeof(words); bytes++) {
        int fd = file_of(words, bytes);
        ck_assert_int_eq(state_file_open(fd, &f), -1);
        ck_assert_int_eq(errno, EBADMSG);
        close(fd);
    }
    int fd = file_of(absurd, sizeof(absurd));
    ck_assert_int_eq(state_file_open(fd, &f), -1);
    close(fd);
    ck_assert_int_eq(state_file_open(-1, &f), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

static Suite *state_file_suite(void)
{
    Suite *s = suite_create("state_file");
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, what_was_written_is_read, 0, 4);
    tcase_add_test(tc, another_version_counts_other_things);
    tcase_add_test(tc, what_is_torn_is_refused);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(state_file_suite());
}
