/* See answers.h. */
#include "replay/answers.h"

#include <stdlib.h>
#include "base/addr.h"
#include "base/seq.h"
#include "replay/packet_text.h"
#include "replay/send_times.h"

enum run { RECORDED, NOW, RUNS };

struct flow {
    struct braid_addr local, remote;
    struct send_times sent[RUNS];
};

struct answers {
    struct flow flows[ANSWERS_FLOWS];
    unsigned n;
    struct send_times data[RUNS]; /* of the data level */
    bool failed;
};

struct answers *answers_new(void)
{
    return calloc(1, sizeof(struct answers));
}

void answers_free(struct answers *a)
{
    if (!a)
        return;
    for (unsigned run = 0; run < RUNS; run++) {
        send_times_free(&a->data[run]);
        for (unsigned i = 0; i < a->n; i++)
            send_times_free(&a->flows[i].sent[run]);
    }
    free(a);
}

bool answers_failed(const struct answers *a)
{
    return a->failed;
}

unsigned answers_subflows(const struct answers *a)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n; i++)
        n += a->flows[i].sent[NOW].begun;
    return n;
}

static struct flow *flow_of(struct answers *a, const struct braid_addr *local,
                            const struct braid_addr *remote)
{
    for (unsigned i = 0; i < a->n; i++)
        if (addr_equal(&a->flows[i].local, local) && addr_equal(&a->flows[i].remote, remote))
            return &a->flows[i];
    if (a->n == ANSWERS_FLOWS) {
        a->failed = true;
        return &a->flows[0];
    }
    a->flows[a->n] = (struct flow){.local = *local, .remote = *remote};
    return &a->flows[a->n++];
}

static void note(struct answers *a, struct send_times *s, uint32_t from, uint32_t len, braid_time at)
{
    a->failed = !send_times_note(s, from, from + len, at) || a->failed;
}

static void note_packet(struct answers *a, enum run run, const struct braid_tap_event *e, braid_time at)
{
    struct wire_packet p;
    if (!packet_of(e, &p) || p.kind != WIRE_TCP)
        return;
    const struct mptcp_dss *d = &p.tcp.mp.dss;
    note(a, &flow_of(a, &p.src, &p.dst)->sent[run], p.tcp.seq,
         p.payload_len + ((p.tcp.flags & (TCP_SYN | TCP_FIN)) ? 1 : 0), at);
    if ((p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && d->has_map)
        note(a, &a->data[run], (uint32_t)d->dsn, d->len, at);
}

void answers_recorded(struct answers *a, const struct braid_tap_event *out, braid_time at)
{
    note_packet(a, RECORDED, out, at);
}

void answers_sent(struct answers *a, const struct braid_tap_event *out, braid_time at)
{
    note_packet(a, NOW, out, at);
}

/* How much later this number was sent than in the recording. What was sent before that began is not known,
 * and no matter. */
static braid_time lateness(const struct send_times sent[RUNS], uint32_t number, braid_time at)
{
    braid_time then = send_times_when(&sent[RECORDED], number), now = send_times_when(&sent[NOW], number);
    if (then == 0 || then >= at) /* what was sent because of the packet is not what it answers to */
        return 0;
    return now == BRAID_NEVER ? BRAID_NEVER : now > then ? now - then : 0;
}

static braid_time later(braid_time a, braid_time b)
{
    return a > b ? a : b;
}

braid_time answers_due(struct answers *a, const struct braid_tap_event *in, braid_time at, unsigned *flow)
{
    struct wire_packet p;
    braid_time late = 0;
    *flow = 0;
    if (!packet_of(in, &p) || p.kind != WIRE_TCP)
        return at;
    struct flow *f = flow_of(a, &p.dst, &p.src);
    *flow = (unsigned)(f - a->flows);
    if (p.tcp.flags & TCP_ACK)
        late = lateness(f->sent, p.tcp.ack, at);
    for (unsigned i = 0; i < p.tcp.n_sack; i++)
        late = later(late, lateness(f->sent, p.tcp.sack[i].end, at));
    if ((p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && p.tcp.mp.dss.has_ack)
        late = later(late, lateness(a->data, (uint32_t)p.tcp.mp.dss.data_ack, at));
    return late == BRAID_NEVER ? BRAID_NEVER : at + late;
}
