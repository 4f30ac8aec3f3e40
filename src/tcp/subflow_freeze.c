/* The state of a subflow, group by group: what is there all the time. What is made when it is needed has
 * files of its own (flight_freeze.c, disorder_freeze.c, cc_freeze.c). */
#include "tcp/subflow_freeze.h"

#include "tcp/cc_freeze.h"
#include "tcp/disorder_freeze.h"
#include "tcp/flight_freeze.h"
#include "tcp/internal.h"
#include "tcp/sound.h"

enum {
    STATE = 1,
    SYN,
    SYN_BITS,
    TIMESTAMPS,
    SIZE,
    REO_WND,
    MTU,
    MTU_BITS,
    SND,
    RCV,
    RCV_BITS,
    ACK,
    ACK_BITS,
    FINS,
    CWND,
    RTT,
    PACER,
    DELIVERY,
    DUE,
    DUE_TIMER,
    TRIES,
    TRIES_KIND,
    TRIES_BITS,
    ACTIVITY,
    CC,
    UNDO,
    FLIGHT,
    DISORDER
};

#define WSCALE_MOST 14 /* RFC 7323 section 2.3 */
#define RTT_MOST    (4 * RTT_RTO_MAX)

static const struct braid_field syn_fields[] = {BRAID_TIME(1, struct tcp_syn, since),
                                                BRAID_ANY(2, struct tcp_syn, iss),
                                                BRAID_ANY(3, struct tcp_syn, irs),
                                                BRAID_ANY(4, struct tcp_syn, peer_mss),
                                                BRAID_NUMBER(5, struct tcp_syn, snd_wscale, WSCALE_MOST),
                                                BRAID_NUMBER(6, struct tcp_syn, rcv_wscale, WSCALE_MOST),
                                                BRAID_ANY(7, struct tcp_syn, retries),
                                                BRAID_ANY(8, struct tcp_syn, take),
                                                BRAID_ANY(9, struct tcp_syn, came),
                                                BRAID_ANY(10, struct tcp_syn, acked),
                                                BRAID_ANY(11, struct tcp_syn, sent),
                                                {0}};
#define syn_bits(X)                                                                                          \
    X(0, passive)                                                                                            \
    X(1, answered) X(2, wavers) X(3, stateless) X(4, repeated) X(5, ts_ok) X(6, sack_ok) X(7, wscale_ok)
FREEZE_BITS(syn_bits, struct tcp_syn)

static const struct braid_field ts_fields[] = {BRAID_ANY(1, struct tcp_timestamps, recent),
                                               BRAID_ANY(2, struct tcp_timestamps, offset),
                                               BRAID_TIME(3, struct tcp_timestamps, recent_at),
                                               {0}};

static const struct braid_field size_fields[] = {BRAID_NUMBER(1, struct tcp_size, mss, UINT16_MAX),
                                                 BRAID_ANY(2, struct tcp_size, path_mtu),
                                                 BRAID_ANY(3, struct tcp_size, head),
                                                 BRAID_ANY(4, struct tcp_size, most),
                                                 BRAID_NUMBER(5, struct tcp_size, reserve, 40),
                                                 BRAID_ANY(6, struct tcp_size, traffic_class),
                                                 {0}};

static const struct braid_field reo_fields[] = {BRAID_ANY(1, struct reo_wnd, mult),
                                                BRAID_ANY(2, struct reo_wnd, persist),
                                                BRAID_BOOL(3, struct reo_wnd, reordering_seen),
                                                {0}};

static const struct braid_field mtu_fields[] = {
    BRAID_DUE(1, struct mtu_search, raise_at), BRAID_ANY(2, struct mtu_search, size),
    BRAID_ANY(3, struct mtu_search, high),     BRAID_ANY(4, struct mtu_search, lost),
    BRAID_ANY(5, struct mtu_search, failures), {0}};
#define mtu_bits(X) X(0, silent) X(1, first)
FREEZE_BITS(mtu_bits, struct mtu_search)

static const struct braid_field snd_fields[] = {BRAID_NUMBER(1, struct tcp_snd, una, BRAID_MUCH),
                                                BRAID_NUMBER(2, struct tcp_snd, nxt, BRAID_MUCH),
                                                BRAID_ANY(3, struct tcp_snd, wl1),
                                                BRAID_NUMBER(4, struct tcp_snd, wnd, 1u << 30),
                                                BRAID_NUMBER(5, struct tcp_snd, wnd_max, 1u << 30),
                                                BRAID_ANY(6, struct tcp_snd, retransmits),
                                                BRAID_ANY(7, struct tcp_snd, packets),
                                                {0}};

