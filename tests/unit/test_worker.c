/* io/worker: the loop around a scripted core. A seqpacket socket stands for the TUN: it keeps packets apart,
 * too. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "io/tun_queue.h"
#include "io/worker.h"
#include "suite.h"

#define PATIENCE_MS 5000
#define PACKETS     40
#define RUNS        64 /* in a round */
#define ROUNDS      20
#define POLL        30000 /* us: longer than others on the machine keep a thread waiting */
#define EXCHANGES   150
#define LONG_WAITS  40
#define FIRST_EVERY 4 /* so many long waits, and there is an exchange without pauses */

/* ---- the scripted core, only used by its worker's thread while that runs --------------------- */

struct braid_core {
    struct braid_host host;
    struct braid_core_params params;
    braid_time deadline;
    bool dirty;
    unsigned inputs, flushes, runs, resumed;
    uint16_t learned_mtu;
    braid_time resumed_at;     /* by the worker's time */
    unsigned inputs_at_resume; /* packets before that */
    unsigned inputs_at_flush;  /* packets that the last flush covered */
    struct buf *kept;          /* a packet's buffer, kept beyond the flush */
    const uint8_t *kept_data;
    braid_time late[ROUNDS * RUNS]; /* by how much each run was */
    sem_t round_ran;
    struct braid_input last_in;
    uint8_t last[64];
};

static braid_time clock_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

struct braid_core *braid_core_new(const struct braid_core_params *params, const struct braid_host *host,
                                  braid_time now)
{
    struct braid_core *core = calloc(1, sizeof(*core));
    core->params = *params;
    core->host = *host;
    core->deadline = BRAID_NEVER;
    sem_init(&core->round_ran, 0, 0);
    ck_assert_int_le(now, clock_us());
    return core;
}

void braid_core_free(struct braid_core *core)
{
    if (core->kept)
        buf_unref(core->kept);
    free(core);
}

/* What the first byte of a packet lets this core do. */
enum { ECHO = 1, KEEP, HAND_OVER, RANDOM, MTU };

static void send_back(struct braid_core *core, const uint8_t *data, size_t len)
{
    struct iovec iov = {.iov_base = (void *)(data + 1), .iov_len = len - 1};
    struct braid_packet p = {
        .header = data, .header_len = 1, .payload = &iov, .n_payload = 1, .payload_len = (uint32_t)len - 1};
    core->host.output(core->host.ctx, &p);
}

static const struct braid_way a_way = {.local = {.b = {10, 2}}, .peer = {.b = {10, 1}}};

void braid_core_path_mtu(struct braid_core *core, const struct braid_way *way, uint16_t mtu, bool silent,
                         braid_time now)
{
    ck_assert_int_le(now, clock_us());
    ck_assert_mem_eq(way, &a_way, sizeof(*way));
    ck_assert(silent);
    core->learned_mtu = mtu;
    send_back(core, (const uint8_t *)" learned", 8);
}

void braid_core_input(struct braid_core *core, struct buf *b, size_t off, size_t len,
                      const struct braid_input *in, braid_time now)
{
    const uint8_t *data = b->data + off;
    ck_assert_int_le(now, clock_us());
    core->inputs++;
    core->dirty = true;
    core->last_in = *in;
    memcpy(core->last, data, len < sizeof(core->last) ? len : sizeof(core->last));
    if (data[0] == ECHO)
        send_back(core, data, len);
    if (data[0] == KEEP && !core->kept) {
        core->kept = buf_ref(b);
        core->kept_data = data;
    }
    if (data[0] == HAND_OVER && core->params.worker != data[1])
        core->host.hand_over(core->host.ctx, data[1], data, len,
                             &(struct braid_input){.hops = 7, .gso_size = 9});
    if (data[0] == HAND_OVER && core->params.worker == data[1])
        send_back(core, data, len);
    if (data[0] == MTU)
        core->host.path_mtu(core->host.ctx, &a_way, 1400, true);
    if (data[0] == RANDOM) {
        uint8_t answer[33] = {RANDOM};
        core->host.random(core->host.ctx, answer + 1, 32);
        send_back(core, answer, sizeof(answer));
    }
}

