/* A segment that the core sent, in the language of the scripts. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "mptcp/crypto.h"
#include "mptcp/versions.h"
#include "pkt.h"
#include "wire/checksum.h"

struct text {
    char *at, *end;
    unsigned n; /* options so far */
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->at, (size_t)(t->end - t->at), fmt, ap);
    va_end(ap);
    if (n > 0)
        t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

static void begin_option(struct text *t, const char *name)
{
    add(t, "%s%s", t->n++ ? "," : " <", name);
}

static void add_key(struct script *s, struct text *t, uint64_t key)
{
    if (key == s->core_key)
        add(t, " key core");
    else if (key == s->peer_key)
        add(t, " key peer");
    else
        add(t, " key 0x%llx", (unsigned long long)key);
}

/* good: the checksum is right for the payload; part: the segment does not hold all of the mapping. */
static void add_csum(struct text *t, const struct wire_packet *p, uint64_t dsn, uint32_t ssn, uint16_t len,
                     bool fin, uint16_t csum)
{
    uint64_t sum = checksum_add(0, p->payload, p->payload_len);

    if (len == 0)
        add(t, " csum %u", csum);
    else if ((uint32_t)(len - fin) != p->payload_len)
        add(t, " csum part");
    else
        add(t, " csum %s", checksum_dss(sum, dsn, ssn, len) == csum ? "good" : "bad");
}

static void add_capable(struct script *s, struct text *t, const struct wire_packet *p)
{
    const struct mptcp_capable *k = &p->tcp.mp.capable;

    begin_option(t, "mp_capable");
    add(t, " v%u flags %02x", k->version, k->flags);
    if (k->n_keys >= 1)
        add_key(s, t, k->sender_key);
    if (k->n_keys == 2)
        add_key(s, t, k->receiver_key);
    if (k->has_len)
        add(t, " len %u", k->data_len);
    if (k->has_csum)
        add_csum(t, p, s->core_idsn + 1, 1, k->data_len, false, k->csum);
}

static void add_join(struct script *s, const struct flow *f, struct text *t, const struct mptcp_join *j)
{
    uint8_t mac[MPTCP_HMAC_LEN];
    size_t len = j->kind == MPTCP_JOIN_SYNACK ? 8 : 20;

    begin_option(t, "mp_join");
    if (j->kind != MPTCP_JOIN_ACK)
        add(t, "%s id %u", j->backup ? " backup" : "", j->addr_id);
    if (j->kind == MPTCP_JOIN_SYN) {
        add(t, " token %s", j->token == s->peer_token ? "good" : "bad");
    } else {
        mptcp_versions[s->version].join_hmac(s->core_key, s->peer_key, f->core_nonce, f->peer_nonce, mac);
        add(t, " hmac %s", memcmp(mac, j->hmac, len) == 0 ? "good" : "bad");
    }
    if (j->kind != MPTCP_JOIN_ACK)
        add(t, " nonce %u", j->nonce);
}

static void add_dss(struct script *s, struct text *t, const struct wire_packet *p)
{
    const struct mptcp_dss *d = &p->tcp.mp.dss;
    int64_t ack = (int64_t)(d->data_ack - s->peer_idsn), dsn = (int64_t)(d->dsn - s->core_idsn);

    begin_option(t, "dss");
    if (d->data_fin)
        add(t, " fin");
    if (d->has_ack)
        add(t, " %s %lld", d->ack64 ? "ack" : "ack4", (long long)(d->ack64 ? ack : (int32_t)ack));
    if (!d->has_map)
        return;
    add(t, " %s %lld ssn %u len %u", d->dsn64 ? "dsn" : "dsn4", (long long)(d->dsn64 ? dsn : (int32_t)dsn),
        d->ssn, d->len);
    if (d->has_csum)
        add_csum(t, p, d->dsn, d->ssn, d->len, d->data_fin, d->csum);
}

static void add_add_addr(struct script *s, struct text *t, const struct mptcp_add_addr *a)
{
    char text[ADDR_TEXT];
    uint8_t mac[8];

    begin_option(t, "add_addr");
    add(t, "%s id %u addr %s",
        a->echo   ? " echo"
        : a->bare ? " bare"
                  : "",
        a->id, a->has_port ? addr_text(&a->addr, text) : ip_text(&a->addr.ip, text));
    if (a->echo || a->bare)
        return;
    mptcp_add_addr_hmac(s->core_key, s->peer_key, a->id, &a->addr, mac);
    add(t, " hmac %s", memcmp(mac, a->hmac, 8) == 0 ? "good" : "bad");
}

