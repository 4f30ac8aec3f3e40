/* A worker's loop: one turn of its poller or of libevent, then the core's timers, then one flush for all that
 * the turn brought. */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "io/clock.h"
#include "io/log.h"
#include "io/tun_queue.h"
#include "io/worker_state.h"

#define READ_PACKETS  64                  /* packets read from the TUN in one turn at most */
#define READ_BYTES    (1024 * 1024)       /* and bytes: more would delay ACKs; less brings more of them */
#define HEARTBEAT     (2 * BRAID_SECOND)  /* the longest sleep: one that takes longer was not meant to */
#define TIDY_EVERY    (10 * BRAID_SECOND) /* between looks for memory to give back ... */
#define TIDY_LEAST    (1u << 20)          /* ... which is worth it from so many bytes on, ... */
#define TIDY_PART     16 /* ... and this part of what is held, since it looks at all of that */
#define READ_FAILURES 64 /* reads of the TUN that fail in a row: it is not the packets */

/* ---- time ------------------------------------------------------------------------------------ */

/* Every look at the clock may find that this thread stood still, and the core has to know before it sees what
 * has come meanwhile. */
static void look_at_clock(struct worker *w)
{
    w->now = clock_now();
    braid_time lost = clock_lost();
    if (lost == w->lost)
        return;
    log_notice("worker %u: stood still for %.2f s; no timeout counts them", w->params.number,
               (double)(lost - w->lost) / BRAID_SECOND);
    w->lost = lost;
    braid_core_resumed(w->core, w->now);
}

braid_time worker_now(struct worker *w)
{
    if (w->now == 0)
        look_at_clock(w);
    return w->now;
}

/* ---- packets from the TUN -------------------------------------------------------------------- */

/* A read failed with errno, other than for lack of a packet. A descriptor without its device (EBADFD) stays
 * readable for ever; so may one with a fault that we do not know. */
static void read_failed(struct worker *w)
{
    w->counters.tun_in_errors++;
    if (errno != EBADFD && ++w->tun_failures < READ_FAILURES)
        return;
    log_debug("worker %u: cannot read from the TUN: %s", w->params.number, strerror(errno));
    w->tun_failures = 0;
    poller_unwatch(w->poller, &w->tun_watch);
    w->reads_tun = false;
    if (w->params.tun_lost)
        w->params.tun_lost(w->params.tun_lost_arg);
}

void worker_tun_again(struct worker *w)
{
    if (w->params.tun_fd < 0 || w->reads_tun)
        return;
    w->reads_tun = poller_watch(w->poller, &w->tun_watch, false) == 0;
    if (!w->reads_tun)
        log_error("worker %u: cannot wait for packets any more", w->params.number);
}

/* A packet that comes alone, as in an exchange of small messages, is not kept waiting for a read that finds
 * no other. If there are others, the next turn begins at once, and reads them all. */
static unsigned worth_reading(struct worker *w)
{
    bool in_a_row = w->tun_next == w->counters.wakeups;
    w->tun_next = w->counters.wakeups + 1;
    return in_a_row ? READ_PACKETS : 1;
}

