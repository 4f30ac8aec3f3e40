/* Quiet paths. Who sends finds out that a path is silent by the ACKs that do not come (silent_paths.c). Who
 * only receives finds nothing out: no timer runs here for what the peer has not sent. So a subflow that has
 * brought data, and brings nothing any more while others do, is asked whether it is still there. That serves
 * both ends:
 *
 * - An address translator or a firewall on the way that has forgotten the subflow learns of it again, or the
 *   answer is a RST; either way the path comes back into use, or another subflow takes its place.
 * - The peer's stack may be slow to notice that the path works again, as its timer has backed off; a segment
 * of ours is what tells it. (Linux takes any of them for a sign that a subflow is not stale any more.)
 * - This end knows not to send there, and its path manager gets rid of a subflow that is dead.
 *
 * The peer may as well have nothing to send there, since its scheduler likes others better. Then a probe is
 * answered at once, and that is all: there is no other one before the subflow has been active again. So an
 * honest peer costs us, and we it, a segment for each ACTIVE bytes at most, and nothing at all while no other
 * subflow brings data. */
#include "mptcp/quiet_paths.h"

#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"
#include "mptcp/silent_paths.h"

/* Bytes after which a subflow was active: a probe and its answer are less than a hundredth of them. */
#define ACTIVE (16u << 10)
/* So many RTOs without a segment, while others bring data, are quiet: the peer's timer has run out by then if
 * it was that of a sender, and an end that repeats what was lost has repeated it. */
#define QUIET_RTOS 2
/* More than the half second for which Linux does not answer such a segment again. */
#define ASK_EVERY (750 * BRAID_MS)
/* As a sender that gets no ACKs does (GIVE_UP_TIME in src/tcp/timers.c). */
#define GIVE_UP (100 * BRAID_SECOND)

static uint32_t ms_of(braid_time t)
{
    return (uint32_t)(t / BRAID_MS);
}

/* How much later b is than a, both in milliseconds; below 0: it is earlier. */
static braid_time between(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) * (braid_time)BRAID_MS;
}

/* No answer is missed any more. Where our data is in flight, silent_paths.c judges by its ACKs. */
static void forget(struct mp_subflow *s)
{
    if (s->quiet.asked > 0 && list_empty(&s->tcp.flight->maps))
        flow_trust(s);
    s->quiet.asked = 0;
}

void flow_heard(struct mp_subflow *s, uint32_t payload_len, braid_time now)
{
    struct flow_quiet *q = &s->quiet;
    if (payload_len > 0)
        q->data_ms = ms_of(now);
    if (q->asked == 0)
        return;
    forget(s);
    q->bytes = (uint32_t)subflow_bytes_in(&s->tcp);
}

/* When payload last came over another subflow: false if it never did. */
static bool others_data(const struct mp_subflow *s, uint32_t *ms)
{
    bool any = false;
    each_flow (o, s->conn) {
        if (o == s || subflow_bytes_in(&o->tcp) == 0 || (any && between(*ms, o->quiet.data_ms) <= 0))
            continue;
        *ms = o->quiet.data_ms;
        any = true;
    }
    return any;
}

/* Whether something is to be expected of it. Where our data is in flight, its ACKs are. */
static bool is_expected(const struct mp_subflow *s)
{
    return flow_usable(s) && !s->tcp.fin.received && !s->conn->recv.fin_received &&
           list_empty(&s->tcp.flight->maps) && (uint32_t)subflow_bytes_in(&s->tcp) - s->quiet.bytes >= ACTIVE;
}

/* As an old sequence number without payload, which every peer answers (RFC 9293 section 3.10.7.4). */
static void ask(struct mp_subflow *s, braid_time now)
{
    if (s->quiet.asked == 0)
        s->quiet.since_ms = ms_of(now);
    s->quiet.asked += s->quiet.asked < UINT8_MAX;
    subflow_ask(&s->tcp, now);
    conn_count(s->conn, MP_PATH_PROBES);
}

/* No answer yet: asks again as long as others bring data. After an RTO the path is suspect, and carries
 * nothing of ours if there is another. */
static void insist(struct mp_subflow *s, uint32_t others, braid_time now)
{
    struct flow_quiet *q = &s->quiet;
    uint32_t last = q->since_ms + (q->asked - 1u) * (ASK_EVERY / BRAID_MS);
    braid_time silent = between(q->since_ms, ms_of(now));
    if (silent >= GIVE_UP) {
        flow_reset(s, MPTCP_RST_PERFORMANCE);
        return;
    }
    if (!s->silence.suspect && silent >= rtt_rto(&s->tcp.rtt) && flow_has_alternative(s))
        flow_suspect(s, now);
    if (between(last, others) > 0 && between(last, ms_of(now)) >= ASK_EVERY)
        ask(s, now);
}

/* Others have brought data for so long, from when on they did and this one did not. What passed before, in
 * which nobody may have had anything to send, does not count; nor does what passed while this end stood
 * still. */
static bool is_quiet(struct mp_subflow *s, uint32_t others)
{
    struct flow_quiet *q = &s->quiet;
    braid_time last = s->tcp.activity.last_recv, resumed = s->tcp.env->resumed_at;
    uint32_t heard = ms_of(last > resumed ? last : resumed);
    if (between(heard, others) > 0 && between(heard, q->since_ms) <= 0)
        q->since_ms = others;
    return between(heard, q->since_ms) > 0 &&
           between(q->since_ms, others) >= QUIET_RTOS * rtt_rto(&s->tcp.rtt);
}

static void watch_peer(struct mp_subflow *s, braid_time now)
{
    uint32_t others = 0;
    if (!is_expected(s))
        forget(s);
    else if (!others_data(s, &others))
        return;
    else if (s->quiet.asked > 0)
        insist(s, others, now);
    else if (is_quiet(s, others))
        ask(s, now);
}

/* Nothing wakes us for this: what makes a subflow quiet is that another one brings data. */
void conn_watch_peers(struct braid_conn *c, braid_time now)
{
    if (!conn_is_mptcp(c))
        return;
    each_flow (s, c)
        watch_peer(s, now);
}
