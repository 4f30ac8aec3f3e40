/* Silent paths. A subflow whose peer has acknowledged nothing for longer than its round-trip time explains is
 * suspect: it carries nothing new, others repeat what it has in flight (rescue.c), and it is probed. That is
 * long before its retransmission timeout, so it may be wrong: it is taken back with the first
 * acknowledgement, and each time the ACKs were only late the path gets more patience.
 *
 * The subflow itself goes on with its retransmissions and their backoff, as RFC 8684 section 3.3.6 and RFC
 * 6298 want it. That alone would leave a path that works again unused for as long as it was silent. */
#include "mptcp/silent_paths.h"

#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"

/* More than the half second for which Linux does not answer such a segment again. */
#define PROBE_EVERY    (750 * BRAID_MS)
#define PATIENCE_MAX   4
#define PATIENCE_FADES (10 * BRAID_SECOND)

/* Is there anybody to do without s? */
static bool has_alternative(const struct mp_subflow *s)
{
    list_each (n, tmp, &s->conn->subflows) {
        const struct mp_subflow *o = list_entry(n, struct mp_subflow, node);
        if (o != s && flow_answers(o))
            return true;
    }
    return false;
}

/* Patience wears off while ACKs come in time. */
static unsigned patience_of(struct mp_subflow *s, braid_time now)
{
    while (s->silence.patience > 0 && now - s->silence.patience_at >= PATIENCE_FADES) {
        s->silence.patience--;
        s->silence.patience_at += PATIENCE_FADES;
    }
    return s->silence.patience;
}

static void doubt(struct mp_subflow *s, braid_time now)
{
    bool timed_out = s->tcp.rtt.backoff > 0;
    braid_time at = timed_out ? now : subflow_silent_at(&s->tcp, patience_of(s, now));
    if (at > now) {
        no_later(&s->conn->deadlines.watch, at);
        return;
    }
    s->silence.suspect = true;
    s->silence.since = now;
    s->silence.next_probe = now + PROBE_EVERY;
    s->silence.probed_at = 0;
    conn_count(s->conn, MP_SUSPECTED);
}

static void trust(struct mp_subflow *s, braid_time now)
{
    s->silence.suspect = false;
    if (!s->tcp.activity.progress_first)
        return;
    conn_count(s->conn, MP_SUSPECTED_WRONGLY);
    s->silence.patience += s->silence.patience < PATIENCE_MAX;
    s->silence.patience_at = now;
}

/* Whatever comes half a round trip after a probe shows that the path works, and that what was in flight is
 * lost: its ACKs would have come before. */
static void probe(struct mp_subflow *s, braid_time now)
{
    struct subflow *t = &s->tcp;
    if (s->silence.probed_at > 0 && t->activity.last_recv >= s->silence.probed_at + t->rtt.min_rtt_us / 2) {
        s->silence.probed_at = 0;
        subflow_retry(t, now);
    }
    if (now >= s->silence.next_probe) {
        subflow_ask(t, now);
        conn_count(s->conn, MP_PATH_PROBES);
        s->silence.probed_at = s->silence.probed_at > 0 ? s->silence.probed_at : now;
        s->silence.next_probe = now + PROBE_EVERY;
    }
    no_later(&s->conn->deadlines.watch, s->silence.next_probe);
}

void conn_resumed(struct braid_conn *c, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (!s->closing.dead)
            subflow_resumed(&s->tcp, now);
    }
    conn_dirty(c);
}

void conn_watch_paths(struct braid_conn *c, braid_time now)
{
    if (!conn_is_mptcp(c))
        return;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->silence.suspect && s->tcp.activity.progress_at > s->silence.since)
            trust(s, now);
        if (s->closing.dead || s->closing.reset_due || list_empty(&s->tcp.flight->maps))
            continue;
        if (!has_alternative(s))
            s->silence.suspect = false;
        else if (s->silence.suspect)
            probe(s, now);
        else
            doubt(s, now);
    }
}
