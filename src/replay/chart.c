/* See chart.h. Points are gathered first, since neither the range of times nor which direction is shown is
 * known before the end. */
#include "replay/chart.h"

#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "replay/chart_points.h"
#include "replay/packet_text.h"

struct chart *chart_new(braid_time begins)
{
    struct chart *c = calloc(1, sizeof(*c));
    if (c)
        c->begins = c->ends = begins;
    return c;
}

void chart_free(struct chart *c)
{
    if (c)
        free(c->points);
    free(c);
}

static void add(struct chart *c, const struct point *p)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 4096;
        struct point *points = realloc(c->points, cap * sizeof(*points));
        if (!points) {
            c->failed = true;
            return;
        }
        c->points = points;
        c->cap = cap;
    }
    c->points[c->n++] = *p;
}

/* Of 32 bits on the wire, near the highest so far. */
static int64_t place(struct space *s, uint32_t number)
{
    if (!s->begun) {
        s->begun = true;
        s->first = number;
    }
    return s->highest + (int32_t)(number - s->first - (uint32_t)s->highest);
}

static struct flow *flow_of(struct chart *c, const struct braid_addr *local, const struct braid_addr *remote)
{
    for (unsigned i = 0; i < c->n_flows; i++)
        if (addr_equal(&c->flows[i].local, local) && addr_equal(&c->flows[i].remote, remote))
            return &c->flows[i];
    if (c->n_flows == CHART_FLOWS_MOST)
        return NULL;
    c->flows[c->n_flows] = (struct flow){.local = *local, .remote = *remote};
    return &c->flows[c->n_flows++];
}

static void add_data(struct chart *c, struct space *s, struct point p, uint32_t number, uint32_t len)
{
    p.from = place(s, number);
    p.to = p.from + len;
    p.mark = p.to <= s->highest ? MARK_AGAIN : MARK_DATA;
    if (p.to > s->highest)
        s->highest = p.to;
    if (p.from < s->lowest)
        s->lowest = p.from;
    add(c, &p);
}

/* Of the other direction's numbers. */
static void add_ack(struct chart *c, struct space *s, struct point p, uint32_t number)
{
    if (!s->begun)
        return;
    p.from = p.to = place(s, number);
    p.mark = MARK_ACK;
    p.out = !p.out;
    add(c, &p);
}

static void add_sacks(struct chart *c, struct space *s, struct point p, const struct wire_tcp *t)
{
    p.mark = MARK_SACK;
    p.out = !p.out;
    for (unsigned i = 0; i < t->n_sack && s->begun; i++) {
        p.from = place(s, t->sack[i].start);
        p.to = place(s, t->sack[i].end);
        add(c, &p);
    }
}

static void add_segment(struct chart *c, struct flow *f, bool out, const struct wire_packet *w, braid_time at)
{
    const struct mptcp_dss *d = &w->tcp.mp.dss;
    struct point p = {.at = at, .flow = (uint8_t)(f - c->flows), .out = out};
    c->payload[out] += w->payload_len;
    if (w->payload_len > 0 || (w->tcp.flags & (TCP_SYN | TCP_FIN)))
        add_data(c, &f->subflow[out], p, w->tcp.seq,
                 w->payload_len + ((w->tcp.flags & (TCP_SYN | TCP_FIN)) ? 1 : 0));
    if (w->tcp.flags & TCP_ACK)
        add_ack(c, &f->subflow[!out], p, w->tcp.ack);
    add_sacks(c, &f->subflow[!out], p, &w->tcp);
    p.data_level = true;
    if (!(w->tcp.mp.has & MPTCP_HAS(MPTCP_DSS)))
        return;
    if (d->has_map && w->payload_len > 0)
        add_data(c, &c->data[out], p, (uint32_t)d->dsn, d->len);
    if (d->has_ack)
        add_ack(c, &c->data[!out], p, (uint32_t)d->data_ack);
}

void chart_event(struct chart *c, const struct braid_tap_event *e, braid_time at)
{
    struct wire_packet w;
    bool out = e->kind == BRAID_TAP_OUT;
    if (!out && e->kind != BRAID_TAP_PACKET && e->kind != BRAID_TAP_OPENED)
        return;
    if (!packet_of(e, &w) || w.kind != WIRE_TCP)
        return;
    struct flow *f = out ? flow_of(c, &w.src, &w.dst) : flow_of(c, &w.dst, &w.src);
    if (at > c->ends)
        c->ends = at;
    if (f)
        add_segment(c, f, out, &w, at);
}
