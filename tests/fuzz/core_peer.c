/* The peer that the script plays: what it knows of the core's connections, and the packets it sends. */
#include "core_fuzz.h"

#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "mptcp/versions.h"
#include "wire/checksum.h"

uint8_t next8(struct fuzz *z)
{
    if (z->left == 0)
        return 0;
    z->left--;
    return *z->in++;
}

uint16_t next16(struct fuzz *z)
{
    uint16_t high = next8(z);

    return (uint16_t)(high << 8 | next8(z));
}

static uint32_t next32(struct fuzz *z)
{
    uint32_t high = next16(z);

    return high << 16 | next16(z);
}

uint32_t near(struct fuzz *z, uint32_t base)
{
    uint8_t how = next8(z);

    if (how < 160)
        return base;
    if (how < 200)
        return base + (uint32_t)(int8_t)next8(z);
    if (how < 240)
        return base + (uint32_t)(int16_t)next16(z);
    return next32(z);
}

static struct peer_flow *find_flow(struct fuzz *z, const struct braid_addr *core, const struct braid_addr *us)
{
    for (unsigned i = 0; i < FLOWS; i++)
        if (z->flows[i].used && addr_equal(&z->flows[i].core, core) && addr_equal(&z->flows[i].us, us))
            return &z->flows[i];
    return NULL;
}

struct peer_flow *new_flow(struct fuzz *z, unsigned slot, unsigned conn)
{
    struct peer_flow *f = &z->flows[slot % FLOWS];

    *f = (struct peer_flow){.used = true, .conn = conn % FLOWS, .iss = 1000u * slot, .tsval = 1};
    if (z->wrap_tcp) {
        f->iss = -1u - 500u * slot;
        f->tsval = -5u;
    }
    f->nxt = f->iss;
    return f;
}

static void learn_key(struct peer_conn *c, uint64_t core_key)
{
    uint32_t token;

    c->keyed = true;
    c->core_key = core_key;
    mptcp_versions[!c->old].derive(c->key, &token, &c->idsn);
    mptcp_versions[!c->old].derive(core_key, &c->core_token, &c->core_idsn);
    c->dsn = c->idsn + 1;
    c->core_dsn = c->core_idsn + 1;
}

static void learn(struct fuzz *z, struct peer_flow *f, const struct wire_packet *p)
{
    struct peer_conn *c = &z->conns[f->conn];
    const struct wire_mptcp *mp = &p->tcp.mp;
    uint32_t end = p->tcp.seq + p->payload_len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);

    if (p->tcp.flags & TCP_SYN) {
        f->learned = true;
        f->core_iss = p->tcp.seq;
        f->core_nxt = end;
        if (p->tcp.flags & TCP_ACK) { /* so much of our SYN has arrived */
            f->nxt = p->tcp.ack;
            f->shift = f->nxt - f->iss - 1;
        }
    }
    if ((int32_t)(end - f->core_nxt) > 0 && !(p->tcp.flags & TCP_RST))
        f->core_nxt = end;
    if (p->tcp.has_ts)
        f->core_tsval = p->tcp.tsval;
    if ((mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && !c->keyed)
        c->old = mp->capable.version == 0;
    if ((mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.n_keys == 1 && !c->keyed)
        learn_key(c, mp->capable.sender_key);
    if ((mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && (mp->capable.flags & MPTCP_CAPABLE_CHECKSUM))
        c->checksum = true;
    if ((mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && mp->capable.n_keys == 2 && !c->keyed)
        learn_key(c, mp->capable.sender_key);
    if (mp->has & MPTCP_HAS(MPTCP_JOIN))
        f->core_nonce = mp->join.nonce;
    if ((mp->has & MPTCP_HAS(MPTCP_DSS)) && mp->dss.has_map && mp->dss.dsn64 &&
        (int64_t)(mp->dss.dsn + mp->dss.len - c->core_dsn) > 0)
        c->core_dsn = mp->dss.dsn + mp->dss.len;
}

static uint64_t passed_back(const struct fuzz *z)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < z->n_cores; i++)
        n += braid_core_counters(z->cores[i])->v[COUNT_PASSED_BACK];
    return n;
}

static bool is_icmp(const uint8_t *packet)
{
    return packet[0] >> 4 == 4 ? packet[9] == 1 : packet[6] == 58;
}

void output(void *ctx, const struct braid_packet *p)
{
    static uint8_t bytes[PACKET_HEADER_MAX + ICMP_ERROR_MAX + 65536];
    struct fuzz *z = ctx;
    struct wire_packet w;
    struct peer_flow *f;
    size_t len = p->header_len;
    enum wire_status status;

    MUST(p->header_len + p->payload_len <= 65535);
    memcpy(bytes, p->header, p->header_len);
    for (unsigned i = 0; i < p->n_payload; i++) {
        memcpy(bytes + len, p->payload[i].iov_base, p->payload[i].iov_len);
        len += p->payload[i].iov_len;
    }
    MUST(len == p->header_len + p->payload_len);
    status = packet_parse(bytes, len, p->csum_start == 0, &w);
    if (status == WIRE_FRAGMENT) {
        struct wire_fragment fragment;

        MUST(fragment_parse(bytes, len, &fragment) == WIRE_OK);
        z->passed = passed_back(z);
        return;
    }
    if (status == WIRE_UNSUPPORTED && is_icmp(bytes))
        return; /* an echo reply, or what we do not understand ourselves */
    MUST(status == WIRE_OK);
    if (w.kind != WIRE_TCP)
        return;
    if (passed_back(z) != z->passed) {
        z->passed++; /* the script's own work, not the core's */
        return;
    }
    MUST(!w.tcp.mp.malformed);
    f = find_flow(z, &w.src, &w.dst);
    if (!f && w.tcp.flags == TCP_SYN) {
        unsigned slot = w.src.port % FLOWS, conn = slot;

        for (unsigned i = 0; (w.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) && i < FLOWS; i++)
            if (z->conns[i].keyed)
                conn = i;
        if (!(w.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)))
            z->conns[conn] = (struct peer_conn){.key = 0x1122334455660000u + slot};
        f = new_flow(z, slot, conn);
        f->us = w.dst;
        f->core = w.src;
    }
    if (f)
        learn(z, f, &w);
}