void braid_core_run(struct braid_core *core, braid_time now)
{
    ck_assert_int_ge(now, core->deadline);
    core->late[core->runs++] = clock_us() - core->deadline;
    if (core->runs % RUNS == 0)
        sem_post(&core->round_ran);
    core->deadline = core->runs < ROUNDS * RUNS ? clock_us() + 150 + 37 * (core->runs % RUNS) : BRAID_NEVER;
}

void braid_core_resumed(struct braid_core *core, braid_time now)
{
    core->resumed++;
    core->resumed_at = now;
    core->inputs_at_resume = core->inputs;
}

braid_time braid_core_deadline(const struct braid_core *core)
{
    return core->deadline;
}

void braid_core_flush(struct braid_core *core, braid_time now)
{
    ck_assert_int_le(now, clock_us());
    ck_assert(core->dirty);
    core->dirty = false;
    core->flushes++;
    core->inputs_at_flush = core->inputs;
}

size_t braid_core_memory(const struct braid_core *core)
{
    (void)core;
    return 0;
}

bool braid_core_dirty(const struct braid_core *core)
{
    return core->dirty;
}

/* ---- driving ---- */

static struct worker *workers[2];
static int tuns[2]; /* the far ends */
static int near[2];

static void make_workers(unsigned poll_us)
{
    for (unsigned i = 0; i < 2; i++) {
        int pair[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
        near[i] = pair[0];
        tuns[i] = pair[1];
        struct worker_params p = {.number = i, .n_workers = 2, .tun_fd = pair[0], .cpu = -1, .poll = poll_us};
        workers[i] = worker_new(&p);
        ck_assert_ptr_nonnull(workers[i]);
    }
    worker_set_peers(workers[0], workers);
    worker_set_peers(workers[1], workers);
}

static void setup(void)
{
    make_workers(0);
}

static void setup_polling(void)
{
    make_workers(POLL);
}

static void start(void)
{
    ck_assert_int_eq(worker_start(workers[0]), 0);
    ck_assert_int_eq(worker_start(workers[1]), 0);
}

static void stop(void)
{
    worker_stop(workers[0]);
    worker_stop(workers[1]);
}

static void teardown(void)
{
    stop();
    for (unsigned i = 0; i < 2; i++) {
        worker_free(workers[i]);
        close(near[i]);
        close(tuns[i]);
    }
}

static void inject(unsigned i, const void *packet, size_t len)
{
    uint8_t data[TUN_VNET_BYTES + 2048] = {0};
    memcpy(data + TUN_VNET_BYTES, packet, len);
    ck_assert_int_eq(send(tuns[i], data, TUN_VNET_BYTES + len, 0), (ssize_t)(TUN_VNET_BYTES + len));
}

static ssize_t answer(unsigned i, uint8_t *data, size_t size)
{
    uint8_t packet[TUN_VNET_BYTES + 2048];
    struct pollfd fd = {.fd = tuns[i], .events = POLLIN};
    ck_assert_int_gt(poll(&fd, 1, PATIENCE_MS), 0);
    ssize_t n = recv(tuns[i], packet, sizeof(packet), 0);
    ck_assert_int_gt(n, TUN_VNET_BYTES);
    n -= TUN_VNET_BYTES;
    ck_assert_uint_le((size_t)n, size);
    memcpy(data, packet + TUN_VNET_BYTES, (size_t)n);
    return n;
}

START_TEST(packets_go_in_and_out)
{
    uint8_t got[16];
    start();
    inject(0, "\001hello", 6);
    ck_assert_int_eq(answer(0, got, sizeof(got)), 6);
    ck_assert_mem_eq(got, "\001hello", 6);
    stop();
    const struct worker_counters *c = worker_counters(workers[0]);
    ck_assert_uint_eq(c->tun_packets_in, 1);
    ck_assert_uint_eq(c->tun_bytes_in, 6);
    ck_assert_uint_eq(c->tun_packets_out, 1);
    ck_assert_uint_eq(c->tun_bytes_out, 6);
    ck_assert_uint_eq(worker_counters(workers[1])->tun_packets_in, 0);
}
END_TEST

START_TEST(a_batch_is_flushed_once)
{
    for (unsigned i = 0; i < PACKETS; i++)
        inject(0, "\000batch", 6);
    inject(0, "\001end", 4);
    uint8_t got[16];
    start();
    answer(0, got, sizeof(got));
    stop();
    struct braid_core *core = worker_core(workers[0]);
    ck_assert_uint_eq(core->inputs, PACKETS + 1);
    ck_assert_uint_eq(core->flushes, 1);
    ck_assert_uint_eq(core->inputs_at_flush, PACKETS + 1);
}
END_TEST

START_TEST(a_buffer_that_the_core_keeps_is_not_overwritten)
{
    uint8_t got[16];
    start();
    inject(0, "\002kept", 5);
    for (unsigned i = 0; i < 5; i++) {
        inject(0, "\001other", 6);
        answer(0, got, sizeof(got));
    }
    stop();
    struct braid_core *core = worker_core(workers[0]);
    ck_assert_mem_eq(core->kept_data, "\002kept", 5);
    ck_assert_uint_eq(core->kept->refs, 1); /* the worker let go of it */
}
END_TEST

START_TEST(a_packet_is_handed_over_with_what_is_known_of_it)
{
    uint8_t got[16];
    start();
    inject(0, "\003\001to the other", 14);
    ck_assert_int_eq(answer(1, got, sizeof(got)), 14);
    ck_assert_mem_eq(got, "\003\001to the other", 14);
    stop();
    struct braid_core *other = worker_core(workers[1]);
    ck_assert_uint_eq(other->last_in.hops, 7);
    ck_assert_uint_eq(other->last_in.gso_size, 9);
    ck_assert_uint_eq(other->flushes, 1);
    ck_assert_uint_eq(worker_counters(workers[0])->handed_over, 1);
    ck_assert_uint_eq(worker_counters(workers[1])->taken_over, 1);
}
END_TEST

/* A packet that still waits when the workers end may be one for another that is gone already. */
START_TEST(without_peers_nothing_is_handed_over)
{
    struct braid_core *core = worker_core(workers[1]);
    const struct braid_input in = {.hops = 7};
    worker_set_peers(workers[1], NULL);
    core->host.hand_over(core->host.ctx, 0, (const uint8_t *)"\003\000", 2, &in);
    core->host.path_mtu(core->host.ctx, &a_way, 1400, true);
    start();
    stop();
    ck_assert_uint_eq(worker_counters(workers[1])->handed_over, 0);
    ck_assert_uint_eq(worker_counters(workers[1])->handed_over_lost, 1);
    ck_assert_uint_eq(worker_counters(workers[0])->taken_over, 0);
    ck_assert_uint_eq(worker_core(workers[0])->learned_mtu, 0);
}
END_TEST

START_TEST(the_size_that_passes_is_told_to_the_others)
{
    uint8_t got[16];
    start();
    inject(0, "\005", 1);
    ck_assert_int_eq(answer(1, got, sizeof(got)), 8);
    stop();
    ck_assert_uint_eq(worker_core(workers[1])->learned_mtu, 1400);
    ck_assert_uint_eq(worker_core(workers[0])->learned_mtu, 0);
}
END_TEST

START_TEST(random_bytes_do_not_repeat)
{
    uint8_t got[40][33];
    start();
    for (unsigned i = 0; i < 40; i++) {
        inject(0, "\004", 1);
        ck_assert_int_eq(answer(0, got[i], 33), 33);
        for (unsigned j = 0; j < i; j++)
            ck_assert(memcmp(got[i] + 1, got[j] + 1, 32) != 0);
    }
}
END_TEST

static int compare_times(const void *a, const void *b)
{
    braid_time x = *(const braid_time *)a, y = *(const braid_time *)b;
    return x < y ? -1 : x > y;
}

/* Waits for the round and returns by how much the median of its runs was late. */
static braid_time median_lateness(struct braid_core *core, unsigned round)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    ck_assert_int_eq(sem_timedwait(&core->round_ran, &limit), 0);
    braid_time *late = core->late + (size_t)round * RUNS;
    qsort(late, RUNS, sizeof(late[0]), compare_times);
    ck_assert_int_ge(late[0], 0);
    return late[RUNS / 2];
}

