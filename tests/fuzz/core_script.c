/* A script that drives a live core. It is a sequence of records: segments built relative to what the
 * core expects, with right or wrong MPTCP options, raw bytes, ICMP errors, the passage of time, and what its
 * application does. What the core sends is read to learn its sequence numbers and keys, so that the script
 * reaches deep states. After each record the core checks its invariants. */
#include "core_fuzz.h"

#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "mptcp/crypto.h"
#include "mptcp/versions.h"
#include "wire/checksum.h"

static void add_dss_ack(const struct peer_conn *c, struct wire_tcp *t)
{
    t->mp.has |= MPTCP_HAS(MPTCP_DSS);
    t->mp.dss.has_ack = t->mp.dss.ack64 = true;
    t->mp.dss.data_ack = c->core_dsn;
}

static void add_dss_map(const struct peer_conn *c, const struct peer_flow *f, struct wire_tcp *t,
                        uint32_t len)
{
    t->mp.has |= MPTCP_HAS(MPTCP_DSS);
    t->mp.dss.has_map = t->mp.dss.dsn64 = true;
    t->mp.dss.dsn = c->dsn;
    t->mp.dss.ssn = t->seq - f->iss - f->shift;
    t->mp.dss.len = (uint16_t)len;
}

static void add_syn_options(struct wire_tcp *t)
{
    t->has_mss = t->sack_ok = t->has_wscale = true;
    t->mss = 1460;
    t->wscale = 7;
}

static void send_plain(struct fuzz *z, struct peer_flow *f, struct wire_tcp *t, uint32_t len)
{
    send_segment(z, f, t, len, 0, NULL, 0);
}

static void add_keys(const struct peer_conn *c, struct wire_tcp *t)
{
    t->mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    t->mp.capable = (struct mptcp_capable){.version = !c->old,
                                           .flags = MPTCP_CAPABLE_SHA256,
                                           .n_keys = 2,
                                           .sender_key = c->key,
                                           .receiver_key = c->core_key};
}

enum { SYN_AGAIN = 1, BARE_AGAIN = 2, PLAIN_AGAIN = 4, REPEATS = 8, MAPS = 16, OVERTAKES = 32 };

/* The SYN comes again while nobody has answered it, or after. */
static void repeat_syn(struct fuzz *z, struct peer_flow *f, struct wire_tcp syn, uint32_t len, uint8_t how)
{
    syn.seq = f->iss;
    if (how & PLAIN_AGAIN)
        syn.mp.has = 0;
    send_plain(z, f, &syn, how & BARE_AGAIN ? 0 : near(z, len) % 1500);
}

/* What the SYN/ACK did not acknowledge of the SYN's data comes again: beside the keys and without a mapping,
 * as Linux does, or with one. */
static void repeat_data(struct fuzz *z, struct peer_flow *f, struct peer_conn *c, uint32_t len, uint8_t how)
{
    struct wire_tcp t = next_segment(f);

    add_keys(c, &t);
    t.mp.capable.has_len = how & MAPS;
    t.mp.capable.data_len = (uint16_t)len;
    t.mp.capable.has_csum = c->checksum && (how & MAPS);
    t.mp.capable.csum = checksum_dss(0, c->dsn, 1, (uint16_t)len); /* all zeros */
    send_plain(z, f, &t, len);
    if (how & MAPS)
        c->dsn += len;
    else
        f->shift += len;
}

