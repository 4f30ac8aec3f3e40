/* Tail loss probes: see tlp.h. */
#include "tcp/internal.h"
#include "tcp/ack.h"

/* RFC 8985 section 7.2. It leaves TLP.max_ack_delay to the implementation: this is Linux's TCP_DELACK_MAX,
 * the longest that such a peer holds an ACK back. */
#define TLP_MAX_ACK_DELAY (200 * BRAID_MS) /* of the peer */
#define TLP_MARGIN        (2 * BRAID_MS)   /* peers work in batches too: on short paths 2*SRTT is nothing */
#define TLP_NO_RTT        BRAID_SECOND

/* Section 7.2, and condition 1 and 2 of section 7.3. */
bool tlp_allowed(const struct subflow *sf)
{
    return sf->syn.sack_ok && !sf->cc.in_recovery && sf->flight->board.sacked_bytes == 0 &&
           sf->flight->board.lost_bytes == 0 && sf->flight->tlp_end == 0 && sf->tries.tlp_sampled &&
           tcp_outstanding(sf);
}

/* Section 7.2: two round trips, and the time for which a peer may hold back the ACK of a single segment. */
braid_time tlp_timeout(const struct subflow *sf)
{
    if (sf->rtt.srtt_us == 0)
        return TLP_NO_RTT;
    return 2 * (braid_time)sf->rtt.srtt_us +
           (sf->flight->board.pipe <= sf->size.mss ? TLP_MAX_ACK_DELAY : TLP_MARGIN);
}

/* Repeats the last segment: whether new data is there only the owner knows. */
struct tcp_sent *tlp_choose(struct subflow *sf, braid_time now)
{
    struct tcp_sent *s = sent_of(sf->flight->board.runs.prev);
    /* The last segment of a super-packet, which may be a short one. */
    uint64_t len = sent_len(s), tail = (len + s->lead) % s->seg ? (len + s->lead) % s->seg : s->seg;

    sf->due.rto_base = now;
    sf->tries.tlp_sampled = false;
    if (s->state != SENT_FLIGHT)
        return NULL;
    if (len > tail)
        s = sent_split(sf, s, s->end - tail);
    if (!s)
        return NULL;
    sf->flight->tlp_end = sf->snd.nxt;
    tcp_count(sf, COUNT_TCP_LOSS_PROBES, 1);
    return s;
}

/* Section 7.4.2. If the probe was a needless repetition the peer says so: with a DSACK, or, when that is
 * lost, with a duplicate ACK. */
bool tlp_process_ack(struct subflow *sf, const struct ack_info *a)
{
    if (sf->flight->tlp_end == 0 || sf->snd.una < sf->flight->tlp_end)
        return false;
    bool repaired = !a->dsack && sf->snd.una > sf->flight->tlp_end;
    if (a->dsack || repaired || a->dupack)
        sf->flight->tlp_end = 0;
    return repaired;
}