/* Rounding to milliseconds would make the median of 150..2,500 us deadlines about 500 us late, in each round.
 * A machine with other work makes single rounds late. */
START_TEST(deadlines_are_not_rounded_to_milliseconds)
{
    struct braid_core *core = worker_core(workers[0]);
    core->deadline = clock_us() + 1000;
    start();
    braid_time median = BRAID_NEVER;
    for (unsigned i = 0; i < ROUNDS && median >= 300; i++)
        median = median_lateness(core, i);
    stop();
    ck_assert_msg(median < 300, "median lateness %lld us", (long long)median);
    /* Idle in between: a turn per deadline and not many more. */
    ck_assert_uint_le(worker_counters(workers[0])->wakeups, 3 * core->runs);
}
END_TEST

/* One after the other, without a pause between them. */
static void exchange(unsigned times)
{
    uint8_t got[16];
    for (unsigned i = 0; i < times; i++) {
        inject(0, "\001again", 6);
        ck_assert_int_eq(answer(0, got, sizeof(got)), 6);
    }
}

START_TEST(a_worker_with_short_waits_polls)
{
    start();
    exchange(EXCHANGES);
    stop();
    ck_assert_uint_gt(worker_counters(workers[0])->polled, 0);
    ck_assert_uint_eq(worker_counters(workers[1])->polled, 0); /* it had nothing to do */
}
END_TEST