/* A whole handshake, or as much of it as `how` leaves, with data in the SYN or without. */
static void do_handshake(struct fuzz *z)
{
    uint8_t slot = next8(z) % FLOWS, how = next8(z), again = 0;
    struct peer_flow *f = new_flow(z, slot, slot);
    struct peer_conn *c = &z->conns[slot];
    struct wire_tcp t;
    uint32_t len = 0;

    *c = (struct peer_conn){.key = 0x0102030405060700u + slot};
    f->us = any_addr(z, true, how & 1);
    f->us.port = (uint16_t)(z->next_port++ | 0x8000);
    f->core = any_addr(z, false, how & 1);
    if (how & 128) {
        len = next16(z) % 1500;
        again = next8(z);
    }
    t = next_segment(f);
    t.flags = TCP_SYN;
    t.ack = 0;
    add_syn_options(&t);
    if (!(how & 2)) {
        t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        t.mp.capable = (struct mptcp_capable){.version = how & 4 ? 0 : 1, .flags = MPTCP_CAPABLE_SHA256};
        t.mp.capable.flags |= how & 8 ? MPTCP_CAPABLE_CHECKSUM : 0;
        t.mp.capable.n_keys = how & 4 ? 1 : 0; /* which version 0 has in its SYN */
        t.mp.capable.sender_key = c->key;
    }
    send_plain(z, f, &t, len);
    if (again & SYN_AGAIN)
        repeat_syn(z, f, t, len, again);
    if (!f->learned || (how & 16))
        return;
    if (c->keyed && (again & REPEATS))
        repeat_data(z, f, c, len - f->shift, again);
    t = next_segment(f);
    if (c->keyed && !(how & 32))
        add_keys(c, &t);
    if (again & OVERTAKES) {
        add_dss_map(c, f, &t, 100);
        t.seq += near(z, 1000);
    }
    send_plain(z, f, &t, again & OVERTAKES ? 100 : 0);
    if (how & 64)
        return;
    t = next_segment(f);
    if (c->keyed)
        add_dss_ack(c, &t);
    send_plain(z, f, &t, 0);
}

static void do_join(struct fuzz *z)
{
    uint8_t slot = next8(z) % FLOWS, conn = next8(z) % FLOWS, how = next8(z), hmac[MPTCP_HMAC_LEN];
    struct peer_conn *c = &z->conns[conn];
    struct peer_flow *f = new_flow(z, slot, conn);
    struct wire_tcp t;

    f->us = any_addr(z, true, how & 1);
    f->us.port = (uint16_t)(z->next_port++ | 0x8000);
    f->core = any_addr(z, false, how & 1);
    f->nonce = 0xabcd0000u + slot;
    t = next_segment(f);
    t.flags = TCP_SYN;
    add_syn_options(&t);
    t.mp.has = MPTCP_HAS(MPTCP_JOIN);
    t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYN,
                                    .backup = how & 2,
                                    .addr_id = how >> 5,
                                    .token = near(z, c->core_token),
                                    .nonce = f->nonce};
    send_plain(z, f, &t, 0);
    if (!f->learned || (how & 4))
        return;
    t = next_segment(f);
    if (!(how & 8)) {
        mptcp_versions[!c->old].join_hmac(c->key, c->core_key, f->nonce, f->core_nonce, hmac);
        hmac[0] ^= how & 16;
        t.mp.has = MPTCP_HAS(MPTCP_JOIN);
        t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_ACK};
        memcpy(t.mp.join.hmac, hmac, 20);
    }
    send_plain(z, f, &t, 0);
}

/* Answers a SYN that the core has sent. */
static void do_answer(struct fuzz *z)
{
    struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    struct peer_conn *c = &z->conns[f->conn];
    uint8_t how = next8(z), hmac[MPTCP_HMAC_LEN];
    struct wire_tcp t = next_segment(f);

    if (!f->used || !f->learned)
        return;
    t.flags = TCP_SYN | TCP_ACK;
    t.ack = near(z, how & 8 ? f->core_iss + 1 : t.ack); /* of the SYN's payload all, or nothing */
    add_syn_options(&t);
    if ((how & 3) == 1) {
        t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        t.mp.capable = (struct mptcp_capable){
            .version = !c->old, .flags = MPTCP_CAPABLE_SHA256, .n_keys = 1, .sender_key = c->key};
    } else if ((how & 3) == 2) {
        mptcp_versions[!c->old].join_hmac(c->key, c->core_key, f->nonce, f->core_nonce, hmac);
        t.mp.has = MPTCP_HAS(MPTCP_JOIN);
        t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYNACK, .nonce = f->nonce, .addr_id = how >> 4};
        memcpy(t.mp.join.hmac, hmac, 8);
        t.mp.join.hmac[0] ^= how & 4;
    }
    send_plain(z, f, &t, (how & 3) == 3 ? next8(z) : 0);
}

