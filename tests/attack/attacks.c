/* The attacks. */
#include "attack.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"

static struct wire_tcp syn(struct world *w, bool mptcp)
{
    struct wire_tcp t = {.flags = TCP_SYN,
                         .seq = world_random(w),
                         .window = 65535,
                         .has_mss = true,
                         .mss = 1460,
                         .sack_ok = true,
                         .has_ts = true,
                         .tsval = world_random(w)};

    if (mptcp) {
        t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    }
    return t;
}

static void send_syn(struct world *w, unsigned i)
{
    struct braid_addr from = world_stranger(i);
    struct wire_tcp t = syn(w, false);

    world_send(w, &from, &t, 0);
}

static void send_syn_mptcp(struct world *w, unsigned i)
{
    struct braid_addr from = world_stranger(i);
    struct wire_tcp t = syn(w, true);

    world_send(w, &from, &t, 0);
}

/* Sources whose sums and exclusive ors of the 4-tuple are all the same: what an unkeyed hash would collide
 * on. */
static void send_syn_colliding(struct world *w, unsigned i)
{
    uint16_t v = (uint16_t)(i * 7 + i / 65536);
    uint8_t ip[4] = {66, (uint8_t)(i >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    struct braid_addr from = {ip_from_v4(ip), v};
    struct wire_tcp t = syn(w, true);

    world_send(w, &from, &t, 0);
}

static void send_join(struct world *w, unsigned i, uint32_t token)
{
    struct braid_addr from = world_stranger(i);
    struct wire_tcp t = syn(w, false);

    t.mp.has = MPTCP_HAS(MPTCP_JOIN);
    t.mp.join = (struct mptcp_join){
        .kind = MPTCP_JOIN_SYN, .addr_id = (uint8_t)i, .token = token, .nonce = world_random(w)};
    world_send(w, &from, &t, 0);
}

static void send_join_unknown(struct world *w, unsigned i)
{
    send_join(w, i, world_random(w));
}

static void send_join_known(struct world *w, unsigned i)
{
    send_join(w, i, w->token);
}

/* In the honest client's name, around its window and far from it; every fourth one from nowhere. */
static void send_ack_storm(struct world *w, unsigned i)
{
    struct braid_addr from = i % 4 ? w->honest : world_stranger(i);
    struct wire_tcp t = {.flags = TCP_ACK, .window = 1000};

    t.seq = i % 2 ? world_random(w) : w->honest_seq;
    t.ack = w->honest_ack + (i % 3 ? 1u << 30 : world_random(w));
    world_send(w, &from, &t, 0);
}

static struct wire_tcp segment(const struct peer *p)
{
    return (struct wire_tcp){.flags = TCP_ACK, .window = 65535, .seq = p->nxt, .ack = p->rcv_nxt};
}

static struct peer *any_peer(struct world *w)
{
    return &w->peers[world_random(w) % w->a->conns];
}

/* Everything that was sent is acknowledged at once, and more than that. */
static void send_optimistic(struct world *w, unsigned i)
{
    struct peer *p = any_peer(w);
    struct wire_tcp t = segment(p);

    t.ack += i % 2 ? 0 : 1460 * (world_random(w) % 40);
    world_send(w, &p->addr, &t, 0);
}

static void reply_optimistic(struct world *w, struct peer *p, const struct reply *r)
{
    (void)w;
    if (r->len > 0)
        p->rcv_nxt = r->tcp.seq + r->len;
}

/* Acknowledges what came, in the order of the peers. */
static void send_ack(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    world_send(w, &p->addr, &t, 0);
}

static void send_zero_window(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    t.window = 0;
    world_send(w, &p->addr, &t, 0);
}

static void send_slow_reader(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    t.window = (uint16_t)(i / w->a->conns % 8 ? 0 : 100);
    world_send(w, &p->addr, &t, 0);
}

static void send_beyond_window(struct world *w, unsigned i)
{
    struct peer *p = any_peer(w);
    struct wire_tcp t = segment(p);

    t.seq += (1u << 24) + i * 1400;
    world_send(w, &p->addr, &t, 1400);
}

/* Single bytes with gaps in the subflow, from the far end of the window to the near one. */
static void send_gaps(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    t.seq += 60000 - i / w->a->conns * 2 % 60000 + 1;
    world_send(w, &p->addr, &t, 1);
}

/* SACKs bytes, or whole segments, here and there in what is in flight. */
static void send_sack_splinters(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    t.ack = p->acked;
    for (; t.n_sack < TCP_SACK_MAX; t.n_sack++) {
        uint32_t at = p->acked + 1460 * (world_random(w) % ((p->rcv_nxt - p->acked) / 1460 + 1));
        bool whole = world_random(w) % 8 == 0;

        at += whole ? 0 : world_random(w) % 1400;
        t.sack[t.n_sack] = (struct wire_sack){at, at + (whole ? 1460 : 1)};
    }
    world_send(w, &p->addr, &t, 0);
}

/* All that comes is SACKed in one block behind the first segment, which never comes. */
static void send_one_hole(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    t.ack = p->acked;
    t.sack[t.n_sack++] = (struct wire_sack){p->acked + w->a->mss, p->rcv_nxt};
    if ((int32_t)(p->rcv_nxt - p->acked - w->a->mss) > 0)
        world_send(w, &p->addr, &t, 0);
}

/* The next byte, in a segment of its own. */
static void send_byte(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);

    p->nxt++;
    world_send(w, &p->addr, &t, 1);
}

static struct mptcp_dss mapping(const struct peer *p, uint64_t dsn, uint32_t ssn, uint16_t len)
{
    return (struct mptcp_dss){.has_ack = true,
                              .ack64 = true,
                              .data_ack = p->core_dsn,
                              .has_map = true,
                              .dsn64 = true,
                              .dsn = dsn,
                              .ssn = ssn,
                              .len = len};
}

/* Bytes in the subflow's order whose places in the data leave gaps, in turn at both ends of what is queued.
 */
static void send_data_gaps(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);
    unsigned n = i / w->a->conns;
    uint64_t place = n % 2 ? 30000 - 2 * (uint64_t)(n % 14000) : 30001 + 2 * (uint64_t)(n % 14000);

    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    t.mp.dss = mapping(p, p->dsn + place, 2 + n, 1);
    p->nxt++;
    world_send(w, &p->addr, &t, 1);
}

