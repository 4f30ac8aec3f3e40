/* The worker's loop: one turn of libevent, then the core's timers, then one flush for all that the turn
 * brought. */
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/rand.h>
#include "io/clock.h"
#include "io/conntrack.h"
#include "io/log.h"
#include "io/log_writer.h"
#include "io/mailbox.h"
#include "io/params.h"
#include "io/steer.h"
#include "io/tun_queue.h"
#include "io/worker.h"

#define READ_PACKETS  64                  /* packets read from the TUN in one turn at most */
#define READ_BYTES    (1024 * 1024)       /* and bytes */
#define RANDOM_BYTES  512                 /* fetched from the generator at a time */
#define HANDOVERS_MAX 1024                /* packets waiting for one worker, from all others */
#define HEARTBEAT     (2 * BRAID_SECOND)  /* the longest sleep: one that takes longer was not meant to */
#define TIDY_EVERY    (10 * BRAID_SECOND) /* between looks for memory to give back ... */
#define TIDY_LEAST    (4u << 20)          /* ... which is worth it from so many bytes on */
#define READ_FAILURES 64                  /* reads of the TUN that fail in a row: it is not the packets */

struct worker {
    struct worker_params params;
    struct braid_core *core;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event tun_event, timer_event;
    unsigned tun_failures; /* reads in a row that failed */
    int timer_fd;
    braid_time armed;      /* when timer_fd fires; BRAID_NEVER: it does not */
    braid_time now;        /* io/clock.h; 0: not asked for yet in this turn */
    braid_time lost;       /* clock_lost() as the core knows it */
    struct buf_pool *pool; /* of buffers to read packets into */
    braid_time tidy_at;    /* when to look for memory to give back */
    size_t held, freed;    /* what the core held at the last look; freed since malloc last gave back, bytes */
    uint8_t random[RANDOM_BYTES];
    unsigned random_left;
    struct netlink *conntrack; /* io/conntrack.h; NULL: not possible, or not needed yet */
    struct worker_counters counters;
    struct worker *peers[DAEMON_WORKERS_MAX];
    atomic_uint handovers; /* packets that wait for this worker */
    void *user;
    pthread_t thread;
    bool started;
    bool stop;
};

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

/* ---- what the core asks for ------------------------------------------------------------------ */

static void host_output(void *ctx, const struct braid_packet *packet)
{
    struct worker *w = ctx;
    if (tun_write(w->params.tun_fd, packet) == 0) {
        w->counters.tun_packets_out++;
        w->counters.tun_bytes_out += packet->header_len + packet->payload_len;
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
        w->counters.tun_out_drops++;
    } else {
        w->counters.tun_out_errors++;
        log_debug("worker %u: TUN write of %u+%u bytes: %s", w->params.number, packet->header_len,
                  packet->payload_len, strerror(errno));
    }
}

/* On its way here the segment may have made an entry that leaves through the TUN, for which addresses are not
 * translated; the kernel is to see it for the first time when it comes from there. For a SYN this is certain.
 * One in the middle of a connection that the kernel knew already must not cost that connection its entry,
 * which the connmark tells. */
static void host_passing(void *ctx, const struct braid_addr *src, const struct braid_addr *dst, bool syn)
{
    struct worker *w = ctx;
    uint32_t mark = 0;
    if (!w->conntrack)
        w->conntrack = conntrack_open();
    if (!w->conntrack)
        return;
    int result = syn ? 0 : conntrack_find(w->conntrack, src, dst, &mark);
    if (result == 0 && (syn || (mark & STEER_MASK) == STEER_MARK))
        result = conntrack_forget(w->conntrack, src, dst);
    if (result < 0 && errno != ENOENT)
        log_debug("worker %u: connection tracking: %s", w->params.number, strerror(errno));
}

/* A call of the generator costs more than the few bytes that the core asks for at a time. What was given out
 * is erased: keys come from here. */
static void host_random(void *ctx, void *out, size_t len)
{
    struct worker *w = ctx;
    bool failed = false;
    if (len > RANDOM_BYTES) {
        failed = RAND_bytes(out, (int)len) != 1;
    } else {
        if (len > w->random_left) {
            failed = RAND_bytes(w->random, RANDOM_BYTES) != 1;
            w->random_left = RANDOM_BYTES;
        }
        w->random_left -= (unsigned)len;
        memcpy(out, w->random + w->random_left, len);
        memset(w->random + w->random_left, 0, len);
    }
    if (failed) {
        log_error("worker %u: the random number generator failed", w->params.number);
        log_flush();
        abort(); /* predictable keys would let anybody join */
    }
}

struct handover {
    struct mailbox_place place;
    struct worker *to;
    struct buf *packet;
    size_t len;
    struct braid_input in;
};