/* Payload in order, well mapped: n segments, as one super-packet or one by one. */
static void do_data(struct fuzz *z)
{
    struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    struct peer_conn *c = &z->conns[f->conn];
    uint8_t how = next8(z);
    uint32_t len = 1 + next16(z) % (how & 1 ? PAYLOAD - 1 : 1400);
    struct wire_tcp t = next_segment(f);

    if (c->keyed && !(how & 2)) {
        add_dss_ack(c, &t);
        add_dss_map(c, f, &t, len);
        t.mp.dss.data_fin = how & 4;
        t.mp.dss.len = (uint16_t)(t.mp.dss.len + !!(how & 4));
        t.mp.dss.has_csum = c->checksum;
        t.mp.dss.csum = checksum_dss(how & 16 ? 1 : 0, c->dsn, t.mp.dss.ssn, t.mp.dss.len); /* all zeros */
        c->dsn += len;
    }
    if (how & 8)
        t.flags |= TCP_FIN;
    send_segment(z, f, &t, len, len > 1400 ? 1400 : 0, NULL, 0);
}

static void do_ack(struct fuzz *z)
{
    struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    struct wire_tcp t = next_segment(f);

    t.window = (uint16_t)(next8(z) << 8);
    if (z->conns[f->conn].keyed)
        add_dss_ack(&z->conns[f->conn], &t);
    send_plain(z, f, &t, 0);
}

static void add_any_sack(struct fuzz *z, const struct peer_flow *f, struct wire_tcp *t)
{
    t->n_sack = next8(z) % 4;
    for (unsigned i = 0; i < t->n_sack; i++) {
        t->sack[i].start = near(z, f->core_nxt - next16(z));
        t->sack[i].end = near(z, t->sack[i].start + next16(z));
    }
}

static void add_any_dss(struct fuzz *z, const struct peer_flow *f, const struct peer_conn *c,
                        struct wire_tcp *t, uint32_t len)
{
    uint8_t how = next8(z);
    struct mptcp_dss *d = &t->mp.dss;

    add_dss_map(c, f, t, len);
    add_dss_ack(c, t);
    d->has_map = how & 1;
    d->has_ack = how & 2;
    d->dsn64 = how & 4;
    d->ack64 = how & 8;
    d->data_fin = how & 16;
    d->has_csum = (how & 32) && d->has_map;
    d->csum = (uint16_t)next8(z);
    d->dsn = (d->dsn & ~0xffffffffull) | near(z, (uint32_t)d->dsn);
    d->data_ack = (d->data_ack & ~0xffffffffull) | near(z, (uint32_t)d->data_ack);
    if (!d->dsn64)
        d->dsn = (uint32_t)d->dsn;
    if (!d->ack64)
        d->data_ack = (uint32_t)d->data_ack;
    d->ssn = near(z, d->ssn);
    d->len = (uint16_t)near(z, d->len);
}

static void add_any_address(struct fuzz *z, const struct peer_conn *c, struct wire_tcp *t)
{
    struct mptcp_add_addr *a = &t->mp.add_addr;
    uint8_t how = next8(z);

    *a = (struct mptcp_add_addr){.id = how >> 4, .echo = how & 1, .has_port = how & 2};
    a->bare = c->old && !a->echo;
    a->addr = any_addr(z, how & 8, how & 4);
    a->addr.port = a->has_port ? PORT : 0;
    if (!a->echo && !a->bare) {
        mptcp_add_addr_hmac(c->key, c->core_key, a->id, &a->addr, a->hmac);
        a->hmac[0] ^= next8(z) & 1;
    }
    t->mp.has |= MPTCP_HAS(MPTCP_ADD_ADDR);
}