void fill_random(void *ctx, void *buf, size_t len)
{
    struct fuzz *z = ctx;

    for (size_t i = 0; i < len; i++) {
        z->random = z->random * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(z->random >> 56);
    }
    if (z->wrap_tcp && len == 4) /* a sequence number, a timestamp or a nonce */
        memset((uint8_t *)buf + 2, 0xff, 2);
}

void settle(struct fuzz *z)
{
    for (unsigned k = 0; k < z->n_cores; k++) {
        for (unsigned i = 0; !z->batch && braid_core_dirty(z->cores[k]); i++) {
            MUST(i < 100);
            braid_core_flush(z->cores[k], z->now);
        }
        braid_core_check(z->cores[k]);
    }
}

static void input_whole(struct fuzz *z, const uint8_t *bytes, size_t len, uint16_t gso_size, bool csum_ok)
{
    struct braid_input in = {.csum_ok = csum_ok, .gso_size = gso_size};
    struct buf *b = braid_buf_new(12 + len);

    MUST(b);
    memcpy(braid_buf_data(b) + 12, bytes, len);
    braid_core_input(z->core, b, 12, len, &in, z->now);
    braid_buf_unref(b);
    settle(z);
}

/* Hands a packet to the core in fragments, in the order and with the fault that the script has chosen. */
static void input_cut(struct fuzz *z, const uint8_t *bytes, size_t len, unsigned at)
{
    enum { MOST = 80 };
    static struct {
        uint8_t bytes[2200];
        size_t len;
    } cut[MOST];
    unsigned n = 0, offset = 0, header, took;

    for (; at + offset < len && n < MOST; n++) {
        unsigned from = offset;

        took = fragment_next(bytes, len, at, z->next_port, z->cut, &offset, cut[n].bytes, &header);
        if (took == 0)
            return;
        memcpy(cut[n].bytes + header, bytes + at + from, took);
        cut[n].len = header + took;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned k = z->cut_how & CUT_BACKWARDS ? n - 1 - i : i;

        if ((z->cut_how & CUT_LOSES) && i == 0)
            continue;
        input_whole(z, cut[k].bytes, cut[k].len, 0, false);
        cut[k].bytes[cut[k].len - 1] ^= 1;
        if ((z->cut_how & CUT_CONTRADICTS) && i == 0)
            input_whole(z, cut[k].bytes, cut[k].len, 0, false);
    }
}

void input(struct fuzz *z, const uint8_t *bytes, size_t len, uint16_t gso_size, bool csum_ok)
{
    unsigned at = len == 0 ? 0 : bytes[0] >> 4 == 4 ? (bytes[0] & 15) * 4u : 40;

    if (z->cut && !csum_ok && gso_size == 0 && at >= 20 && at < len)
        input_cut(z, bytes, len, at);
    else
        input_whole(z, bytes, len, gso_size, csum_ok);
}

/* Puts raw bytes in place of the options of a built header. */
static void replace_options(struct packet_header *h, const uint8_t *raw, unsigned len)
{
    unsigned tcp = h->csum_start,
             payload = (h->v6 ? get16(h->bytes + 4) + 40u : get16(h->bytes + 2)) - h->len;

    memcpy(h->bytes + tcp + 20, raw, len);
    h->bytes[tcp + 12] = (uint8_t)((20 + len) / 4 << 4);
    h->len = (uint16_t)(tcp + 20 + len);
    if (h->v6) {
        put16(h->bytes + 4, (uint16_t)(20 + len + payload));
        return;
    }
    put16(h->bytes + 2, (uint16_t)(h->len + payload));
    put16(h->bytes + 10, 0);
    put16(h->bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, h->bytes, 20)));
}

void send_segment(struct fuzz *z, struct peer_flow *f, struct wire_tcp *t, uint32_t len, uint16_t gso,
                  const uint8_t *raw, unsigned raw_len)
{
    static uint8_t payload[PAYLOAD], packet[PACKET_HEADER_MAX + PAYLOAD];
    struct packet_spec spec = {.src = f->us, .dst = f->core, .tcp = t, .payload_len = len, .hop_limit = 64};
    struct iovec iov = {payload, len};
    struct packet_header h;

    if (!f->used)
        return;
    if (packet_header_build(&spec, &h) != 0) {
        /* Too many options: MPTCP's are the ones of interest. */
        t->n_sack = 0;
        t->has_ts = false;
        if (packet_header_build(&spec, &h) != 0)
            return;
    }
    if (raw)
        replace_options(&h, raw, raw_len);
    else
        packet_checksum_fill(&h, &iov, len > 0);
    memcpy(packet, h.bytes, h.len);
    memcpy(packet + h.len, payload, len);
    input(z, packet, h.len + len, gso, raw || gso);
    if (t->seq != f->nxt || (t->flags & TCP_RST))
        return;
    f->nxt += len + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
}

struct wire_tcp next_segment(struct peer_flow *f)
{
    return (struct wire_tcp){.seq = f->nxt,
                             .ack = f->core_nxt,
                             .flags = TCP_ACK,
                             .window = 0xffff,
                             .has_ts = true,
                             .tsval = ++f->tsval,
                             .tsecr = f->core_tsval};
}