static const struct braid_field rcv_fields[] = {BRAID_NUMBER(1, struct tcp_rcv, nxt, BRAID_MUCH),
                                                BRAID_NUMBER(2, struct tcp_rcv, adv, BRAID_MUCH),
                                                BRAID_NUMBER(3, struct tcp_rcv, mss, UINT16_MAX),
                                                BRAID_ANY(4, struct tcp_rcv, rtt_tsecr),
                                                BRAID_NUMBER(5, struct tcp_rcv, rtt_us, INT32_MAX),
                                                BRAID_ANY(6, struct tcp_rcv, traffic_class),
                                                {0}};
#define rcv_bits(X) X(0, small) X(1, eager)
FREEZE_BITS(rcv_bits, struct tcp_rcv)

static const struct braid_field ack_fields[] = {BRAID_NUMBER(1, struct tcp_ack_due, last, BRAID_MUCH),
                                                BRAID_TIME(2, struct tcp_ack_due, stray_at),
                                                BRAID_ANY(3, struct tcp_ack_due, bytes),
                                                BRAID_ANY(4, struct tcp_ack_due, quick),
                                                {0}};
#define ack_bits(X) X(0, now) X(1, delayed) X(2, third) X(3, fourth) X(4, forced) X(5, patient)
FREEZE_BITS(ack_bits, struct tcp_ack_due)

static const struct braid_field fin_fields[] = {BRAID_BOOL(1, struct tcp_fins, wanted),
                                                BRAID_BOOL(2, struct tcp_fins, sent),
                                                BRAID_BOOL(3, struct tcp_fins, received),
                                                BRAID_BOOL(4, struct tcp_fins, known),
                                                BRAID_NUMBER(5, struct tcp_fins, in_off, BRAID_MUCH),
                                                {0}};

static const struct braid_field cwnd_fields[] = {BRAID_ANY(1, struct cwnd_use, round_end),
                                                 BRAID_ANY(2, struct cwnd_use, initial),
                                                 BRAID_BOOL(3, struct cwnd_use, limited),
                                                 BRAID_BOOL(4, struct cwnd_use, limited_before),
                                                 BRAID_BOOL(5, struct cwnd_use, blocked),
                                                 BRAID_BOOL(6, struct cwnd_use, idle_handled),
                                                 {0}};

static const struct braid_field rtt_fields[] = {BRAID_NUMBER(1, struct rtt, srtt_us, RTT_MOST),
                                                BRAID_NUMBER(2, struct rtt, rttvar_us, RTT_MOST),
                                                BRAID_NUMBER(3, struct rtt, min_rtt_us, RTT_MOST),
                                                BRAID_NUMBER(4, struct rtt, backoff, 16),
                                                BRAID_TIME(5, struct rtt, min_rtt_at),
                                                {0}};

static const struct braid_field pacer_fields[] = {BRAID_NUMBER(1, struct pacer, rate, PACER_RATE_MAX),
                                                  BRAID_PAST(2, struct pacer, next),
                                                  BRAID_ANY(3, struct pacer, rem),
                                                  {0}};

static const struct braid_field delivery_fields[] = {BRAID_NUMBER(1, struct delivery, delivered, BRAID_MUCH),
                                                     BRAID_ANY(2, struct delivery, limited_until),
                                                     {0}};

static const struct braid_field due_fields[] = {
    BRAID_DUE(1, struct tcp_deadlines, rexmit),    BRAID_DUE(2, struct tcp_deadlines, delack),
    BRAID_DUE(3, struct tcp_deadlines, keepalive), BRAID_DUE(4, struct tcp_deadlines, pace),
    BRAID_TIME(5, struct tcp_deadlines, rto_base), {0}};

static const struct braid_field tries_fields[] = {BRAID_ANY(1, struct tcp_tries, stuck_rtos),
                                                  BRAID_ANY(2, struct tcp_tries, probes),
                                                  BRAID_ANY(3, struct tcp_tries, probes_unanswered),
                                                  BRAID_ANY(4, struct tcp_tries, keepalives),
                                                  {0}};
#define tries_bits(X) X(0, tlp_sampled) X(1, probed) X(2, sent_once)
FREEZE_BITS(tries_bits, struct tcp_tries)

static const struct braid_field activity_fields[] = {BRAID_TIME(1, struct tcp_activity, last_recv),
                                                     BRAID_TIME(2, struct tcp_activity, last_send),
                                                     BRAID_TIME(3, struct tcp_activity, progress_at),
                                                     {0}};

