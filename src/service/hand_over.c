/* See hand_over.h. Each worker writes its own state down, in its own thread and into memory of its own. */
#include "service/hand_over.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "io/notify.h"
#include "role/node.h"
#include "role/node_handover.h"
#include "service/pause.h"
#include "service/state_file.h"
#include "service/upgrade_channel.h"

#define REST_MS    5000 /* that workers may take to come to rest */
#define SETTLE_MAX 1000 /* rounds in which workers send each other something before it is too much */

#define ROOM_CONN 2048                /* bytes of state: of a connection of two subflows that is idle, ... */
#define ROOM_MOST (size_t)(64u << 20) /* ... and at most for what is in buffers, before it is seen */

struct piece {
    struct state_writer file;
    struct node_state state; /* its descriptors */
    int why;                 /* errno */
    const char *refusal;
};

struct handing {
    const struct workers *workers;
    const struct hand_over *other;
    char *error;
    atomic_bool any;
    struct piece pieces[DAEMON_WORKERS_MAX];
};

static int64_t us_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

__attribute__((format(printf, 2, 3))) static int fail(const struct handing *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(h->error, SERVICE_ERROR, format, args);
    va_end(args);
    return -1;
}

/* ---- in the workers' threads ------------------------------------------------------------------- */

static void settle(struct worker *w, void *arg)
{
    struct handing *h = arg;
    if (worker_settle(w))
        atomic_store(&h->any, true);
}

static void freeze(struct worker *w, void *arg)
{
    struct handing *h = arg;
    struct piece *p = &h->pieces[worker_number(w)];
    state_file_begin(&p->file, worker_counters(w));
    if (node_freeze(worker_user(w), &p->file.memory, &p->state, &p->refusal) == 0)
        p->why = state_file_end(&p->file) < 0 ? errno : 0;
}

static void count(struct worker *w, void *arg)
{
    struct braid_core_stats stats;
    const struct node *n = worker_user(w);
    struct hand_over_size *sizes = arg;
    braid_core_stats(n->core, &stats);
    sizes[worker_number(w)] = (struct hand_over_size){stats.conns, braid_core_memory(n->core)};
}

/* ---- in the main thread ------------------------------------------------------------------------ */

static int come_to_rest(struct handing *h, struct pause *pause)
{
    for (unsigned rounds = 0; rounds < SETTLE_MAX; rounds++) {
        atomic_store(&h->any, false);
        pause_each(pause, settle, h);
        if (!atomic_load(&h->any))
            return 0;
    }
    return fail(h, "the workers do not come to rest");
}

static int write_down(struct handing *h, struct pause *pause)
{
    pause_each(pause, freeze, h);
    for (unsigned i = 0; i < h->workers->n; i++) {
        const struct piece *p = &h->pieces[i];
        if (p->refusal)
            return fail(h, "%s", p->refusal);
        if (p->why)
            return fail(h, "the state of worker %u cannot be written down: %s", i, strerror(p->why));
    }
    return 0;
}

/* -1 with errno. */
static int send_piece(const struct handing *h, unsigned i)
{
    const struct piece *p = &h->pieces[i];
    struct upgrade_message m = {.kind = UPGRADE_STATE, .number = i, .count = (uint32_t)p->state.n_fds};
    if (upgrade_send(h->other->channel, &m, &p->file.fd, 1) < 0)
        return -1;
    m = (struct upgrade_message){.kind = UPGRADE_SOCKETS, .number = i};
    for (size_t at = 0; at < p->state.n_fds; at += m.count) {
        size_t left = p->state.n_fds - at;
        m.count = left < UPGRADE_FDS ? (uint32_t)left : UPGRADE_FDS;
        if (upgrade_send(h->other->channel, &m, p->state.fds + at, m.count) < 0)
            return -1;
    }
    return 0;
}

static int send_all(const struct handing *h)
{
    const struct upgrade_message whole = {.kind = UPGRADE_WHOLE, .count = h->workers->n};
    int result = 0;
    for (unsigned i = 0; i < h->workers->n && result == 0; i++)
        result = send_piece(h, i);
    if (result == 0)
        result = upgrade_send(h->other->channel, &whole, NULL, 0);
    return result == 0 ? 0 : fail(h, "the new process %s", upgrade_trouble(errno));
}

static int hear_that_it_is_ready(const struct handing *h)
{
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    if (upgrade_receive(h->other->channel, UPGRADE_SILENCE_MS, &m, fds, &n) < 0)
        return fail(h, "the new process %s", upgrade_trouble(errno));
    if (m.kind == UPGRADE_REFUSED)
        return fail(h, "the new process: %s", m.text);
    return m.kind == UPGRADE_READY ? 0 : fail(h, "the new process is out of turn");
}

static void notify_main_pid(int pid)
{
    char text[32];
    snprintf(text, sizeof(text), "MAINPID=%d", pid);
    notify_send(text);
}

/* systemd believes the process that it knows, so that one has to say who is next before it ends. */
static int let_go_on(const struct handing *h)
{
    notify_main_pid(h->other->pid);
    if (upgrade_say(h->other->channel, UPGRADE_GO, 0, "") == 0)
        return 0;
    int why = errno;
    notify_main_pid((int)getpid());
    return fail(h, "the new process %s", upgrade_trouble(why));
}

static void free_pieces(struct handing *h)
{
    for (unsigned i = 0; i < h->workers->n; i++) {
        node_state_free(&h->pieces[i].state);
        state_file_forget(&h->pieces[i].file);
    }
}

int hand_over_measure(const struct workers *ws, struct hand_over_size sizes[DAEMON_WORKERS_MAX])
{
    struct pause *pause = pause_begin(ws, REST_MS);
    if (!pause)
        return -1;
    pause_each(pause, count, sizes);
    pause_end(pause);
    return 0;
}

static size_t room_for(const struct hand_over_size *s)
{
    return s->conns * ROOM_CONN + (s->memory < ROOM_MOST ? s->memory : ROOM_MOST);
}

/* While all still work. */
static int make_files(struct handing *h)
{
    int result = 0;
    for (unsigned i = 0; i < h->workers->n; i++)
        h->pieces[i].file.fd = -1;
    for (unsigned i = 0; i < h->workers->n && result == 0; i++)
        result = state_file_create(&h->pieces[i].file, room_for(&h->other->sizes[i]));
    return result == 0 ? 0 : fail(h, "there is no memory for the state: %s", strerror(errno));
}

static int hand_over_now(struct handing *h)
{
    struct pause *pause = pause_begin(h->workers, REST_MS);
    if (!pause)
        return fail(h, "a worker does not come to rest, or memory is short");
    int result = come_to_rest(h, pause);
    if (result == 0)
        result = write_down(h, pause);
    if (result == 0)
        result = send_all(h);
    if (result == 0)
        result = hear_that_it_is_ready(h);
    if (result == 0)
        result = let_go_on(h);
    if (result < 0)
        pause_end(pause);
    return result;
}

int hand_over(struct workers *ws, struct hand_over *other, char error[SERVICE_ERROR])
{
    struct handing h = {.workers = ws, .other = other, .error = error};
    int result = make_files(&h);
    int64_t began = us_now();
    if (result == 0)
        result = hand_over_now(&h);
    other->pause_us = us_now() - began;
    free_pieces(&h);
    return result;
}