/* Mappings of no payload: tiny, overlapping and contradicting each other, and far ahead. */
static void send_mappings(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);
    uint32_t r = world_random(w), n = i / w->a->conns;

    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    switch (r % 3) {
    case 0:
        t.mp.dss = mapping(p, p->dsn + 3 * n, 2 + 3 * n, 1);
        break;
    case 1:
        t.mp.dss = mapping(p, p->dsn + r % 50000, 2 + world_random(w) % 50000, (uint16_t)(1 + r % 3000));
        break;
    default:
        t.mp.dss = mapping(p, p->dsn + (1u << 30) + r, (1u << 30) + r, 7);
        break;
    }
    world_send(w, &p->addr, &t, 0);
}

/* Pings, and UDP, each from somebody else: what Braid answers goes to whom the attacker names. */
static void send_ping_or_udp(struct world *w, unsigned i)
{
    enum { LEN = 100 };
    struct braid_ip from = world_stranger(16 * i).ip, to = world_server().ip;
    uint8_t p[IP4_HEADER + LEN] = {0}, *up = p + IP4_HEADER;

    ip4_put(&from, &to, i % 2 ? PROTO_UDP : PROTO_ICMP4, 64, sizeof(p), 0, p);
    if (i % 2) {
        put16(up + 4, LEN);
    } else {
        up[0] = ICMP4_ECHO_REQUEST;
        put16(up + 2, (uint16_t)~checksum_fold(checksum_add(0, up, LEN)));
    }
    world_send_raw(w, p, sizeof(p));
}

/* First fragments, and second ones, that nothing follows: each from somebody else, or all from one. */
static void send_fragment_from(struct world *w, unsigned i, unsigned who)
{
    enum { LEN = 1400 };
    struct braid_ip from = world_stranger(16 * who).ip, to = world_server().ip;
    static uint8_t p[IP4_HEADER + LEN];

    ip4_put(&from, &to, PROTO_TCP, 64, sizeof(p), (uint16_t)i, p);
    put16(p + 6, (uint16_t)(IP4_MF | (i % 2 ? LEN / 8 : 0)));
    put16(p + 10, 0);
    put16(p + 10, (uint16_t)~checksum_fold(checksum_add(0, p, IP4_HEADER)));
    world_send_raw(w, p, sizeof(p));
}

