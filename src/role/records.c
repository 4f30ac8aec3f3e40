/* See records.h. Recordings are looked after every tenth of a second: what was written is sent, and who has
 * ended goes. */
#include "role/records.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/list.h"
#include "io/alarm.h"
#include "io/clock.h"

#define PERIOD       (100 * BRAID_MS)
#define WAITING_MOST ((size_t)16 << 20) /* bytes, in a recording and as much again in the reel ... */
#define BEGIN_MOST   (WAITING_MOST / 4) /* ... in which no more than that may wait when another one begins */
#define EACH_MOST    ((size_t)1 << 20)  /* bytes in a recording of many */

struct wanted {
    struct list link;
    struct reel *reel;
    struct recorder_options options;
    unsigned open; /* recordings */
};

struct records {
    struct braid_core *core;
    struct poller *poller;
    unsigned worker;
    struct alarm *alarm;       /* NULL: nothing was ever wanted */
    struct recorder *recorder; /* NULL: nothing is wanted */
    struct list all;           /* struct wanted */
};

static braid_time wall_offset(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (braid_time)now.tv_sec * BRAID_SECOND + now.tv_nsec / 1000 - clock_now();
}

static void forget(struct records *rs, struct wanted *w)
{
    struct recording *next = rs->recorder ? recorder_first(rs->recorder) : NULL;
    while (next) {
        struct recording *of = next;
        next = recorder_next(rs->recorder, of);
        if (recording_owner(of) == w)
            recording_free(of);
    }
    list_remove(&w->link);
    free(w);
}

/* The core tells nothing any more when nobody wants anything. */
static void rest(struct records *rs)
{
    if (!list_empty(&rs->all))
        return;
    recorder_free(rs->recorder);
    rs->recorder = NULL;
}

/* What was written is sent, and what has ended goes. */
static void look_after(struct recording *of)
{
    struct wanted *w = recording_owner(of);
    enum recording_end end = recording_ended(of);
    if (end == RECORDING_GOES_ON && reel_waiting(w->reel) > WAITING_MOST)
        return; /* it piles up here, until the recorder gives up */
    struct blob part = recording_take(of);
    if (part.len > 0 || end != RECORDING_GOES_ON)
        reel_put(w->reel, part, end == RECORDING_GOES_ON ? REEL_GOES_ON : REEL_OVER);
    else
        blob_free(&part);
    if (end == RECORDING_GOES_ON)
        return;
    w->open--;
    recording_free(of);
}

static void on_alarm(void *arg)
{
    struct records *rs = arg;
    struct recording *following = rs->recorder ? recorder_first(rs->recorder) : NULL;
    while (following) {
        struct recording *of = following;
        following = recorder_next(rs->recorder, of);
        look_after(of);
    }
    list_each (at, next, &rs->all) {
        struct wanted *w = list_entry(at, struct wanted, link);
        if (w->open == 0 && reel_is_claimed(w->reel))
            forget(rs, w);
    }
    rest(rs);
    if (rs->recorder)
        alarm_set(rs->alarm, PERIOD);
}

/* Of an edge's connections those that begin, on whatever worker, until there are as many as are wished. While
 * nobody takes what there is, none begins. */
static bool is_meant(struct wanted *w, const struct braid_conn *c)
{
    const struct reel_wish *wish = reel_wish(w->reel);
    const char *edge = braid_conn_listener(c);
    return wish->conn == 0 && edge && strcmp(edge, wish->edge) == 0 && reel_waiting(w->reel) <= BEGIN_MOST &&
           reel_claim(w->reel);
}

static const struct recorder_options *on_opened(void *ctx, struct braid_conn *c, void **owner)
{
    struct records *rs = ctx;
    list_each (at, next, &rs->all) {
        struct wanted *w = list_entry(at, struct wanted, link);
        if (is_meant(w, c)) {
            *owner = w;
            return &w->options;
        }
    }
    return NULL;
}

static void on_begun(void *ctx, struct recording *of, void *owner)
{
    struct wanted *w = owner;
    (void)ctx;
    if (of)
        w->open++;
    else
        reel_put(w->reel, (struct blob){.len = 0}, REEL_MEMORY);
}

static bool begin(struct records *rs)
{
    if (rs->recorder)
        return true;
    rs->alarm = rs->alarm ? rs->alarm : alarm_new(rs->poller, on_alarm, rs);
    rs->recorder = rs->alarm ? recorder_new(rs->core, on_opened, on_begun, rs) : NULL;
    if (rs->recorder)
        alarm_set(rs->alarm, PERIOD);
    return rs->recorder;
}

static enum reel_news record_one(struct records *rs, struct wanted *w, braid_time now)
{
    struct braid_conn *c = braid_conn_by_id(rs->core, reel_wish(w->reel)->conn);
    if (!c || recorder_has(rs->recorder, c))
        return REEL_MISSING;
    if (!recorder_begin(rs->recorder, c, &w->options, w, now))
        return REEL_MEMORY;
    w->open++;
    reel_claim(w->reel);
    return REEL_GOES_ON;
}

void records_add(struct records *rs, struct reel *r, braid_time now)
{
    const struct reel_wish *wish = reel_wish(r);
    struct wanted *w = calloc(1, sizeof(*w));
    enum reel_news news = REEL_MEMORY;
    if (w) {
        *w = (struct wanted){.reel = r,
                             .options = {.keys = wish->keys,
                                         .bytes = wish->bytes,
                                         .most = wish->conn > 0 ? WAITING_MOST : EACH_MOST,
                                         .workers = wish->workers,
                                         .worker = rs->worker,
                                         .to_wall = wall_offset()}};
        list_append(&rs->all, &w->link);
        news = !begin(rs) ? REEL_MEMORY : wish->conn > 0 ? record_one(rs, w, now) : REEL_GOES_ON;
    }
    if (news == REEL_GOES_ON)
        return;
    if (w)
        forget(rs, w);
    rest(rs);
    reel_put(r, (struct blob){.len = 0}, news);
}

void records_forget(struct records *rs, const struct reel *r)
{
    list_each (at, next, &rs->all) {
        struct wanted *w = list_entry(at, struct wanted, link);
        if (w->reel == r)
            forget(rs, w);
    }
    rest(rs);
}

struct records *records_new(struct braid_core *core, struct poller *poller, unsigned worker)
{
    struct records *rs = calloc(1, sizeof(*rs));
    if (!rs)
        return NULL;
    rs->core = core;
    rs->poller = poller;
    rs->worker = worker;
    list_init(&rs->all);
    return rs;
}

void records_free(struct records *rs)
{
    if (!rs)
        return;
    list_each (at, next, &rs->all)
        forget(rs, list_entry(at, struct wanted, link));
    rest(rs);
    alarm_free(rs->alarm);
    free(rs);
}