static void run_handover(void *arg)
{
    struct handover *h = arg;
    struct worker *w = h->to;
    atomic_fetch_sub(&w->handovers, 1);
    w->counters.taken_over++;
    braid_core_input(w->core, h->packet, 0, h->len, &h->in, worker_now(w));
    braid_buf_unref(h->packet);
    free(h);
}

static void host_hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                           const struct braid_input *in)
{
    struct worker *w = ctx;
    struct worker *to = worker < w->params.n_workers ? w->peers[worker] : NULL;
    if (!to || atomic_fetch_add(&to->handovers, 1) >= HANDOVERS_MAX) {
        if (to)
            atomic_fetch_sub(&to->handovers, 1);
        w->counters.handed_over_lost++;
        return;
    }
    struct handover *h = malloc(sizeof(*h));
    struct buf *b = braid_buf_new(len);
    if (h && b) {
        memcpy(braid_buf_data(b), packet, len);
        *h = (struct handover){.to = to, .packet = b, .len = len, .in = *in};
        mailbox_put(to->mailbox, &h->place, run_handover, h);
        w->counters.handed_over++;
        return;
    }
    if (b)
        braid_buf_unref(b);
    free(h);
    atomic_fetch_sub(&to->handovers, 1);
    w->counters.handed_over_lost++;
}

struct path_mtu {
    struct braid_ip peer;
    uint16_t mtu;
    bool silent;
};

static void take_path_mtu(struct worker *w, const void *arg)
{
    const struct path_mtu *m = arg;
    braid_core_path_mtu(w->core, &m->peer, m->mtu, m->silent, worker_now(w));
}

/* The next connection from there may come to any worker. Whoever is not told finds out by himself. */
static void host_path_mtu(void *ctx, const struct braid_ip *peer, uint16_t mtu, bool silent)
{
    struct worker *w = ctx;
    struct path_mtu found = {.peer = *peer, .mtu = mtu, .silent = silent};
    worker_tell_all(w->peers, w->params.n_workers, w, take_path_mtu, &found, sizeof(found));
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
    event_del(&w->tun_event);
    if (w->params.tun_lost)
        w->params.tun_lost(w->params.tun_lost_arg);
}

void worker_tun_again(struct worker *w)
{
    if (event_initialized(&w->tun_event) && event_add(&w->tun_event, NULL) < 0)
        log_error("worker %u: cannot wait for packets any more", w->params.number);
}