static void add_any_mptcp(struct fuzz *z, const struct peer_flow *f, const struct peer_conn *c,
                          struct wire_tcp *t, uint32_t len)
{
    uint16_t has = next16(z);

    if (has & MPTCP_HAS(MPTCP_DSS))
        add_any_dss(z, f, c, t, len);
    if (has & MPTCP_HAS(MPTCP_ADD_ADDR))
        add_any_address(z, c, t);
    t->mp.has |= has & (MPTCP_HAS(MPTCP_REMOVE_ADDR) | MPTCP_HAS(MPTCP_PRIO) | MPTCP_HAS(MPTCP_FAIL) |
                        MPTCP_HAS(MPTCP_FASTCLOSE) | MPTCP_HAS(MPTCP_TCPRST));
    if (has & 0x8000 && !(t->flags & TCP_SYN)) {
        t->mp.has |= MPTCP_HAS(MPTCP_CAPABLE);
        t->mp.capable = (struct mptcp_capable){.version = !c->old,
                                               .flags = MPTCP_CAPABLE_SHA256,
                                               .n_keys = 2,
                                               .sender_key = c->key,
                                               .receiver_key = c->core_key,
                                               .has_len = (has & 0x4000) && !c->old,
                                               .data_len = (uint16_t)near(z, len)};
    }
    t->mp.remove_addr.n = 1 + next8(z) % 3;
    for (unsigned i = 0; i < 3; i++)
        t->mp.remove_addr.ids[i] = next8(z) % 6;
    t->mp.prio_backup = has & 0x2000;
    t->mp.prio_has_id = has & 0x800;
    t->mp.prio_id = t->mp.remove_addr.ids[2];
    t->mp.fail_dsn = c->dsn - next16(z);
    t->mp.fastclose.key = has & 0x1000 ? c->key : c->core_key;
    t->mp.rst_reason = next8(z) % 8;
}

/* A segment that may be wrong in every field. */
static void do_segment(struct fuzz *z)
{
    static const uint8_t flags[] = {
        TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN, TCP_RST, TCP_RST | TCP_ACK,
        TCP_SYN, TCP_SYN | TCP_ACK, TCP_FIN,           0,       TCP_ACK | TCP_URG};
    struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    struct wire_tcp t = next_segment(f);
    uint8_t how = next8(z);
    uint32_t len = how & 1 ? next16(z) % 3000 : 0;

    t.flags = how & 2 ? next8(z) : flags[next8(z) % sizeof(flags)];
    t.seq = near(z, t.seq);
    t.ack = near(z, t.ack);
    t.window = next16(z);
    if (how & 4)
        t.tsval = near(z, t.tsval);
    if (how & 8)
        t.has_ts = false;
    if (how & 16)
        add_any_sack(z, f, &t);
    if (how & 32)
        add_any_mptcp(z, f, &z->conns[f->conn], &t, len);
    if (how & 64)
        add_syn_options(&t);
    send_segment(z, f, &t, len, how & 128 && len > 700 ? 700 : 0, NULL, 0);
}

/* A good segment with arbitrary bytes for options. */
static void do_options(struct fuzz *z)
{
    struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    struct wire_tcp t = next_segment(f);
    uint8_t raw[40];
    unsigned len = next8(z) % 11 * 4;
    uint32_t payload = next8(z);

    t.flags |= next8(z) & (TCP_FIN | TCP_SYN);
    for (unsigned i = 0; i < len; i++)
        raw[i] = next8(z);
    send_segment(z, f, &t, payload, 0, raw, len);
}

static void do_raw(struct fuzz *z)
{
    size_t len = next16(z) % 2048;

    len = len < z->left ? len : z->left;
    input(z, z->in, len, 0, true);
    z->in += len;
    z->left -= len;
}

