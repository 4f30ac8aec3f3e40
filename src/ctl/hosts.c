/* See hosts.h. */
#include "ctl/hosts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl/client.h"
#include "ctl/hosts_read.h"
#include "ctl/screen.h"

#define PERIOD_MS 1000
#define WAIT_MS   3000
#define PORT      "9180"

/* "10.0.0.11", "[::1]:80" or a URL. False: it is too long. */
static bool name_machine(struct hosts_machine *m, const char *host, size_t len)
{
    const char *end = host[0] == '[' ? memchr(host, ']', len) : host;
    bool url = strncmp(host, "http://", 7) == 0 || strncmp(host, "https://", 8) == 0;
    bool port = url || (end && memchr(end, ':', len - (size_t)(end - host)));
    if (len >= sizeof(m->name))
        return false;
    snprintf(m->name, sizeof(m->name), "%.*s", (int)len, host);
    snprintf(m->url, sizeof(m->url), "%s%.*s%s", url ? "" : "http://", (int)len, host, port ? "" : ":" PORT);
    return true;
}

static bool name_machines(struct hosts *h, const char *list)
{
    do {
        size_t len = strcspn(list, ",");
        if (len == 0 || h->n_machines == HOSTS_MAX || !name_machine(&h->machines[h->n_machines], list, len))
            return false;
        h->n_machines++;
        list += len + (list[len] == ',');
    } while (*list);
    return true;
}

/* One after the other: each answers at once, or not at all. */
static void ask_all(struct hosts *h, const struct hosts_request *r, FILE *err)
{
    hosts_clear(h);
    for (unsigned i = 0; i < h->n_machines; i++) {
        struct hosts_machine *m = &h->machines[i];
        struct remote remote = r->remote;
        char *text = NULL;
        size_t len;
        FILE *to = open_memstream(&text, &len);
        remote.url = m->url;
        int result = to ? remote_get(&remote, "/metrics", WAIT_MS, to, err) : CLIENT_FAILED;
        if (to && fclose(to) == 0 && result == CLIENT_OK)
            hosts_read(h, m, text);
        free(text);
    }
}

/* ---- top -------------------------------------------------------------------------------------------- */

static bool draw(const struct hosts *h, struct screen *screen)
{
    char *text = NULL, clock[16];
    size_t len;
    time_t now = time(NULL);
    struct tm tm;
    FILE *to = open_memstream(&text, &len);
    if (!to)
        return false;
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
    fprintf(to, "braidctl top   %s   q quit\n", clock);
    hosts_print(h, to);
    bool fine = fclose(to) == 0 && screen_draw(screen, text);
    free(text);
    return fine;
}

/* Why a machine does not answer is not for the screen: that it does not is in its row. */
static int show(struct hosts *h, const struct hosts_request *r, FILE *err)
{
    struct screen screen = {.in = r->in, .out = r->out};
    FILE *nobody = fopen("/dev/null", "we");
    int key = SCREEN_NOTHING;
    if (!nobody || screen_open(&screen, r->in, r->out) < 0) {
        fprintf(err, "braidctl: top: the terminal: %s\n", strerror(errno));
        if (nobody)
            fclose(nobody);
        return CLIENT_FAILED;
    }
    while (key != 'q' && key != SCREEN_INTERRUPT && key != SCREEN_OVER && draw(h, &screen)) {
        key = screen_key(&screen, PERIOD_MS);
        ask_all(h, r, nobody);
    }
    screen_close(&screen);
    fclose(nobody);
    return CLIENT_OK;
}

static int answer(struct hosts *h, const struct hosts_request *r, FILE *out, FILE *err)
{
    if (!name_machines(h, r->list)) {
        fprintf(err,
                "braidctl: --hosts takes up to %d machines, separated by commas, as in "
                "10.0.0.11,10.0.0.12:9180\n",
                HOSTS_MAX);
        return CLIENT_USAGE;
    }
    ask_all(h, r, err);
    if (r->in >= 0 && h->n_answers > 0)
        return show(h, r, err);
    if (r->json)
        hosts_print_json(h, out);
    else
        hosts_print(h, out);
    return h->n_answers == h->n_machines ? CLIENT_OK : CLIENT_FAILED;
}

int hosts_run(const struct hosts_request *r, FILE *out, FILE *err)
{
    struct hosts *h = calloc(1, sizeof(*h));
    int result = h ? answer(h, r, out, err) : CLIENT_FAILED;
    free(h);
    return result;
}