static void on_tun(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct worker *w = arg;
    size_t bytes = 0;
    for (unsigned packets = 0; packets < READ_PACKETS && bytes < READ_BYTES; packets++) {
        struct buf *b = braid_buf_pool_get(w->pool);
        if (!b)
            return;
        struct braid_input in;
        ssize_t n = tun_read((int)fd, braid_buf_data(b), &in);
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
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
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
    if (w->now < w->tidy_at)
        return;
    w->tidy_at = w->now + TIDY_EVERY;
    size_t memory = braid_core_memory(w->core);
    w->freed += braid_buf_pool_shrink(w->pool);
    w->freed += w->held > memory ? w->held - memory : 0;
    w->held = memory;
    if (w->freed < TIDY_LEAST)
        return;
    malloc_trim(0);
    w->freed = 0;
}

static void worker_turn(struct worker *w)
{
    look_at_clock(w);
    bool busy = braid_core_dirty(w->core) || braid_core_deadline(w->core) <= w->now;
    if (!busy)
        arm_timer(w, braid_core_deadline(w->core));
    if (!busy)
        arm_timer(w, w->now + HEARTBEAT);
    clock_sleep_until(busy ? w->now : w->armed);
    w->now = 0;
    event_base_loop(w->base, EVLOOP_ONCE | (busy ? EVLOOP_NONBLOCK : 0));
    look_at_clock(w);
    w->counters.wakeups++;
    if (braid_core_deadline(w->core) <= w->now)
        braid_core_run(w->core, w->now);
    if (braid_core_dirty(w->core)) {
        w->counters.flushes++;
        braid_core_flush(w->core, w->now);
    }
    give_memory_back(w);
}

static void pin(const struct worker *w)
{
    if (w->params.cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(w->params.cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0)
        log_info("worker %u: not pinned to CPU %d", w->params.number, w->params.cpu);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    char name[16];
    snprintf(name, sizeof(name), "braid-w%u", w->params.number);
    pthread_setname_np(pthread_self(), name);
    pin(w);
    while (!w->stop)
        worker_turn(w);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_require_features(config, EV_FEATURE_ET);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static int add_events(struct worker *w)
{
    if (event_assign(&w->timer_event, w->base, w->timer_fd, EV_READ | EV_PERSIST | EV_ET, on_timer, w) < 0 ||
        event_add(&w->timer_event, NULL) < 0)
        return -1;
    if (w->params.tun_fd < 0)
        return 0;
    if (event_assign(&w->tun_event, w->base, w->params.tun_fd, EV_READ | EV_PERSIST, on_tun, w) < 0)
        return -1;
    return event_add(&w->tun_event, NULL);
}

struct worker *worker_new(const struct worker_params *params)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->params = *params;
    w->params.core.worker = params->number;
    w->params.core.n_workers = params->n_workers;
    w->armed = BRAID_NEVER;
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    w->base = new_base();
    struct braid_host host = {.ctx = w,
                              .output = host_output,
                              .random = host_random,
                              .hand_over = host_hand_over,
                              .path_mtu = host_path_mtu,
                              .passing = host_passing};
    w->pool = braid_buf_pool_new(TUN_BUFFER, 2 * READ_PACKETS);
    if (w->timer_fd >= 0 && w->base && w->pool) {
        w->mailbox = mailbox_new(w->base);
        w->core = braid_core_new(&w->params.core, &host, clock_now());
    }
    if (!w->mailbox || !w->core || add_events(w) < 0) {
        worker_free(w);
        return NULL;
    }
    return w;
}

struct braid_directory *worker_directory_new(void)
{
    uint8_t key[16];
    return RAND_bytes(key, sizeof(key)) == 1 ? braid_directory_new(key) : NULL;
}

void worker_set_peers(struct worker *w, struct worker *const *peers)
{
    assert(w->params.n_workers <= DAEMON_WORKERS_MAX);
    for (unsigned i = 0; i < w->params.n_workers; i++)
        w->peers[i] = peers ? peers[i] : NULL;
}

int worker_start(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = errno == 0;
    return w->started ? 0 : -1;
}

static void do_stop(struct worker *w, void *arg)
{
    (void)arg;
    w->stop = true;
}

void worker_stop(struct worker *w)
{
    if (!w->started)
        return;
    worker_post(w, do_stop, NULL);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_abort(struct worker *w)
{
    assert(!w->started);
    braid_core_abort(w->core, clock_now());
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    assert(!w->started);
    mailbox_free(w->mailbox);
    if (event_initialized(&w->tun_event))
        event_del(&w->tun_event);
    if (event_initialized(&w->timer_event))
        event_del(&w->timer_event);
    if (w->core)
        braid_core_free(w->core);
    braid_buf_pool_free(w->pool);
    if (w->base)
        event_base_free(w->base);
    if (w->timer_fd >= 0)
        close(w->timer_fd);
    netlink_close(w->conntrack);
    free(w);
}

/* ---- for other threads ----------------------------------------------------------------------- */

struct job {
    struct mailbox_place place;
    struct worker *w;
    void (*fn)(struct worker *w, void *arg);
    void *arg;
};

static void run_job(void *arg)
{
    struct job job = *(struct job *)arg;
    free(arg);
    job.fn(job.w, job.arg);
}

void worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg)
{
    struct job *job = malloc(sizeof(*job));
    if (job) {
        *job = (struct job){.w = w, .fn = fn, .arg = arg};
        mailbox_put(w->mailbox, &job->place, run_job, job);
        return;
    }
    log_error("out of memory");
    log_flush();
    abort();
}

/* One for all who are told; the last of them frees it. */
struct message {
    worker_take *take;
    const void *what; /* behind the deliveries */
    atomic_uint left;
    struct delivery {
        struct mailbox_place place;
        struct message *message;
        struct worker *to;
    } deliveries[];
};

static void run_delivery(void *arg)
{
    struct delivery *d = arg;
    struct message *m = d->message;
    m->take(d->to, m->what);
    if (atomic_fetch_sub(&m->left, 1) == 1)
        free(m);
}

int worker_tell_all(struct worker *const *workers, unsigned n, const struct worker *but, worker_take *take,
                    const void *what, size_t size)
{
    struct message *m = malloc(sizeof(*m) + n * sizeof(m->deliveries[0]) + size);
    unsigned told = 0;
    if (!m)
        return -1;
    *m = (struct message){.take = take, .what = &m->deliveries[n]};
    memcpy(&m->deliveries[n], what, size);
    for (unsigned i = 0; i < n; i++)
        if (workers[i] && workers[i] != but)
            m->deliveries[told++] = (struct delivery){.message = m, .to = workers[i]};
    atomic_init(&m->left, told);
    for (unsigned i = 0; i < told; i++) /* the last one may free m */
        mailbox_put(m->deliveries[i].to->mailbox, &m->deliveries[i].place, run_delivery, &m->deliveries[i]);
    if (told == 0)
        free(m);
    return 0;
}

/* ---- looking inside -------------------------------------------------------------------------- */

struct braid_core *worker_core(struct worker *w)
{
    return w->core;
}

struct event_base *worker_base(struct worker *w)
{
    return w->base;
}

unsigned worker_number(const struct worker *w)
{
    return w->params.number;
}

const struct worker_counters *worker_counters(const struct worker *w)
{
    return &w->counters;
}

void worker_set_user(struct worker *w, void *user)
{
    w->user = user;
}

void *worker_user(const struct worker *w)
{
    return w->user;
}
