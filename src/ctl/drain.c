/* See drain.h. What is read are the lines of src/admin/render_drain.c. */
#include "ctl/drain.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl/client.h"

#define PERIOD_MS   250
#define SHOW_MS     1000  /* between two lines, at least */
#define ANSWER_MS   5000  /* that one answer may take ... */
#define PATIENCE_MS 15000 /* ... and how long there may be none */

struct waiting {
    const char *path, *name;
    FILE *err;
    uint64_t left, shown; /* connections; shown: as err was told last */
    int64_t shown_at;
};

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pass(int ms)
{
    const struct timespec ts = {.tv_nsec = ms * 1000000L};
    nanosleep(&ts, NULL);
}

/* "edge web: drained, 12 connections". False: it is another line. */
static bool read_line(const char *line, const char *name, uint64_t *n)
{
    size_t len = strlen(name);
    line += strcspn(line, " ");
    if (*line != ' ' || strncmp(line + 1, name, len) != 0)
        return false;
    return sscanf(line + 1 + len, ": drained, %" SCNu64, n) == 1;
}

/* An edge and a CPE may have one name. False: it is not among those that are drained. */
static bool count_left(struct waiting *w, const char *text)
{
    bool found = false;
    uint64_t n;
    w->left = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (!read_line(line, w->name, &n))
            continue;
        found = true;
        w->left += n;
    }
    return found;
}

static void show(struct waiting *w)
{
    int64_t now = now_ms();
    if (w->left == w->shown || (w->left > 0 && now - w->shown_at < SHOW_MS))
        return;
    fprintf(w->err, "%s: %" PRIu64 " connection%s left\n", w->name, w->left, w->left == 1 ? "" : "s");
    fflush(w->err);
    w->shown = w->left;
    w->shown_at = now;
}

enum look {
    LOOK_UNANSWERED, /* *error, which the caller frees, or NULL: memory is short, tells why */
    LOOK_TAKES_MORE, /* it is not drained, as err was told */
    LOOK_LEFT,
    LOOK_EMPTY
};

static enum look look(struct waiting *w, char **error)
{
    char *text = client_fetch(w->path, "drain\n", ANSWER_MS, error);
    if (!text)
        return LOOK_UNANSWERED;
    bool drained = count_left(w, text);
    free(text);
    if (!drained) {
        fprintf(w->err, "braidctl: %s is not drained any more\n", w->name);
        return LOOK_TAKES_MORE;
    }
    show(w);
    return w->left > 0 ? LOOK_LEFT : LOOK_EMPTY;
}

int drain_wait(const char *path, const char *name, long seconds, FILE *err)
{
    struct waiting w = {.path = path, .name = name, .err = err, .shown = UINT64_MAX};
    int64_t begun = now_ms(), heard = begun;
    for (;;) {
        char *error = NULL;
        enum look seen = look(&w, &error);
        int64_t now = now_ms();
        bool over = seconds >= 0 && now - begun >= seconds * 1000;
        heard = seen == LOOK_UNANSWERED ? heard : now;
        bool silent = now - heard > PATIENCE_MS;
        if (silent)
            fputs(error ? error : "braidctl: memory is short\n", err);
        free(error);
        if (seen == LOOK_EMPTY || seen == LOOK_TAKES_MORE || silent)
            return seen == LOOK_EMPTY ? CLIENT_OK : CLIENT_FAILED;
        if (over)
            return CLIENT_LEFT;
        pass(PERIOD_MS);
    }
}
