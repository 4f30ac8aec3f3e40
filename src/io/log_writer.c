/* A ring per thread, which only that thread fills, and one thread that empties all of them. A ring holds
 * whole lines, so that those of different threads do not mix. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "io/log_line.h"
#include "io/log_writer.h"

/* Seconds without a line that got through, after which the end does not wait any longer. */
#define PATIENCE 1

struct ring {
    atomic_bool taken;      /* a thread has it */
    atomic_uint head, tail; /* bytes that were ever put in, and taken out */
    atomic_uint lost;       /* lines since that was said last */
    char bytes[LOG_RING];
};

static struct ring rings[LOG_THREADS]; /* memory comes with use */
static _Thread_local struct ring *mine;
static pthread_key_t mine_key;                /* gives the ring back when its thread ends */
static atomic_uint ringless;                  /* lines lost by threads that found no ring */
static atomic_ullong lost_ever, written_ever; /* lines */

static enum { DIRECT, QUEUED, CLOSED } _Atomic mode;
static pthread_t writer;
static sem_t waiting; /* posted with every line */
static atomic_bool stopping;

/* ---- the threads that speak ------------------------------------------------------------------ */

static void give_ring_back(void *ring)
{
    atomic_store(&((struct ring *)ring)->taken, false);
}

static struct ring *take_ring(void)
{
    for (unsigned i = 0; i < LOG_THREADS; i++) {
        bool taken = false;
        if (!atomic_compare_exchange_strong(&rings[i].taken, &taken, true))
            continue;
        if (pthread_setspecific(mine_key, &rings[i]) == 0)
            return &rings[i];
        give_ring_back(&rings[i]);
        break;
    }
    return NULL;
}

/* False: there is no room. */
static bool ring_put(struct ring *r, const char *line, size_t len)
{
    unsigned head = atomic_load_explicit(&r->head, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (LOG_RING - (head - tail) < len)
        return false;
    size_t at = head % LOG_RING, first = len < LOG_RING - at ? len : LOG_RING - at;
    memcpy(r->bytes + at, line, first);
    memcpy(r->bytes, line + first, len - first);
    atomic_store_explicit(&r->head, head + (unsigned)len, memory_order_release);
    return true;
}

static void queue_line(const char *line, size_t len)
{
    if (!mine)
        mine = take_ring();
    if (mine && ring_put(mine, line, len)) {
        sem_post(&waiting);
        return;
    }
    atomic_fetch_add(&lost_ever, 1);
    if (atomic_fetch_add(mine ? &mine->lost : &ringless, 1) == 0)
        sem_post(&waiting);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* stderr may be set not to block, by others who have it open: then it is waited for. */
static bool write_all(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);
        if (n >= 0) {
            line += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return false; /* a full disk, a reader that is gone */
        }
    }
    return true;
}

static void write_line(const char *line, size_t len)
{
    if (write_all(line, len))
        atomic_fetch_add(&written_ever, 1);
    else
        atomic_fetch_add(&lost_ever, 1);
}

/* ---- the writer's thread --------------------------------------------------------------------- */

/* Copies the line that begins at byte `at`, which was put in whole. */
static size_t next_line(const struct ring *r, unsigned at, char line[LOG_LINE])
{
    size_t len = 0;
    do
        line[len] = r->bytes[(at + len) % LOG_RING];
    while (line[len++] != '\n');
    return len;
}

static void say_lost(atomic_uint *lost)
{
    struct log_record line;
    unsigned n = atomic_exchange(lost, 0);
    if (n == 0)
        return;
    log_line_lost(&line, n);
    write_all(line.line, line.len);
}

static void empty_ring(struct ring *r)
{
    char line[LOG_LINE];
    unsigned head = atomic_load_explicit(&r->head, memory_order_acquire);
    unsigned tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    while (tail != head) {
        size_t len = next_line(r, tail, line);
        write_line(line, len);
        tail += (unsigned)len;
        atomic_store_explicit(&r->tail, tail, memory_order_release);
    }
    say_lost(&r->lost);
}

static void empty_rings(void)
{
    for (unsigned i = 0; i < LOG_THREADS; i++)
        empty_ring(&rings[i]);
    say_lost(&ringless);
}

static void *writer_main(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "braid-log");
    while (!atomic_load(&stopping)) {
        while (sem_wait(&waiting) < 0)
            ;
        empty_rings();
    }
    empty_rings();
    return NULL;
}

/* ---- for everybody --------------------------------------------------------------------------- */

void log_writer_put(const char *line, size_t len)
{
    switch (atomic_load(&mode)) {
    case DIRECT:
        write_line(line, len);
        break;
    case QUEUED:
        queue_line(line, len);
        break;
    case CLOSED:
        break;
    }
}

int log_start(void)
{
    sigset_t all, before;
    atomic_store(&stopping, false);
    if (sem_init(&waiting, 0, 0) < 0 || pthread_key_create(&mine_key, give_ring_back) != 0)
        return -1;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&writer, NULL, writer_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        atomic_store(&mode, QUEUED);
    return error ? -1 : 0;
}

void log_stop(void)
{
    struct timespec until;
    unsigned long long before;
    int error;
    if (atomic_load(&mode) != QUEUED)
        return;
    atomic_store(&stopping, true);
    sem_post(&waiting);
    do {
        before = atomic_load(&written_ever);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE;
        error = pthread_timedjoin_np(writer, NULL, &until);
    } while (error == ETIMEDOUT && atomic_load(&written_ever) != before);
    if (error == 0) {
        pthread_key_delete(mine_key);
        sem_destroy(&waiting);
    } else {
        pthread_detach(writer); /* it stays where it is until the process ends */
    }
    atomic_store(&mode, error == 0 ? DIRECT : CLOSED);
}

void log_flush(void)
{
    static const struct timespec step = {.tv_nsec = 1000000};
    if (atomic_load(&mode) != QUEUED || !mine)
        return;
    for (unsigned ms = 0; ms < 1000 * PATIENCE && atomic_load(&mine->tail) != atomic_load(&mine->head); ms++)
        nanosleep(&step, NULL);
}

uint64_t log_lost(void)
{
    return atomic_load(&lost_ever);
}
