/* A terminal as a screen (src/ctl/screen.c), at the other end of which the test sits. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "ctl/screen.h"
#include "suite.h"

#define PATIENCE 20000 /* milliseconds until a test fails */

static int far, near;
static struct screen screen;

static void setup(void)
{
    struct winsize size = {.ws_row = 4, .ws_col = 10};
    ck_assert_int_eq(openpty(&far, &near, NULL, NULL, &size), 0);
    ck_assert_int_eq(screen_open(&screen, near, near), 0);
}

static void teardown(void)
{
    screen_close(&screen);
    close(near);
    close(far);
}

/* What the terminal has been sent until `end` came. */
static const char *seen(const char *end)
{
    static char text[4096];
    size_t n = 0;
    text[0] = '\0';
    while (!strstr(text, end)) {
        struct pollfd p = {.fd = far, .events = POLLIN};
        ck_assert_msg(poll(&p, 1, PATIENCE) == 1, "never came: %s", end);
        ssize_t got = read(far, text + n, sizeof(text) - 1 - n);
        ck_assert_int_gt(got, 0);
        n += (size_t)got;
        text[n] = '\0';
    }
    return text;
}

static void press(const char *keys)
{
    ck_assert_int_eq(write(far, keys, strlen(keys)), (ssize_t)strlen(keys));
}

START_TEST(a_frame_is_clipped_to_the_window)
{
    ck_assert(
        screen_draw(&screen, "title\n0123456789abc\n\303\244\303\266\303\274456789x\nlast\ntoo many\n"));
    const char *text = seen("\033[J");
    ck_assert_ptr_nonnull(strstr(text, "\033[H\033[7mtitle\033[K\033[0m\r\n0123456789\033[K\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\n\303\244\303\266\303\274456789x\033[K\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nlast\033[K\033[J"));
    ck_assert_ptr_null(strstr(text, "too many"));
}
END_TEST

START_TEST(nothing_that_is_shown_controls_the_terminal)
{
    ck_assert(screen_draw(&screen, "a\033[2Jb\a\n\302\2331\302\240\n"));
    const char *text = seen("\033[J");
    ck_assert_ptr_nonnull(strstr(text, "a?[2Jb?"));
    ck_assert_ptr_nonnull(strstr(text, "\302?1\302\240"));
}
END_TEST

START_TEST(keys_come_one_by_one)
{
    press("a\003/");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), 'a');
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_INTERRUPT);
    ck_assert_int_eq(screen_key(&screen, PATIENCE), '/');
    ck_assert_int_eq(screen_key(&screen, 0), SCREEN_NOTHING);
    press("\r");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_ENTER);
    press("\033");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_ESCAPE);
}
END_TEST

/* Arrows, F5, Delete, and Alt with a letter. */
START_TEST(sequences_are_left_out)
{
    press("\033[A\033OB\033[15~\033[3;5~\033xz");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), 'z');
    press("\033[");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_NOTHING);
    press("q");
    ck_assert_int_eq(screen_key(&screen, PATIENCE), 'q');
}
END_TEST

START_TEST(a_signal_ends_it_and_another_size_does_not)
{
    struct winsize size = {.ws_row = 30, .ws_col = 100};
    unsigned rows, columns;
    ioctl(far, TIOCSWINSZ, &size);
    raise(SIGWINCH);
    ck_assert_int_eq(screen_key(&screen, 0), SCREEN_NOTHING);
    screen_size(&screen, &rows, &columns);
    ck_assert_uint_eq(rows, 30);
    ck_assert_uint_eq(columns, 100);
    raise(SIGTERM);
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_OVER);
}
END_TEST

START_TEST(a_terminal_that_goes_ends_it)
{
    close(far);
    far = open("/dev/null", O_RDWR);
    ck_assert_int_eq(screen_key(&screen, PATIENCE), SCREEN_OVER);
}
END_TEST

START_TEST(the_terminal_is_as_it_was)
{
    struct termios now;
    ck_assert(screen.before.c_lflag & ICANON);
    tcgetattr(near, &now);
    ck_assert(!(now.c_lflag & (ICANON | ECHO | ISIG)));
    screen_close(&screen);
    tcgetattr(near, &now);
    ck_assert(now.c_lflag == screen.before.c_lflag);
    ck_assert(now.c_oflag == screen.before.c_oflag);
    seen("\033[?25h\033[?1049l");
    ck_assert_int_eq(screen_open(&screen, near, near), 0);
}
END_TEST

START_TEST(what_is_no_terminal_is_refused)
{
    struct screen other;
    int null = open("/dev/null", O_RDWR);
    ck_assert_int_eq(screen_open(&other, null, null), -1);
    close(null);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("screen");
    TCase *t = tcase_create("screen");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_frame_is_clipped_to_the_window);
    tcase_add_test(t, nothing_that_is_shown_controls_the_terminal);
    tcase_add_test(t, keys_come_one_by_one);
    tcase_add_test(t, sequences_are_left_out);
    tcase_add_test(t, a_signal_ends_it_and_another_size_does_not);
    tcase_add_test(t, a_terminal_that_goes_ends_it);
    tcase_add_test(t, the_terminal_is_as_it_was);
    tcase_add_test(t, what_is_no_terminal_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