static void send_fragment(struct world *w, unsigned i)
{
    send_fragment_from(w, i, i);
}

static void send_fragment_of_one(struct world *w, unsigned i)
{
    send_fragment_from(w, i, 1);
}

const struct attack attacks[] = {
    {"none", "nothing to answer", .packets = 1000},
    {"SYN flood", "`half_open`, then SYN cookies", .packets = 100000, .send = send_syn},
    {"SYN flood, MP_CAPABLE", "`half_open`, then cookies and keys that need no state", .packets = 100000,
     .send = send_syn_mptcp},
    {"100,000 half-open connections", "`memory`, `syn_timeout`", .packets = 100000, .memory = 512,
     .half_open = 1000000, .send = send_syn_mptcp},
    {"4-tuples that collide", "the tables are keyed (SipHash)", .packets = 60000, .half_open = 1000000,
     .memory = 512, .send = send_syn_colliding},
    {"tokens that collide", "keys are random: nobody chooses Braid's tokens", .packets = 10000, .quiet = true,
     .conns = 4000, .mptcp = true, .send = send_ack},
    {"join flood, unknown tokens", "`join_refusals`", .packets = 100000, .send = send_join_unknown},
    {"join flood, valid token", "`joins_pending`, `join_rate`, `subflows`", .packets = 100000,
     .send = send_join_known},
    {"ACK storm", "`challenge_acks`, RFC 5961", .packets = 100000, .send = send_ack_storm},
    {"optimistic ACKs", "an ACK of what was not sent is no ACK", .packets = 50000, .conns = 20,
     .send = send_optimistic, .reply = reply_optimistic},
    {"tiny MSS", "`min_mss`", .packets = 20000, .conns = 200, .mss = 1, .send = send_ack},
    {"zero window", "equal shares when `memory` is short, `stall`", .packets = 20000, .conns = 2000,
     .send = send_zero_window},
    {"slow readers", "equal shares when `memory` is short, `stall`", .packets = 50000, .conns = 4000,
     .send = send_slow_reader},
    {"data beyond the window", "is dropped", .packets = 50000, .conns = 100, .mptcp = true,
     .send = send_beyond_window},
    {"gaps in subflows", "a fixed number of pieces for each", .packets = 50000, .conns = 20,
     .send = send_gaps},
    {"gaps in the data", "`out_of_order`, `memory`", .packets = 50000, .conns = 5, .mptcp = true,
     .send = send_data_gaps},
    {"SACK splinters", "only whole segments are SACKed, and searches end", .packets = 20000, .conns = 2,
     .ramp = 100, .wscale = 7, .memory = 128, .send = send_sack_splinters},
    {"one hole", "what is SACKed is one piece", .packets = 20000, .conns = 2, .ramp = 100, .wscale = 7,
     .mss = 128, .memory = 128, .send = send_one_hole},
    {"bytes nobody reads", "small pieces are put together; `unread`, `memory`", .packets = 200000,
     .conns = 20, .quiet = true, .unread = true, .memory = 16, .send = send_byte},
    {"addresses without end", "eight addresses are kept for a connection", .packets = 50000, .conns = 20,
     .mptcp = true, .quiet = true, .send = send_add_addr},
    {"ends without end", "TIME_WAIT is a table, charged to `memory`", .packets = 40000, .conns = 2000,
     .mptcp = true, .quiet = true, .send = send_time_wait},
    {"copies that nobody takes", "copies wait for a path that lags", .packets = 5000, .conns = 8,
     .mptcp = true, .joins = true, .sched = "redundant", .wscale = 2, .send = send_copies,
     .reply = reply_copies},
    {"mapping flood", "mappings are charged to `memory`, and their number is limited", .packets = 100000,
     .conns = 50, .mptcp = true, .send = send_mappings},
    {"fragments of many", "a sixteenth of `memory`, at most 4 MiB; the oldest make way", .packets = 100000,
     .send = send_fragment},
    {"fragments of one", "one source gets an eighth of that", .packets = 100000,
     .send = send_fragment_of_one},
    {"pings and UDP", "`icmp_answers`", .packets = 100000, .send = send_ping_or_udp},
};
const unsigned n_attacks = sizeof(attacks) / sizeof(attacks[0]);