/* A packet every now and then: only the first wait that is longer than it polls costs that. There are several
 * first ones, since on a busy machine the last of an exchange may have been long already. */
START_TEST(a_worker_with_long_waits_does_not_poll)
{
    start();
    for (unsigned i = 0; i < LONG_WAITS; i++) {
        usleep(2 * POLL); /* the wait */
        exchange(i % FIRST_EVERY ? 1 : EXCHANGES / FIRST_EVERY);
    }
    stop();
    ck_assert_uint_gt(worker_counters(workers[0])->polled, 0);
    ck_assert_uint_gt(worker_counters(workers[0])->polled_in_vain, 0);
    ck_assert_uint_lt(worker_counters(workers[0])->polled_in_vain, LONG_WAITS / 2);
}
END_TEST

START_TEST(a_worker_that_is_not_told_to_does_not_poll)
{
    start();
    exchange(EXCHANGES);
    stop();
    ck_assert_uint_eq(worker_counters(workers[0])->polled, 0);
}
END_TEST

struct count {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned n;
    pthread_t thread;
};

static void count_up(struct worker *w, void *arg)
{
    struct count *c = arg;
    pthread_mutex_lock(&c->lock);
    ck_assert_ptr_eq(worker_user(w), c);
    c->n++;
    c->thread = pthread_self();
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

START_TEST(posts_run_in_the_workers_thread)
{
    struct count c = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    worker_set_user(workers[0], &c);
    start();
    for (unsigned i = 0; i < 100; i++)
        worker_post(workers[0], count_up, &c);
    pthread_mutex_lock(&c.lock);
    while (c.n < 100)
        pthread_cond_wait(&c.changed, &c.lock);
    pthread_mutex_unlock(&c.lock);
    ck_assert(!pthread_equal(c.thread, pthread_self()));
}
END_TEST

/* A turn with nothing but a post between any two packets, as one of a socket's would be. */
START_TEST(a_packet_that_comes_alone_is_one_read)
{
    struct count c = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    uint8_t got[16];
    worker_set_user(workers[0], &c);
    start();
    for (unsigned i = 0; i < 10; i++) {
        worker_post(workers[0], count_up, &c);
        pthread_mutex_lock(&c.lock);
        while (c.n <= i)
            pthread_cond_wait(&c.changed, &c.lock);
        pthread_mutex_unlock(&c.lock);
        inject(0, "\001hello", 6);
        answer(0, got, sizeof(got));
    }
    stop();
    ck_assert_uint_eq(worker_counters(workers[0])->tun_packets_in, 10);
    ck_assert_uint_eq(worker_counters(workers[0])->tun_reads, 10);
}
END_TEST

START_TEST(posts_before_the_stop_have_run_after_it)
{
    struct count c = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    worker_set_user(workers[0], &c);
    start();
    for (unsigned i = 0; i < 1000; i++)
        worker_post(workers[0], count_up, &c);
    stop();
    ck_assert_uint_eq(c.n, 1000);
}
END_TEST

struct sum {
    unsigned numbers[3];
};

static void add_up(struct worker *w, const void *what)
{
    const struct sum *given = what;
    unsigned *sum = worker_user(w);
    for (unsigned i = 0; i < 3; i++)
        *sum += given->numbers[i];
}

START_TEST(all_workers_but_one_are_told_in_their_threads)
{
    unsigned sums[2] = {0};
    for (unsigned i = 0; i < 2; i++)
        worker_set_user(workers[i], &sums[i]);
    start();
    for (unsigned i = 0; i < 1000; i++) {
        struct sum given = {.numbers = {i, 1, 2}};
        ck_assert_int_eq(worker_tell_all(workers, 2, workers[0], add_up, &given, sizeof(given)), 0);
    }
    struct sum given = {.numbers = {5}};
    ck_assert_int_eq(worker_tell_all(workers, 2, NULL, add_up, &given, sizeof(given)), 0);
    ck_assert_int_eq(worker_tell_all(workers, 1, workers[0], add_up, &given, sizeof(given)), 0);
    stop();
    ck_assert_uint_eq(sums[0], 5);
    for (unsigned i = 1; i < 2; i++)
        ck_assert_uint_eq(sums[i], 999 * 1000 / 2 + 3000 + 5);
}
END_TEST

#define STILL (2600 * BRAID_MS) /* longer than a worker ever sleeps */

static void stand_still(struct worker *w, void *arg)
{
    (void)w;
    (void)arg;
    usleep(STILL); /* the pause itself: nothing is waited for */
}

/* What a suspended machine or a stopped process looks like from within; a packet comes meanwhile. */
START_TEST(a_pause_is_left_out_of_the_time_and_the_core_hears_of_it)
{
    uint8_t got[16];
    start();
    worker_post(workers[0], stand_still, NULL);
    inject(0, "\001hello", 6);
    answer(0, got, sizeof(got));
    stop();
    struct braid_core *core = worker_core(workers[0]);
    ck_assert_uint_eq(core->resumed, 1);
    ck_assert_uint_eq(core->inputs_at_resume, 0);
    ck_assert_int_le(core->resumed_at, clock_us() - (STILL - 2 * BRAID_SECOND));
    ck_assert_uint_eq(worker_core(workers[1])->resumed, 0);
}
END_TEST

/* The worker wakes up in between to see that there was none. */
START_TEST(idleness_is_no_pause)
{
    uint8_t got[16];
    start();
    usleep(STILL); /* the idleness */
    inject(0, "\001hello", 6);
    answer(0, got, sizeof(got));
    stop();
    ck_assert_uint_eq(worker_core(workers[0])->resumed, 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("worker");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, packets_go_in_and_out);
    tcase_add_test(t, a_batch_is_flushed_once);
    tcase_add_test(t, a_buffer_that_the_core_keeps_is_not_overwritten);
    tcase_add_test(t, a_packet_is_handed_over_with_what_is_known_of_it);
    tcase_add_test(t, without_peers_nothing_is_handed_over);
    tcase_add_test(t, the_size_that_passes_is_told_to_the_others);
    tcase_add_test(t, random_bytes_do_not_repeat);
    tcase_add_test(t, deadlines_are_not_rounded_to_milliseconds);
    tcase_add_test(t, posts_run_in_the_workers_thread);
    tcase_add_test(t, a_packet_that_comes_alone_is_one_read);
    tcase_add_test(t, posts_before_the_stop_have_run_after_it);
    tcase_add_test(t, all_workers_but_one_are_told_in_their_threads);
    tcase_add_test(t, a_pause_is_left_out_of_the_time_and_the_core_hears_of_it);
    tcase_add_test(t, idleness_is_no_pause);
    tcase_add_test(t, a_worker_that_is_not_told_to_does_not_poll);
    TCase *polling = tcase_create("polling");
    tcase_add_checked_fixture(polling, setup_polling, teardown);
    tcase_set_timeout(polling, 30);
    tcase_add_test(polling, a_worker_with_short_waits_polls);
    tcase_add_test(polling, a_worker_with_long_waits_does_not_poll);
    Suite *s = suite_create("worker");
    suite_add_tcase(s, t);
    suite_add_tcase(s, polling);
    return run_suite(s);
}