static void add_mptcp(struct script *s, const struct flow *f, struct text *t, const struct wire_packet *p)
{
    const struct wire_mptcp *m = &p->tcp.mp;

    if (m->has & MPTCP_HAS(MPTCP_CAPABLE))
        add_capable(s, t, p);
    if (m->has & MPTCP_HAS(MPTCP_JOIN))
        add_join(s, f, t, &m->join);
    if (m->has & MPTCP_HAS(MPTCP_DSS))
        add_dss(s, t, p);
    if (m->has & MPTCP_HAS(MPTCP_ADD_ADDR))
        add_add_addr(s, t, &m->add_addr);
    if (m->has & MPTCP_HAS(MPTCP_REMOVE_ADDR)) {
        begin_option(t, "rm_addr");
        for (unsigned i = 0; i < m->remove_addr.n; i++)
            add(t, " id %u", m->remove_addr.ids[i]);
    }
    if (m->has & MPTCP_HAS(MPTCP_PRIO)) {
        begin_option(t, "mp_prio");
        add(t, "%s", m->prio_backup ? " backup" : "");
        if (m->prio_has_id)
            add(t, " id %u", m->prio_id);
    }
    if (m->has & MPTCP_HAS(MPTCP_FAIL)) {
        begin_option(t, "mp_fail");
        add(t, " dsn %lld", (long long)(m->fail_dsn - s->peer_idsn));
    }
    if (m->has & MPTCP_HAS(MPTCP_FASTCLOSE)) {
        begin_option(t, "mp_fastclose");
        add_key(s, t, m->fastclose.key);
    }
    if (m->has & MPTCP_HAS(MPTCP_TCPRST)) {
        begin_option(t, "mp_tcprst");
        add(t, " flags %x reason %u", m->rst_flags, m->rst_reason);
    }
    if (m->malformed)
        begin_option(t, "malformed");
}

static void add_tcp_options(const struct flow *f, struct text *t, const struct wire_tcp *h)
{
    if (h->has_mss) {
        begin_option(t, "mss");
        add(t, " %u", h->mss);
    }
    if (h->sack_ok)
        begin_option(t, "sackOK");
    if (h->has_ts) {
        begin_option(t, "TS");
        add(t, " val %u ecr %u", h->tsval - f->core_ts0, h->tsecr);
    }
    if (h->has_wscale) {
        begin_option(t, "wscale");
        add(t, " %u", h->wscale);
    }
    if (h->n_sack)
        begin_option(t, "sack");
    for (unsigned i = 0; i < h->n_sack; i++)
        add(t, " %d:%d", (int32_t)(h->sack[i].start - f->peer_iss), (int32_t)(h->sack[i].end - f->peer_iss));
}

/* Where in the stream the payload comes from, 0: from nowhere. */
static uint64_t payload_position(struct script *s, const struct flow *f, const struct wire_packet *p)
{
    const struct wire_mptcp *m = &p->tcp.mp;
    uint32_t off = p->tcp.seq - f->core_iss;
    uint64_t at = off + !!(p->tcp.flags & TCP_SYN);

    if ((m->has & MPTCP_HAS(MPTCP_DSS)) && m->dss.has_map)
        at = m->dss.dsn - s->core_idsn + (off - m->dss.ssn);
    for (uint32_t i = 0; i < p->payload_len; i++)
        if (p->payload[i] != stream_byte(at - 1 + i))
            return 0;
    return at;
}

void segment_print(struct script *s, const struct flow *f, const struct wire_packet *p,
                   char text[SEGMENT_MAX])
{
    static const struct {
        uint8_t bit;
        char letter;
    } letters[] = {{TCP_SYN, 'S'}, {TCP_FIN, 'F'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
                   {TCP_ACK, '.'}, {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'}};
    struct text t = {.at = text, .end = text + SEGMENT_MAX};
    int32_t seq = (int32_t)(p->tcp.seq - f->core_iss);

    for (unsigned i = 0; i < 8; i++)
        if (p->tcp.flags & letters[i].bit)
            add(&t, "%c", letters[i].letter);
    if (!p->tcp.flags)
        add(&t, "-");
    add(&t, " %d:%lld(%u)", seq, (long long)seq + p->payload_len, p->payload_len);
    if (p->tcp.flags & TCP_ACK)
        add(&t, " ack %d", (int32_t)(p->tcp.ack - f->peer_iss));
    add(&t, " win %u", p->tcp.window);
    if (p->payload_len > 0)
        add(&t, " data %llu", (unsigned long long)payload_position(s, f, p));
    add_tcp_options(f, &t, &p->tcp);
    add_mptcp(s, f, &t, p);
    add(&t, "%s", t.n ? ">" : "");
}
