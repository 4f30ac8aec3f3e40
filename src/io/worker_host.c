/* What a worker's core asks for: that packets leave, randomness, that others hear of something. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/rand.h>
#include "io/conntrack.h"
#include "io/log.h"
#include "io/log_writer.h"
#include "io/steer.h"
#include "io/tun_queue.h"
#include "io/worker_state.h"

#define HANDOVERS_MAX 1024 /* packets waiting for one worker, from all others */

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
    if (len > WORKER_RANDOM) {
        failed = RAND_bytes(out, (int)len) != 1;
    } else {
        if (len > w->random_left) {
            failed = RAND_bytes(w->random, WORKER_RANDOM) != 1;
            w->random_left = WORKER_RANDOM;
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
    struct braid_way way;
    uint16_t mtu;
    bool silent;
};

static void take_path_mtu(struct worker *w, const void *arg)
{
    const struct path_mtu *m = arg;
    braid_core_path_mtu(w->core, &m->way, m->mtu, m->silent, worker_now(w));
}

/* The next connection from there may come to any worker. Whoever is not told finds out by himself. */
static void host_path_mtu(void *ctx, const struct braid_way *way, uint16_t mtu, bool silent)
{
    struct worker *w = ctx;
    struct path_mtu found = {.way = *way, .mtu = mtu, .silent = silent};
    worker_tell_all(w->peers, w->params.n_workers, w, take_path_mtu, &found, sizeof(found));
}

struct braid_host worker_host(struct worker *w)
{
    return (struct braid_host){.ctx = w,
                               .output = host_output,
                               .random = host_random,
                               .hand_over = host_hand_over,
                               .path_mtu = host_path_mtu,
                               .passing = host_passing};
}
