/* What a connection learns from the ends of its subflows about opening the next ones: between which
 * addresses, and when. A pair of addresses that does not work is tried less and less. */
#include "mptcp/retries.h"

#include "mptcp/addr_index.h"
#include "mptcp/alone.h"
#include "mptcp/conn.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"

#define BACKOFF_FIRST BRAID_SECOND        /* after a subflow that was refused, or that did not hold */
#define BACKOFF_STEPS 5                   /* doubles so often: at most 32 s */
#define HELD          (10 * BRAID_SECOND) /* a subflow that lived so long makes up for earlier failures */
#define FIRST_TRIES   3                   /* at an announced address that does not answer */
#define SCARCE_STEPS  3                   /* the peer lacks something: not before 8 s */

/* NULL: no path manager of ours has opened anything, or it is between addresses that it does not know. */
static struct pm_pair *pair_of(const struct mp_subflow *s)
{
    unsigned l = flow_local_index(s), r = flow_remote_index(s);
    struct conn_known *m = s->conn->pm.known;
    return m && m->pairs && l < PM_MAX_LOCALS && r < PM_MAX_REMOTES ? &m->pairs[l][r] : NULL;
}

void conn_pm_established(struct mp_subflow *s)
{
    struct pm_pair *pair = pair_of(s);
    s->was_up = true;
    if (pair)
        pair->worked = true;
    conn_pm_changed(s->conn);
}

enum next_try { AT_ONCE, LATER, NOT_AGAIN };

/* What the end of a subflow says of the next one. The peer's reason comes first (section 3.6: flag T 0 means
 * that it will last), or else ours. Without any, a handshake that failed at an announced address is not
 * repeated (section 3.4.1), except for silence, which may be loss: three tries. A subflow that was up is
 * replaced at once, unless its peer ended it in order. */
static enum next_try next_try(const struct mp_subflow *s, const struct pm_pair *pair)
{
    int reason = s->closing.peer_rst >= 0                 ? s->closing.peer_rst
                 : s->closing.why == SUBFLOW_CLOSED_LOCAL ? s->closing.rst_reason
                                                          : -1;
    bool for_good = s->closing.peer_rst >= 0 ? s->closing.peer_rst_for_good : !mptcp_rst_is_transient(reason);
    if (reason >= 0)
        return for_good ? NOT_AGAIN : reason == MPTCP_RST_OUTSTANDING ? AT_ONCE : LATER;
    if (!s->was_up && flow_remote_index(s) > 0 && !pair->worked)
        return s->closing.why == SUBFLOW_CLOSED_REFUSED || pair->failures >= FIRST_TRIES - 1 ? NOT_AGAIN
                                                                                             : LATER;
    if (!s->was_up)
        return LATER;
    return s->closing.why == SUBFLOW_CLOSED_DONE ? NOT_AGAIN
                                                 : AT_ONCE; /* the peer's FIN: it wants no more of it */
}

/* Reasons that pass, but not soon: the peer is short of something, or the path is. */
static bool is_scarcity(int reason)
{
    return reason == MPTCP_RST_RESOURCES || reason == MPTCP_RST_PERFORMANCE;
}

/* It was to take the place of one that does not answer any more. Until the peer has noticed that, too, it may
 * have no room for another one. */
static bool was_a_replacement(const struct mp_subflow *s)
{
    each_flow (o, s->conn) {
        if (o != s && !o->closing.dead && o->silence.stale && flow_local_index(o) == flow_local_index(s) &&
            flow_remote_index(o) == flow_remote_index(s))
            return true;
    }
    return false;
}

/* Sets when the next subflow may be opened. A connection that is alone waits no longer than BACKOFF_FIRST and
 * closes no pair: nothing is worse than none. */
static void note_failure(struct pm_pair *pair, const struct mp_subflow *s, bool alone, braid_time now)
{
    enum next_try next = next_try(s, pair);
    if (s->was_up && now - s->tcp.syn.since >= HELD)
        pair->failures = 0;
    /* "at once" holds for the first failure in a row only: what dies again and again must not be opened in a
     * loop */
    bool first = pair->failures == 0;
    if (is_scarcity(s->closing.peer_rst) && pair->failures < SCARCE_STEPS)
        pair->failures = SCARCE_STEPS;
    unsigned steps = pair->failures < BACKOFF_STEPS ? pair->failures : BACKOFF_STEPS;
    pair->failures++;
    pair->closed = next == NOT_AGAIN && !alone && !was_a_replacement(s);
    pair->open_at = now;
    if (alone)
        pair->open_at += BACKOFF_FIRST;
    else if (next != AT_ONCE || !first)
        pair->open_at += BACKOFF_FIRST << steps;
}

/* What we closed ourselves, or what ended although its address came anew, says nothing of the pair. A FIN, in
 * particular, often comes after the announcement that follows it: it waits for what was lost before it, and
 * the announcement takes another way. */
static bool says_nothing(const struct mp_subflow *s)
{
    bool in_order = s->closing.why == SUBFLOW_CLOSED_DONE && s->closing.peer_rst < 0;
    return s->closing.retired || s->closing.bygone || (s->closing.announced_again && in_order);
}

/* Asked while the subflow can still say what its addresses are (conn_reap, give_up in joins.c). Without pairs
 * there is nothing to learn from it. */
void conn_pm_ended(struct mp_subflow *s, braid_time now)
{
    struct braid_conn *c = s->conn;
    struct pm_pair *pair = pair_of(s);
    conn_pm_changed(c);
    if (pair && !says_nothing(s))
        note_failure(pair, s, conn_alone(c), now);
}

/* Whatever may bring the connection back is tried at once, what has failed more than once soon, so that not
 * every flush tries it. */
static void forgive(struct pm_pair *pair, braid_time now)
{
    braid_time soon = pair->failures > 1 ? now + BACKOFF_FIRST : now;
    pair->closed = false;
    no_later(&pair->open_at, soon);
}

void conn_pm_forgive(struct braid_conn *c, braid_time now)
{
    struct conn_known *m = c->pm.known;
    for (unsigned i = 0; m && m->pairs && i < m->n_locals; i++)
        for (unsigned j = 0; j < m->n_remotes; j++)
            forgive(&m->pairs[i][j], now);
}
