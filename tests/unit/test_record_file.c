/* What braidctl record writes into its file (src/ctl/record.c), of what a daemon says that a thread plays. */
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <braid/control.h>
#include "ctl/client.h"
#include "ctl/record.h"
#include "record/pcapng.h"
#include "record/recorder.h"
#include "suite.h"

#define LINE "record 7\n"

static char folder[64], path[80], file[80];
static char said[512]; /* by braidctl */

/* ---- the daemon ---- */

struct daemon {
    int fd;
    const uint8_t *bytes;
    size_t len;
};

static void *serve(void *arg)
{
    const struct daemon *d = arg;
    char line[sizeof(LINE)] = "";
    int fd = accept(d->fd, NULL, NULL);
    for (size_t n = 0; n < sizeof(LINE) - 1;) {
        ssize_t got = recv(fd, line + n, sizeof(LINE) - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    for (size_t n = 0; strcmp(line, LINE) == 0 && n < d->len;) {
        /* in pieces that are no blocks */
        ssize_t sent = send(fd, d->bytes + n, d->len - n < 37 ? d->len - n : 37, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        n += (size_t)sent;
    }
    close(fd);
    return NULL;
}

static int run(const void *bytes, size_t len, uint64_t total)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct daemon d = {.fd = socket(AF_UNIX, SOCK_STREAM, 0), .bytes = bytes, .len = len};
    pthread_t thread;
    strcpy(sun.sun_path, path);
    ck_assert_int_eq(bind(d.fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    ck_assert_int_eq(listen(d.fd, 1), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &d), 0);
    FILE *err = fmemopen(said, sizeof(said), "w");
    int result = record_run(path, LINE, file, total, err);
    fclose(err);
    pthread_join(thread, NULL);
    close(d.fd);
    unlink(path);
    return result;
}

/* ---- its bytes ---- */

static void block(struct blob *b, enum recording_block kind, enum recording_end end)
{
    uint8_t body[] = {(uint8_t)kind, 7, (uint8_t)end, 0};
    pcapng_custom(b, body, sizeof(body));
}

/* A file with a recording that ends like that; it goes on: without an end. */
static struct blob recording(enum recording_end end)
{
    struct blob b = {.len = 0};
    recording_head(&b);
    block(&b, RECORDING_BEGINS, RECORDING_GOES_ON);
    block(&b, RECORDING_EVENTS, RECORDING_GOES_ON);
    if (end != RECORDING_GOES_ON)
        block(&b, RECORDING_ENDS, end);
    return b;
}

static void setup(void)
{
    strcpy(folder, "/tmp/test_record_file.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/sock", folder);
    snprintf(file, sizeof(file), "%s/file", folder);
    said[0] = '\0';
}

static void teardown(void)
{
    unlink(file);
    rmdir(folder);
}

/* The file has these bytes, and is its owner's alone. */
static void has(const void *bytes, size_t len)
{
    uint8_t all[4096];
    struct stat st;
    FILE *f = fopen(file, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(all, 1, sizeof(all), f), len);
    ck_assert_mem_eq(all, bytes, len);
    fclose(f);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}

static void says(const char *text)
{
    ck_assert_msg(strstr(said, text), "\"%s\" is not in: %s", text, said);
}

/* One that ends so, with this result and these words, is all in the file. */
static void is_taken(enum recording_end why, int result, const char *text)
{
    struct blob b = recording(why);
    ck_assert_int_eq(run(b.data, b.len, UINT64_MAX), result);
    says(text);
    has(b.data, b.len);
    blob_free(&b);
}

START_TEST(a_recording_that_ends_is_all_in_the_file)
{
    is_taken(RECORDING_DONE, CLIENT_OK, "the connection has ended");
}
END_TEST

START_TEST(one_that_was_given_up_fails_and_stays)
{
    is_taken(RECORDING_SLOW, CLIENT_FAILED, "not taken as fast as it came");
}
END_TEST

START_TEST(what_breaks_off_within_a_block_has_the_blocks_before)
{
    struct blob b = recording(RECORDING_GOES_ON);
    size_t whole = b.len;
    block(&b, RECORDING_EVENTS, RECORDING_GOES_ON);
    ck_assert_int_eq(run(b.data, b.len - 1, UINT64_MAX), CLIENT_FAILED);
    says("the daemon has broken off");
    has(b.data, whole);
    blob_free(&b);
}
END_TEST

START_TEST(a_file_that_is_full_ends_with_a_block)
{
    struct blob b = recording(RECORDING_GOES_ON);
    size_t whole = b.len;
    block(&b, RECORDING_EVENTS, RECORDING_GOES_ON);
    ck_assert_int_eq(run(b.data, b.len, whole + 1), CLIENT_OK);
    says("as long as it may be");
    has(b.data, whole);
    blob_free(&b);
}
END_TEST

START_TEST(an_error_is_passed_on_and_makes_no_file)
{
    static const char error[] = BRAID_ERROR_TEXT "there is no connection with this id\n";
    ck_assert_int_eq(run(error, sizeof(error) - 1, UINT64_MAX), CLIENT_FAILED);
    says("braidctl: there is no connection with this id\n");
    ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

START_TEST(nothing_at_all_makes_no_file)
{
    ck_assert_int_eq(run("", 0, UINT64_MAX), CLIENT_FAILED);
    says("the daemon has broken off");
    ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

START_TEST(what_is_no_block_ends_it)
{
    struct blob b = recording(RECORDING_GOES_ON);
    size_t whole = b.len;
    static const uint8_t none[] = {1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9};
    blob_bytes(&b, none, sizeof(none));
    ck_assert_int_eq(run(b.data, b.len, UINT64_MAX), CLIENT_FAILED);
    says("Protocol error");
    has(b.data, whole);
    blob_free(&b);
}
END_TEST

START_TEST(without_a_daemon_it_says_so)
{
    FILE *err = fmemopen(said, sizeof(said), "w");
    ck_assert_int_eq(record_run(path, LINE, file, UINT64_MAX, err), CLIENT_FAILED);
    fclose(err);
    says(path);
    ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record file");
    TCase *t = tcase_create("file");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_recording_that_ends_is_all_in_the_file);
    tcase_add_test(t, one_that_was_given_up_fails_and_stays);
    tcase_add_test(t, what_breaks_off_within_a_block_has_the_blocks_before);
    tcase_add_test(t, a_file_that_is_full_ends_with_a_block);
    tcase_add_test(t, an_error_is_passed_on_and_makes_no_file);
    tcase_add_test(t, nothing_at_all_makes_no_file);
    tcase_add_test(t, what_is_no_block_ends_it);
    tcase_add_test(t, without_a_daemon_it_says_so);
    suite_add_tcase(s, t);
    return run_suite(s);
}
