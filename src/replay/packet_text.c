/* See packet_text.h. */
#include "replay/packet_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/addr.h"

#define PACKET_MOST 70000u

struct text {
    char *s;
    size_t n, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->s + t->n, t->size - t->n, format, ap);
    va_end(ap);
    t->n += n > 0 ? (size_t)n : 0;
    if (t->n >= t->size)
        t->n = t->size - 1;
}

bool packet_of(const struct braid_tap_event *e, struct wire_packet *out)
{
    static uint8_t whole[PACKET_MOST];
    if (e->len > sizeof(whole) || e->n[0] > sizeof(whole) - e->len)
        return false;
    memcpy(whole, e->data, e->len);
    memset(whole + e->len, 0, e->n[0]);
    return packet_parse(whole, e->len + e->n[0], false, out) == WIRE_OK;
}

static void add_dss(struct text *t, const struct mptcp_dss *d)
{
    if (d->has_ack)
        add(t, " data_ack %llu", (unsigned long long)d->data_ack);
    if (d->has_map)
        add(t, " dsn %llu ssn %u+%u", (unsigned long long)d->dsn, d->ssn, d->len);
    if (d->data_fin)
        add(t, " DATA_FIN");
}

static void add_mptcp(struct text *t, const struct wire_mptcp *m)
{
    char ip[ADDR_TEXT];
    if (m->has & MPTCP_HAS(MPTCP_CAPABLE))
        add(t, " MP_CAPABLE(%u keys)", m->capable.n_keys);
    if (m->has & MPTCP_HAS(MPTCP_JOIN))
        add(t, " MP_JOIN(id %u%s)", m->join.addr_id, m->join.backup ? ", backup" : "");
    if (m->has & MPTCP_HAS(MPTCP_DSS))
        add_dss(t, &m->dss);
    if (m->has & MPTCP_HAS(MPTCP_ADD_ADDR))
        add(t, " ADD_ADDR(%u %s%s)", m->add_addr.id, ip_text(&m->add_addr.addr.ip, ip),
            m->add_addr.echo ? ", echo" : "");
    if (m->has & MPTCP_HAS(MPTCP_REMOVE_ADDR))
        add(t, " REMOVE_ADDR(%u)", m->remove_addr.ids[0]);
    if (m->has & MPTCP_HAS(MPTCP_PRIO))
        add(t, " MP_PRIO(%s)", m->prio_backup ? "backup" : "regular");
    if (m->has & MPTCP_HAS(MPTCP_FAIL))
        add(t, " MP_FAIL");
    if (m->has & MPTCP_HAS(MPTCP_FASTCLOSE))
        add(t, " MP_FASTCLOSE");
    if (m->has & MPTCP_HAS(MPTCP_TCPRST))
        add(t, " MP_TCPRST(%u)", m->rst_reason);
}

static void add_tcp(struct text *t, const struct wire_packet *p)
{
    static const char names[] = "FSRP.U";
    const struct wire_tcp *h = &p->tcp;
    add(t, " [");
    for (unsigned i = 0; i < sizeof(names) - 1; i++)
        if (h->flags >> i & 1)
            add(t, "%c", names[i]);
    add(t, "] seq %u", h->seq);
    if (p->payload_len > 0)
        add(t, "+%u", p->payload_len);
    if (h->flags & TCP_ACK)
        add(t, " ack %u", h->ack);
    add(t, " win %u", h->window);
    for (unsigned i = 0; i < h->n_sack; i++)
        add(t, " sack %u-%u", h->sack[i].start, h->sack[i].end);
    add_mptcp(t, &h->mp);
}

const char *packet_text(const struct wire_packet *p, char *text, size_t size)
{
    struct text t = {.s = text, .size = size};
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    add(&t, "%s > %s", addr_text(&p->src, src), addr_text(&p->dst, dst));
    if (p->kind == WIRE_TCP)
        add_tcp(&t, p);
    else
        add(&t, " quoted by an ICMP error, seq %u, mtu %u", p->quoted_seq, p->mtu);
    return text;
}
