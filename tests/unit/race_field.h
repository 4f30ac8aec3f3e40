/* Where a race is run: a client's core with up to four uplinks, of one way each to a server's core, in
 * virtual time (pair.h). Uplink i has the address 10.200.0.i, and may be dead, slow, or have a middlebox. */
#ifndef BRAID_TESTS_RACE_FIELD_H
#define BRAID_TESTS_RACE_FIELD_H

#include "role/race.h"
#include "pair.h"
#include "strip.h"

#define FIELD_UPLINKS 4

enum field_syn { SYN_PASSES, SYN_DROPPED, SYN_STRIPPED, SYN_RESET };

struct field_uplink {
    braid_time delay;                        /* one way; 0: PAIR_DELAY */
    braid_time far;                          /* a SYN with MP_CAPABLE takes so much longer */
    bool dead;                               /* nothing arrives */
    enum field_syn mptcp;                    /* what becomes of a SYN with MP_CAPABLE ... */
    enum field_syn plain;                    /* ... and of one without */
    bool no_payload;                         /* SYNs with payload are dropped */
    unsigned lose;                           /* so many SYNs, whatever they are, are lost */
    unsigned syns, plain_syns, acks, resets; /* that the client has sent here */
    unsigned payloads;                       /* SYNs with payload */
    braid_time first_syn, first_plain;       /* when */
};

struct field {
    struct pair pair; /* first: packets are given the pair */
    struct field_uplink uplinks[FIELD_UPLINKS + 1];
    struct race *race;
    struct race_params params;
    struct race_lane lanes[RACE_LANES];
    bool due, over;
    braid_time begun, over_at;
    unsigned n_won, n_lost, lane;
    enum race_loss why;
    unsigned seen[FIELD_UPLINKS + 1][RACE_SEEN_SILENT + 1];
};

static struct field field;

static inline unsigned uplink_of(const struct braid_ip *ip)
{
    unsigned i = ip->b[15];
    ck_assert(ip->b[13] == 200 && i >= 1 && i <= FIELD_UPLINKS);
    return i;
}

/* A RST in answer to the SYN, as if the server had sent it. */
static inline void field_reset(struct field *f, const struct wire_packet *w, braid_time at)
{
    struct wire_tcp rst = {.flags = TCP_RST | TCP_ACK, .ack = w->tcp.seq + 1 + w->payload_len};
    struct packet_spec spec = {.src = w->dst, .dst = w->src, .tcp = &rst, .hop_limit = 64};
    struct packet_header h;
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    struct flying fly = {.at = at, .to_server = false, .len = h.len, .in = {.csum_ok = true}};
    fly.b = buf_new(h.len, NULL);
    memcpy(fly.b->data, h.bytes, h.len);
    pair_send(&f->pair, &fly);
}

static inline braid_time uplink_delay(const struct field_uplink *u)
{
    return u->delay ? u->delay : PAIR_DELAY;
}

static inline bool field_passes(struct field *f, struct field_uplink *u, const struct wire_packet *w)
{
    bool capable = w->tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE);
    enum field_syn what = capable ? u->mptcp : u->plain;
    u->syns++;
    u->payloads += w->payload_len > 0;
    if (u->syns == 1)
        u->first_syn = f->pair.now;
    if (!capable && u->plain_syns++ == 0)
        u->first_plain = f->pair.now;
    if (u->lose > 0) {
        u->lose--;
        return false;
    }
    if (what == SYN_RESET)
        field_reset(f, w, f->pair.now + 2 * uplink_delay(u));
    else if (what == SYN_STRIPPED)
        strip_mptcp((uint8_t *)w->header);
    return what != SYN_RESET && what != SYN_DROPPED && !(u->no_payload && w->payload_len > 0);
}

static inline bool field_tap(struct pair *p, bool to_server, uint8_t *packet, size_t len)
{
    struct field *f = (struct field *)p;
    struct wire_packet w;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    if (w.kind != WIRE_TCP)
        return true; /* an ICMP error */
    struct field_uplink *u = &f->uplinks[uplink_of(to_server ? &w.src.ip : &w.dst.ip)];
    if (u->dead && !(to_server && (w.tcp.flags & TCP_SYN)))
        return false;
    if (!to_server)
        return true;
    u->resets += !!(w.tcp.flags & TCP_RST);
    u->acks += (w.tcp.flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
    bool passes = !(w.tcp.flags & TCP_SYN) || field_passes(f, u, &w);
    return passes && !u->dead;
}

static inline braid_time field_delay(struct pair *p, bool to_server, const uint8_t *packet, size_t len)
{
    struct wire_packet w;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    bool from_client = w.kind == WIRE_TCP ? to_server : true;
    const struct braid_ip *ours = from_client ? &w.src.ip : &w.dst.ip;
    const struct field_uplink *u = &((struct field *)p)->uplinks[uplink_of(ours)];
    bool asks = w.kind == WIRE_TCP && to_server && (w.tcp.flags & TCP_SYN) &&
                (w.tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE));
    return uplink_delay(u) + (asks ? u->far : 0);
}

