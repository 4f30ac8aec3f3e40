/* See screen.h. A frame is one write, so that nothing flickers. */
#include "ctl/screen.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BEGIN       "\033[?1049h\033[?25l" /* the other page, no cursor */
#define END         "\033[?25h\033[?1049l"
#define HOME        "\033[H"
#define REVERSE     "\033[7m"
#define USUAL       "\033[0m"
#define REST_OF_ROW "\033[K"
#define REST        "\033[J"

static const int heard[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
#define HEARD (sizeof(heard) / sizeof(heard[0]))

static struct sigaction usual[HEARD];
static volatile sig_atomic_t over;

static void on_signal(int number)
{
    over |= number != SIGWINCH; /* which only wakes */
}

static void hear(void)
{
    struct sigaction a = {.sa_handler = on_signal}; /* no SA_RESTART: poll is to return */
    over = 0;
    for (unsigned i = 0; i < HEARD; i++)
        sigaction(heard[i], &a, &usual[i]);
}

/* False: with errno. */
static bool put(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
    return true;
}

int screen_open(struct screen *s, int in, int out)
{
    *s = (struct screen){.in = in, .out = out};
    if (tcgetattr(in, &s->before) < 0)
        return -1;
    struct termios raw = s->before;
    cfmakeraw(&raw);
    if (tcsetattr(in, TCSAFLUSH, &raw) < 0)
        return -1;
    hear();
    put(out, BEGIN, strlen(BEGIN));
    return 0;
}

void screen_close(struct screen *s)
{
    put(s->out, END, strlen(END));
    tcsetattr(s->in, TCSAFLUSH, &s->before);
    for (unsigned i = 0; i < HEARD; i++)
        sigaction(heard[i], &usual[i], NULL);
}

void screen_size(const struct screen *s, unsigned *rows, unsigned *columns)
{
    struct winsize w;
    bool known = ioctl(s->out, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0;
    *rows = known ? w.ws_row : 24;
    *columns = known ? w.ws_col : 80;
}

/* ---- keys
 * -------------------------------------------------------------------------------------------------- */

/* Behind an Escape that others followed at once: "[" or "O", parameters, and a letter; or one byte. */
static void skip_sequence(struct screen *s)
{
    unsigned char kind = s->keys[s->taken++];
    if (kind != '[' && kind != 'O')
        return;
    while (s->taken < s->n_keys && s->keys[s->taken++] < 0x40)
        ;
}

static int next_key(struct screen *s)
{
    while (s->taken < s->n_keys) {
        int key = s->keys[s->taken++];
        if (key != SCREEN_ESCAPE || s->taken == s->n_keys)
            return key;
        skip_sequence(s);
    }
    return SCREEN_NOTHING;
}

/* A signal that comes right before poll is noticed when that ends. */
int screen_key(struct screen *s, int wait_ms)
{
    struct pollfd p = {.fd = s->in, .events = POLLIN};
    int key = next_key(s);
    if (key != SCREEN_NOTHING)
        return key;
    int ready = over ? 0 : poll(&p, 1, wait_ms);
    if (over)
        return SCREEN_OVER;
    if (ready <= 0)
        return SCREEN_NOTHING;
    ssize_t n = read(s->in, s->keys, sizeof(s->keys));
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return SCREEN_OVER;
    s->taken = 0;
    s->n_keys = n > 0 ? (unsigned)n : 0;
    return next_key(s);
}

/* ---- drawing
 * ----------------------------------------------------------------------------------------------- */

size_t screen_fit(const char *line, unsigned columns)
{
    size_t n = 0;
    for (unsigned used = 0; line[n] && line[n] != '\n'; n++) {
        bool begins = ((unsigned char)line[n] & 0xc0) != 0x80;
        if (begins && used++ == columns)
            break;
    }
    return n;
}

/* Names and addresses are the daemon's words, but nothing that it says may control the terminal. */
static void put_line(FILE *to, const char *line, unsigned columns)
{
    size_t n = screen_fit(line, columns);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)line[i], before = i > 0 ? (unsigned char)line[i - 1] : 0;
        bool control = c < ' ' || c == 127 || (before == 0xc2 && c < 0xa0 && c >= 0x80);
        putc(control ? '?' : c, to);
    }
}

static void frame(FILE *to, const char *text, unsigned rows, unsigned columns)
{
    fputs(HOME, to);
    for (unsigned row = 0; row < rows && *text; row++) {
        fputs(row > 0 ? "\r\n" : REVERSE, to);
        put_line(to, text, columns);
        fputs(row > 0 ? REST_OF_ROW : REST_OF_ROW USUAL, to);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    fputs(REST, to);
}

bool screen_draw(struct screen *s, const char *text)
{
    unsigned rows, columns;
    char *bytes = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&bytes, &n);
    screen_size(s, &rows, &columns);
    if (!to)
        return false;
    frame(to, text, rows, columns);
    bool drawn = fclose(to) == 0 && put(s->out, bytes, n);
    free(bytes);
    return drawn;
}