static void on_tun(void *arg)
{
    struct worker *w = arg;
    size_t bytes = 0;
    unsigned most = worth_reading(w);
    for (unsigned packets = 0; packets < most && bytes < READ_BYTES; packets++) {
        struct buf *b = braid_buf_pool_get(w->pool);
        if (!b)
            return;
        struct braid_input in;
        ssize_t n = tun_read(w->params.tun_fd, braid_buf_data(b), &in);
        w->counters.tun_reads++;
        if (n > 0) {
            w->counters.tun_packets_in++;
            w->counters.tun_bytes_in += (uint64_t)n;
            bytes += (size_t)n;
            w->tun_failures = 0;
            braid_core_input(w->core, b, TUN_VNET_BYTES, (size_t)n, &in, worker_now(w));
        } else if (n == 0) {
            w->counters.tun_in_errors++;
        } else if (errno != EAGAIN) {
            read_failed(w);
        }
        braid_buf_unref(b); /* to the pool, unless the core keeps it */
        if (n < 0)
            return;
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Edge-triggered and never read: it only ends the wait. */
static void on_timer(void *arg)
{
    struct worker *w = arg;
    w->armed = BRAID_NEVER;
}

/* libevent's own timers are rounded to milliseconds, or cost a system call in every turn. This one is only
 * set when the deadline has moved forward; one that fires too early is cheaper than moving it with every ACK.
 */
static void arm_timer(struct worker *w, braid_time deadline)
{
    if (deadline >= w->armed)
        return;
    braid_time real = deadline + w->lost;
    struct itimerspec at = {
        .it_value = {.tv_sec = real / BRAID_SECOND, .tv_nsec = real % BRAID_SECOND * 1000}};
    if (timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
        w->armed = deadline;
}

/* After a flood or a busy hour malloc keeps what was freed, and the pool what it once needed. */
static void give_memory_back(struct worker *w)
{
    size_t memory = braid_core_memory(w->core);
    if (w->held < memory)
        w->held = memory;
    if (w->now < w->tidy_at)
        return;
    w->tidy_at = w->now + TIDY_EVERY;
    w->freed += braid_buf_pool_shrink(w->pool);
    w->freed += w->held - memory;
    w->held = memory;
    if (w->freed < TIDY_LEAST + memory / TIDY_PART)
        return;
#ifdef __GLIBC__ /* others give back by themselves */
    malloc_trim(0);
#endif
    w->freed = 0;
}

static bool has_work(const struct worker *w)
{
    return braid_core_dirty(w->core) || braid_core_deadline(w->core) <= w->now;
}

static void run_events(struct worker *w, bool sleeps)
{
    w->now = 0;
    poller_turn(w->poller, sleeps);
    look_at_clock(w);
}

static void sleep_until_events(struct worker *w)
{
    arm_timer(w, braid_core_deadline(w->core));
    arm_timer(w, w->now + HEARTBEAT);
    clock_sleep_until(w->armed);
    run_events(w, true);
}

/* To sleep and be woken takes longer than many a wait, for whoever wakes us, too. True: there is work. */
static bool poll_for_work(struct worker *w)
{
    braid_time until = w->now + w->params.poll;
    do
        run_events(w, false);
    while (!has_work(w) && !w->stop && w->now < until);
    return has_work(w) || w->stop;
}

/* Nobody but the last wait tells how long the next one takes: a worker with little to do does not poll. */
static void wait_for_events(struct worker *w)
{
    braid_time began = w->now;
    bool polls = w->brisk, found = polls && poll_for_work(w);
    w->counters.polled += found;
    w->counters.polled_in_vain += polls && !found;
    if (!found)
        sleep_until_events(w);
    w->brisk = w->now - began < w->params.poll;
}

static void turn(struct worker *w)
{
    look_at_clock(w);
    if (has_work(w)) {
        clock_sleep_until(w->now);
        run_events(w, false);
    } else {
        wait_for_events(w);
    }
    w->counters.wakeups++;
    if (braid_core_deadline(w->core) <= w->now)
        braid_core_run(w->core, w->now);
    if (braid_core_dirty(w->core)) {
        w->counters.flushes++;
        braid_core_flush(w->core, w->now);
    }
    give_memory_back(w);
}

bool worker_settle(struct worker *w)
{
    bool any = mailbox_drain(w->mailbox);
    if (!braid_core_dirty(w->core))
        return any;
    w->counters.flushes++;
    braid_core_flush(w->core, worker_now(w));
    return true;
}

int worker_loop_begin(struct worker *w)
{
    w->armed = BRAID_NEVER;
    w->pool = braid_buf_pool_new(TUN_BUFFER, 2 * READ_PACKETS);
    w->poller = poller_new(w->base, NULL);
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    w->timer_watch = (struct poller_watch){.fd = w->timer_fd, .ready = on_timer, .arg = w};
    w->tun_watch = (struct poller_watch){.fd = w->params.tun_fd, .ready = on_tun, .arg = w};
    if (!w->pool || !w->poller || w->timer_fd < 0 || poller_watch(w->poller, &w->timer_watch, true) < 0)
        return -1;
    w->reads_tun = w->params.tun_fd >= 0 && poller_watch(w->poller, &w->tun_watch, false) == 0;
    return w->params.tun_fd < 0 || w->reads_tun ? 0 : -1;
}

void worker_loop_run(struct worker *w)
{
    while (!w->stop)
        turn(w);
}

void worker_loop_end(struct worker *w)
{
    poller_free(w->poller);
    if (w->timer_fd >= 0)
        close(w->timer_fd);
}