/* The groups without bits and pointers. */
static const struct group {
    unsigned tag;
    size_t offset;
    const struct braid_field *fields;
} groups[] = {
    {SYN, offsetof(struct subflow, syn), syn_fields},
    {TIMESTAMPS, offsetof(struct subflow, ts), ts_fields},
    {SIZE, offsetof(struct subflow, size), size_fields},
    {REO_WND, offsetof(struct subflow, reo_wnd), reo_fields},
    {MTU, offsetof(struct subflow, mtu), mtu_fields},
    {SND, offsetof(struct subflow, snd), snd_fields},
    {RCV, offsetof(struct subflow, rcv), rcv_fields},
    {ACK, offsetof(struct subflow, ack), ack_fields},
    {FINS, offsetof(struct subflow, fin), fin_fields},
    {CWND, offsetof(struct subflow, cwnd), cwnd_fields},
    {RTT, offsetof(struct subflow, rtt), rtt_fields},
    {PACER, offsetof(struct subflow, pacer), pacer_fields},
    {DELIVERY, offsetof(struct subflow, delivery), delivery_fields},
    {DUE, offsetof(struct subflow, due), due_fields},
    {TRIES, offsetof(struct subflow, tries), tries_fields},
    {ACTIVITY, offsetof(struct subflow, activity), activity_fields},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

void subflow_freeze(const struct subflow *sf, struct freezer *f, unsigned tag)
{
    size_t all = freeze_begin(f, tag);

    freeze_number(f, STATE, sf->state);
    for (unsigned i = 0; i < GROUPS; i++)
        freeze_struct(f, groups[i].tag, groups[i].fields, (const uint8_t *)sf + groups[i].offset);
    freeze_number(f, SYN_BITS, syn_bits_freeze(&sf->syn));
    freeze_number(f, MTU_BITS, mtu_bits_freeze(&sf->mtu));
    freeze_number(f, RCV_BITS, rcv_bits_freeze(&sf->rcv));
    freeze_number(f, ACK_BITS, ack_bits_freeze(&sf->ack));
    freeze_number(f, TRIES_KIND, sf->tries.kind);
    freeze_number(f, TRIES_BITS, tries_bits_freeze(&sf->tries));
    freeze_timer(f, DUE_TIMER, &sf->due.timer);
    tcp_freeze_cc(sf, f, CC);
    tcp_freeze_undo(sf, f, UNDO);
    tcp_freeze_flight(sf, f, FLIGHT);
    tcp_freeze_disorder(sf, f, DISORDER);
    freeze_end(f, all);
}

static bool take_group(struct subflow *sf, const struct thaw_item *i)
{
    for (unsigned n = 0; n < GROUPS; n++) {
        if (groups[n].tag == i->tag) {
            thaw_struct(i, groups[n].fields, (uint8_t *)sf + groups[n].offset);
            return true;
        }
    }
    return false;
}

static void take(struct subflow *sf, const struct thaw_item *i)
{
    switch (i->tag) {
    case STATE:
        sf->state = (enum tcp_state)thaw_number(i, TCP_STATES - 1);
        break;
    case SYN_BITS:
        syn_bits_thaw(&sf->syn, thaw_number(i, 0xff));
        break;
    case MTU_BITS:
        mtu_bits_thaw(&sf->mtu, thaw_number(i, 3));
        break;
    case RCV_BITS:
        rcv_bits_thaw(&sf->rcv, thaw_number(i, 3));
        break;
    case ACK_BITS:
        ack_bits_thaw(&sf->ack, thaw_number(i, 0x3f));
        break;
    case TRIES_KIND:
        sf->tries.kind = (enum tcp_rexmit_timer)thaw_number(i, REXMIT_PERSIST);
        break;
    case TRIES_BITS:
        tries_bits_thaw(&sf->tries, thaw_number(i, 7));
        break;
    case DUE_TIMER:
        thaw_timer(i, &sf->env->wheel, &sf->due.timer);
        break;
    case CC:
        tcp_thaw_cc(sf, i);
        break;
    case UNDO:
        tcp_thaw_undo(sf, i);
        break;
    case FLIGHT:
        tcp_thaw_flight(sf, i);
        break;
    case DISORDER:
        tcp_thaw_disorder(sf, i);
        break;
    default:
        if (!take_group(sf, i))
            thaw_unknown(i);
    }
}

void subflow_thaw_begin(struct subflow *sf)
{
    tcp_parts_init(sf);
}

void subflow_thaw(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    size_t timers = group->all->timers.n;

    if (sf->cc.ops) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    while (thaw_next(&t, &i))
        take(sf, &i);
    if (!thaw_fine(group->all))
        return;
    sf->cc.mss = sf->size.mss;
    sf->cc.delivered = sf->delivery.delivered;
    if (!tcp_is_sound(sf, group->all->timers.n > timers))
        thaw_fail(group->all, THAW_WRONG);
}