/* ---- what the race tells ---- */

static inline void field_won(void *arg, struct braid_conn *c, unsigned lane)
{
    struct field *f = arg;
    ck_assert(f->race && !f->over);
    f->race = NULL;
    f->over = true;
    f->over_at = f->pair.now;
    f->n_won++;
    f->lane = lane;
    f->pair.client.conn = c;
    ck_assert_ptr_eq(braid_conn_user(c), &f->pair.client);
}

static inline void field_lost(void *arg, enum race_loss why)
{
    struct field *f = arg;
    ck_assert(f->race && !f->over);
    f->race = NULL;
    f->over = true;
    f->over_at = f->pair.now;
    f->n_lost++;
    f->why = why;
}

static inline void field_seen(void *arg, const struct race_lane *lane, enum race_seen what)
{
    struct field *f = arg;
    ck_assert(!f->over);
    f->seen[lane->uplink][what]++;
}

static inline void field_due(void *arg)
{
    ((struct field *)arg)->due = true;
}

static const struct race_events field_events = {
    .won = field_won, .lost = field_lost, .seen = field_seen, .due = field_due};

/* ---- running it ---- */

static inline void field_init(void)
{
    memset(&field, 0, sizeof(field));
    pair_init(&field.pair, false, NULL, 0);
    field.pair.tap = field_tap;
    field.pair.delay = field_delay;
    field.params = (struct race_params){.core = field.pair.client.core,
                                        .connect = {.cc = cc_algorithms[0],
                                                    .sched = sched_algorithms[0],
                                                    .ops = &pair_ops,
                                                    .user = &field.pair.client},
                                        .lanes = field.lanes,
                                        .fallback = true,
                                        .timeout = RACE_TIMEOUT,
                                        .events = &field_events,
                                        .arg = &field};
}

/* A lane over uplink i. */
static inline struct race_lane *field_lane(unsigned i, const char *remote)
{
    struct race_lane *l = &field.lanes[field.params.n_lanes++];
    *l = (struct race_lane){.local = pair_addr("10.200.0.0:0"),
                            .remote = pair_addr(remote),
                            .head_start = RACE_HEAD_START,
                            .uplink = i};
    l->local.ip.b[15] = (uint8_t)i;
    struct braid_endpoint e = {.addr.ip = l->local.ip, .subflow = true};
    ck_assert_int_eq(braid_core_endpoint_add(field.pair.client.core, &e), 0);
    return l;
}

static inline void field_lanes(unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        field_lane(i, "10.0.9.1:80");
}

static inline void field_begin(void)
{
    field.begun = field.pair.now;
    field.race = race_new(&field.params);
    ck_assert_ptr_nonnull(field.race);
    race_begin(field.race, field.pair.now);
}

/* Until the race is over, at most for `time`. */
static inline void field_run_for(braid_time time)
{
    struct pair *p = &field.pair;
    braid_time end = p->now + time;
    while (!field.over && p->now < end) {
        braid_time at = race_deadline(field.race);
        ck_assert_int_ge(at, field.due ? 0 : p->now);
        pair_run(p, at < end ? at : end, &field.due);
        field.due = false;
        if (!field.over && race_deadline(field.race) <= p->now)
            race_expire(field.race, p->now);
    }
}

static inline void field_race(void)
{
    field_begin();
    field_run_for(RACE_TIMEOUT + BRAID_SECOND);
    ck_assert(field.over && field.n_won + field.n_lost == 1);
}

/* The end of the race, counted from its beginning. */
static inline braid_time field_took(void)
{
    return field.over_at - field.begun;
}

static inline bool field_is_mptcp(void)
{
    return field.pair.client.conn && braid_conn_is_mptcp(field.pair.client.conn);
}

/* Connections of a side. */
static inline uint64_t field_conns(const struct side *s)
{
    struct braid_core_stats st;
    braid_core_stats(s->core, &st);
    return st.conns;
}

/* Everything that was seen, of all uplinks, but who has won. */
static inline unsigned field_seen_all(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i <= FIELD_UPLINKS; i++)
        for (unsigned k = RACE_SEEN_ANSWER + 1; k <= RACE_SEEN_SILENT; k++)
            n += field.seen[i][k];
    return n;
}

#define HEAD RACE_HEAD_START

/* Virtual time is exact; a handshake takes two delays. */
#define TRIP (2 * PAIR_DELAY)

static inline void expect_win(unsigned uplink, bool mptcp, braid_time took)
{
    ck_assert_uint_eq(field.n_won, 1);
    ck_assert_uint_eq(field.lanes[field.lane].uplink, uplink);
    for (unsigned i = 0; i <= FIELD_UPLINKS; i++)
        ck_assert_uint_eq(field.seen[i][RACE_SEEN_ANSWER], i == uplink);
    ck_assert_int_eq(field_is_mptcp(), mptcp);
    ck_assert_int_eq(field_took(), took);
}

static inline void field_free(void)
{
    race_free(field.race);
    pair_free(&field.pair);
}

#endif
