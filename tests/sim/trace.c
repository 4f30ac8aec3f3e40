/* Packets as text, somewhat like tcpdump, with sequence numbers relative to the connection's start. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "world.h"

struct text {
    char s[640];
    size_t n;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(t->s + t->n, sizeof(t->s) - t->n, format, ap);
    va_end(ap);
    t->n += n > 0 ? (size_t)n : 0;
    if (t->n >= sizeof(t->s))
        t->n = sizeof(t->s) - 1;
}

void sim_trace(struct world *w, const char *format, ...)
{
    va_list ap;

    if (!w->trace)
        return;
    va_start(ap, format);
    fprintf(w->trace, "%12.6f  ", (double)(w->time.now - w->s.start) / 1e6);
    vfprintf(w->trace, format, ap);
    fputc('\n', w->trace);
    va_end(ap);
}

void trace_stats(struct world *w, const struct app *a)
{
    struct braid_conn_stats st;

    if (!a->conn)
        return;
    braid_conn_stats(a->conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++) {
        const struct braid_subflow_stats *f = &st.subflows[i];

        sim_trace(w,
                  "%s %u/%u: %s srtt %lld cwnd %llu ssthresh %lld flight %llu pacing %llu, queued %llu/%llu",
                  a->side ? "server" : "client", a->index, f->id, f->state, (long long)f->srtt_us,
                  (unsigned long long)f->cwnd, (long long)f->ssthresh, (unsigned long long)f->in_flight,
                  (unsigned long long)f->pacing_rate, (unsigned long long)st.send_queued,
                  (unsigned long long)st.recv_queued + st.out_of_order);
    }
}

static void add_tcp(struct text *t, const struct wire_tcp *h)
{
    if (h->has_mss)
        add(t, " mss %u", h->mss);
    if (h->has_wscale)
        add(t, " ws %u", h->wscale);
    if (h->sack_ok)
        add(t, " sackOK");
    if (h->has_ts)
        add(t, " ts %u/%u", h->tsval, h->tsecr);
}

static void add_dss(struct text *t, const struct mptcp_dss *d, const struct data_half *me,
                    const struct data_half *peer)
{
    add(t, " dss");
    if (d->has_ack && d->ack64)
        add(t, " ack %llu", (unsigned long long)(d->data_ack - peer->idsn));
    else if (d->has_ack)
        add(t, " ack %u", (uint32_t)(d->data_ack - peer->idsn));
    if (d->has_map)
        add(t, " dsn %u ssn %u len %u", (uint32_t)(d->dsn - me->idsn), d->ssn, d->len);
    if (d->data_fin)
        add(t, " DATA_FIN");
}

static void add_mptcp(struct text *t, const struct wire_mptcp *m, const struct data_half *me,
                      const struct data_half *peer)
{
    char ip[ADDR_TEXT];

    if (m->has & MPTCP_HAS(MPTCP_CAPABLE))
        add(t, " capable[%u keys%s]", m->capable.n_keys, m->capable.has_len ? ", len" : "");
    if (m->has & MPTCP_HAS(MPTCP_JOIN))
        add(t, " join[id %u%s]", m->join.addr_id, m->join.backup ? " backup" : "");
    if (m->has & MPTCP_HAS(MPTCP_DSS))
        add_dss(t, &m->dss, me, peer);
    if (m->has & MPTCP_HAS(MPTCP_ADD_ADDR))
        add(t, " add_addr[%u %s%s]", m->add_addr.id, ip_text(&m->add_addr.addr.ip, ip),
            m->add_addr.echo ? " echo" : "");
    if (m->has & MPTCP_HAS(MPTCP_REMOVE_ADDR))
        add(t, " remove_addr[%u..]", m->remove_addr.ids[0]);
    if (m->has & MPTCP_HAS(MPTCP_PRIO))
        add(t, " prio[%d]", m->prio_backup);
    if (m->has & MPTCP_HAS(MPTCP_FAIL))
        add(t, " fail[%u]", (uint32_t)(m->fail_dsn - me->idsn));
    if (m->has & MPTCP_HAS(MPTCP_FASTCLOSE))
        add(t, " fastclose");
    if (m->has & MPTCP_HAS(MPTCP_TCPRST))
        add(t, " tcprst[%u]", m->rst_reason);
}

static void add_segment(struct text *t, const struct wire_packet *p, const struct flow *flow, unsigned side,
                        const struct data_conn *c)
{
    const struct wire_tcp *h = &p->tcp;
    static const struct data_half none;
    uint32_t seq = h->seq - (flow ? flow->half[side].iss : 0);
    char flags[9] = "";
    unsigned n = 0;

    for (unsigned i = 0; i < 8; i++)
        if (h->flags & 1u << i)
            flags[n++] = "FSRP.UEC"[i];
    flags[n] = '\0';
    add(t, " [%s] %u", flags, seq);
    if (p->payload_len)
        add(t, ":%u(%u)", seq + p->payload_len, p->payload_len);
    if (h->flags & TCP_ACK)
        add(t, " ack %u", h->ack - (flow ? flow->half[!side].iss : 0));
    add(t, " win %u", h->window);
    for (unsigned i = 0; i < h->n_sack; i++)
        add(t, " sack %u-%u", h->sack[i].start - (flow ? flow->half[!side].iss : 0),
            h->sack[i].end - (flow ? flow->half[!side].iss : 0));
    add_tcp(t, h);
    add_mptcp(t, &h->mp, c ? &c->half[side] : &none, c ? &c->half[!side] : &none);
}

void trace_frame(struct world *w, const char *tag, const struct frame *f)
{
    struct text t = {.n = 0};
    struct wire_packet p;
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    enum wire_status status;
    struct flow *flow;
    unsigned side = 0;

    if (!w->trace)
        return;
    status = packet_parse(f->data, f->len, false, &p);
    if (status != WIRE_OK) {
        sim_trace(w, "%-5s %u bytes that do not parse (%d)", tag, f->len, (int)status);
        return;
    }
    add(&t, "%-5s %s > %s", tag, addr_text(&p.src, src), addr_text(&p.dst, dst));
    boxes_unmap(w, &p.src);
    boxes_unmap(w, &p.dst);
    flow = observer_flow(&w->observer, &p.src, &p.dst, &side);
    if (p.kind == WIRE_TCP)
        add_segment(&t, &p, flow, side, flow ? &w->observer.conns[flow->data] : NULL);
    else
        add(&t, " ICMP error %d mtu %u seq %u", (int)p.icmp, p.mtu,
            p.quoted_seq - (flow ? flow->half[side].iss : 0));
    if (f->gso_size)
        add(&t, " gso %u", f->gso_size);
    sim_trace(w, "%s", t.s);
}
