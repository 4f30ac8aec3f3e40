/* See top.h. The daemon sorts, searches and lays out; here its answers are asked for again and again, as many
 * rows as there is room for. */
#include "ctl/top.h"
#include <braid/control.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl/client.h"
#include "ctl/screen.h"

#define PERIOD_MS 1000
#define WAIT_MS   5000
#define HELP      "q quit   s S sort by the next, the last   / find   c all   p pause   space now"
#define OWN_ROWS  4 /* title, help, the head of the table and its last line */

static const char *const keys[] = {
#define X(id, word) word,
    BRAID_TOP_KEYS(X)
#undef X
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

struct top {
    const char *path; /* of the control socket */
    struct screen screen;
    unsigned key, most;        /* of keys; connections, 0: what there is room for */
    char find[BRAID_TOP_FIND]; /* what they must have */
    char typed[BRAID_TOP_FIND];
    bool typing, paused, over;
    char *rates, *list; /* the last answers; NULL: none */
    char *error;        /* why there is no newer one; NULL: there is */
};

/* ---- what the caller said
 * ---------------------------------------------------------------------------------- */

static const char *value_of(const char *word, const char *key)
{
    size_t n = strlen(key);
    return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool take_sort(struct top *t, const char *value)
{
    for (t->key = 0; t->key < KEYS; t->key++)
        if (strcmp(value, keys[t->key]) == 0)
            return true;
    return false;
}

static bool take_word(struct top *t, const char *word)
{
    const char *value;
    if ((value = value_of(word, "sort")) != NULL)
        return take_sort(t, value);
    if ((value = value_of(word, "find")) != NULL && strlen(value) < sizeof(t->find)) {
        strcpy(t->find, value);
        return true;
    }
    if ((value = value_of(word, "limit")) == NULL)
        return false;
    char *end;
    unsigned long most = strtoul(value, &end, 10);
    t->most = (unsigned)most;
    return *value >= '0' && *value <= '9' && !*end && most >= 1 && most <= BRAID_TOP_MOST;
}

/* ---- asking
 * ------------------------------------------------------------------------------------------------ */

static unsigned lines_of(const char *text)
{
    unsigned n = 0;
    for (; text && (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

/* Of the rates half the screen at most; the rest is for connections. */
static unsigned rates_rows(const struct top *t, unsigned rows)
{
    unsigned wanted = lines_of(t->rates);
    return wanted < rows / 2 ? wanted : rows / 2;
}

static unsigned room_for(const struct top *t)
{
    unsigned rows, columns;
    screen_size(&t->screen, &rows, &columns);
    unsigned used = rates_rows(t, rows) + OWN_ROWS, room = rows > used ? rows - used : 1;
    if (t->most > 0 && room > t->most)
        room = t->most;
    return room < BRAID_TOP_MOST ? room : BRAID_TOP_MOST;
}

/* What was there stays where there is no answer. */
static void refresh(struct top *t)
{
    char line[BRAID_CONTROL_LINE], *error = NULL;
    char *rates = client_fetch(t->path, "rates\n", WAIT_MS, &error), *list = NULL;
    if (rates) {
        free(t->rates);
        t->rates = rates;
        snprintf(line, sizeof(line), "top limit=%u sort=%s find=%s\n", room_for(t), keys[t->key], t->find);
        list = client_fetch(t->path, line, WAIT_MS, &error);
    }
    if (list) {
        free(t->list);
        t->list = list;
    }
    free(t->error);
    t->error = error;
}

/* ---- showing
 * ----------------------------------------------------------------------------------------------- */

static void title(FILE *to, const struct top *t)
{
    char text[16];
    time_t now = time(NULL);
    struct tm tm;
    strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&now, &tm));
    fprintf(to, "braidctl top   %s   by %s", text, keys[t->key]);
    if (*t->find)
        fprintf(to, "   with \"%s\"", t->find);
    fprintf(to, "%s\n", t->paused ? "   paused" : "");
}

static void second_line(FILE *to, const struct top *t)
{
    if (t->typing)
        fprintf(to, "find: %s_   (Enter takes it, Escape leaves it)\n", t->typed);
    else if (t->error)
        fprintf(to, "%.*s\n", (int)strcspn(t->error, "\n"), t->error);
    else
        fputs(HELP "\n", to);
}

static void some_lines(FILE *to, const char *text, unsigned n)
{
    for (; n > 0 && *text; n--) {
        size_t length = strcspn(text, "\n");
        fprintf(to, "%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void show(struct top *t)
{
    unsigned rows, columns;
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    screen_size(&t->screen, &rows, &columns);
    if (!to)
        return;
    title(to, t);
    second_line(to, t);
    if (t->rates)
        some_lines(to, t->rates, rates_rows(t, rows));
    if (t->list)
        some_lines(to, t->list, rows);
    if (fclose(to) == 0)
        t->over |= !screen_draw(&t->screen, text);
    free(text);
}

/* ---- keys
 * -------------------------------------------------------------------------------------------------- */

/* Blanks would end the word on its way to the daemon. True: something else is to be asked for. */
static bool type(struct top *t, int key)
{
    size_t n = strlen(t->typed);
    if (key == SCREEN_ENTER || key == '\n')
        strcpy(t->find, t->typed);
    if (key == SCREEN_ENTER || key == '\n' || key == SCREEN_ESCAPE) {
        t->typing = false;
        return key != SCREEN_ESCAPE;
    }
    if ((key == SCREEN_ERASE || key == '\b') && n > 0)
        t->typed[n - 1] = '\0';
    else if (key > ' ' && key < SCREEN_ERASE && n + 1 < sizeof(t->typed))
        t->typed[n] = (char)key;
    return false;
}

static void begin_to_type(struct top *t)
{
    memset(t->typed, 0, sizeof(t->typed));
    t->typing = true;
}

/* True: something else is to be asked for. */
static bool press(struct top *t, int key)
{
    if (key == SCREEN_INTERRUPT)
        t->over = true;
    else if (t->typing)
        return type(t, key);
    switch (key) {
    case 'q':
        t->over = true;
        return false;
    case 's':
        t->key = (t->key + 1) % KEYS;
        return true;
    case 'S':
        t->key = (t->key + KEYS - 1) % KEYS;
        return true;
    case '/':
        begin_to_type(t);
        return false;
    case 'c':
        t->find[0] = '\0';
        return true;
    case 'p':
        t->paused = !t->paused;
        return !t->paused;
    case ' ':
        return true;
    default:
        return false;
    }
}

/* ---- the loop
 * ---------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void watch_and_listen(struct top *t)
{
    int64_t due = now_ms() + PERIOD_MS;
    while (!t->over) {
        show(t);
        int64_t left = t->paused ? PERIOD_MS : due - now_ms();
        int key = screen_key(&t->screen, left > 0 ? (int)left : 0);
        t->over |= key == SCREEN_OVER;
        bool other = key >= 0 && press(t, key);
        if (!t->over && (other || (!t->paused && now_ms() >= due))) {
            refresh(t);
            due = now_ms() + PERIOD_MS;
        }
    }
}

static int misuse(const char *word, FILE *err)
{
    fprintf(err, "braidctl: \"%s\" is no argument of top, which takes limit=N, 1 to %d; sort=KEY, one of",
            word, BRAID_TOP_MOST);
    for (unsigned i = 0; i < KEYS; i++)
        fprintf(err, " %s", keys[i]);
    fprintf(err, "; and find=TEXT, %d bytes at most\n", BRAID_TOP_FIND - 1);
    return CLIENT_USAGE;
}

int top_run(const char *path, int n, char **words, int in, int out, FILE *err)
{
    struct top t = {.path = path, .screen = {.in = in, .out = out}};
    int result = CLIENT_OK;
    for (int i = 0; i < n; i++)
        if (!take_word(&t, words[i]))
            return misuse(words[i], err);
    refresh(&t);
    if (t.error || !t.list) {
        fputs(t.error ? t.error : "braidctl: memory is short\n", err);
        result = CLIENT_FAILED;
    } else if (screen_open(&t.screen, in, out) < 0) {
        fprintf(err, "braidctl: top: the terminal: %s\n", strerror(errno));
        result = CLIENT_FAILED;
    } else {
        watch_and_listen(&t);
        screen_close(&t.screen);
    }
    free(t.rates);
    free(t.list);
    free(t.error);
    return result;
}