/* An ICMP error about a segment that the core may have sent. */
static void do_icmp(struct fuzz *z)
{
    const struct peer_flow *f = &z->flows[next8(z) % FLOWS];
    uint8_t how = next8(z), out[ICMP_ERROR_MAX];
    struct wire_tcp t = {.seq = near(z, f->core_nxt - 1), .flags = TCP_ACK};
    struct packet_spec spec = {.src = f->core, .dst = f->us, .tcp = &t, .payload_len = 0, .hop_limit = 60};
    struct packet_header h;
    size_t len;

    if (!f->used || packet_header_build(&spec, &h) != 0)
        return;
    len = icmp_error_build(ICMP_ERROR_HOST, h.bytes, h.len, &f->us.ip, 0, out);
    if (len == 0)
        return;
    if (!h.v6 && (how & 1)) { /* fragmentation needed; the IPv4 form */
        put16(out + 20, 0x0304);
        put16(out + 22, 0);
        put16(out + 26, next16(z));
        put16(out + 22, (uint16_t)~checksum_fold(checksum_add(0, out + 20, len - 20)));
    }
    input(z, out, len, 0, true);
}

braid_time deadline(const struct fuzz *z)
{
    braid_time first = BRAID_NEVER;

    for (unsigned i = 0; i < z->n_cores; i++)
        if (braid_core_deadline(z->cores[i]) < first)
            first = braid_core_deadline(z->cores[i]);
    return first;
}

static void run_timers(struct fuzz *z)
{
    for (unsigned i = 0; i < z->n_cores; i++)
        braid_core_run(z->cores[i], z->now);
    settle(z);
}

void pass(struct fuzz *z, braid_time by)
{
    braid_time end_at = z->now + by, last = -1;

    for (unsigned same = 0;;) {
        braid_time at = deadline(z);

        if (at > end_at)
            break;
        z->now = at > z->now ? at : z->now;
        same = z->now == last ? same + 1 : 0;
        MUST(same < 100);
        last = z->now;
        run_timers(z);
        if (z->batch)
            break;
    }
    z->now = end_at;
    run_timers(z);
}

/* What only scripts with more choices do: packets and calls go to the other worker from here on, packets come
 * in fragments from here on, or something is changed. */
static void do_more(struct fuzz *z)
{
    uint8_t which = next8(z);

    if ((which & 5) == 5) {
        z->cut_how = which >> 3;
        z->cut = 60 + 8u * next8(z);
    } else if (which & 1)
        z->core = z->cores[which >> 1 & (z->n_cores - 1)];
    else
        change(z, &z->apps[(which >> 1) % CONNS]);
}

static void do_record(struct fuzz *z)
{
    uint8_t what = next8(z) % (z->more ? 18 : 16);

    if (what > 15)
        do_more(z);
    else if (what < 2)
        do_handshake(z);
    else if (what == 2)
        do_join(z);
    else if (what == 3)
        do_answer(z);
    else if (what < 6)
        do_data(z);
    else if (what == 6)
        do_ack(z);
    else if (what < 10)
        do_segment(z);
    else if (what == 10)
        do_options(z);
    else if (what == 11)
        do_raw(z);
    else if (what == 12)
        do_icmp(z);
    else if (what == 13)
        pass(z, (braid_time)next8(z) << next8(z) % 24);
    else if (what == 14)
        app_act(z);
    else if (next8(z) & 1)
        app_connect(z);
    else
        z->batch = !z->batch;
    settle(z);
}

void play_on(struct fuzz *z, const uint8_t *script, size_t len)
{
    z->in = script;
    z->left = len;
    for (unsigned i = 0; z->left > 0 && i < 2000; i++)
        do_record(z);
}

void play(struct fuzz *z, const uint8_t *script, size_t len)
{
    *z = (struct fuzz){.in = script, .left = len, .now = BRAID_SECOND, .next_port = 1000, .random = 1};
    begin(z);
    play_on(z, z->in, z->left);
}
