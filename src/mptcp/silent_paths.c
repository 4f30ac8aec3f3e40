/* Silent paths. A subflow whose peer has acknowledged nothing for longer than its round-trip time explains is
 * suspect: it carries nothing new, others repeat what it has in flight (rescue.c), and it is probed. That is
 * long before its retransmission timeout, so it may be wrong: it is taken back with the first
 * acknowledgement (with the second one, if the first leaves the window full), and each time the ACKs were
 * only late the path gets more patience.
 *
 * The subflow itself goes on with its retransmissions and their backoff, as RFC 8684 section 3.3.6 and RFC
 * 6298 want it. That alone would leave a path that works again unused for as long as it was silent. */
#include "mptcp/silent_paths.h"

#include <stdlib.h>

#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"

/* More than the half second for which Linux does not answer such a segment again. */
#define PROBE_EVERY (750 * BRAID_MS)
/* how long a doubling of the grace lasts without another wrong suspicion */
#define PATIENCE_FADES (10 * BRAID_SECOND)

bool flow_has_alternative(const struct mp_subflow *s)
{
    each_flow (o, s->conn) {
        if (o != s && flow_answers(o))
            return true;
    }
    return false;
}

/* Makes the place for what is known of a doubt, charged to the connection. False: memory is short. */
bool flow_doubt_begin(struct mp_subflow *s)
{
    if (!s->doubt) {
        s->doubt = calloc(1, sizeof(*s->doubt));
        mem_take(&s->conn->mem, s->doubt ? mem_cost(sizeof(*s->doubt)) : 0);
    }
    return s->doubt;
}

void flow_doubt_free(struct mp_subflow *s)
{
    if (s->doubt)
        mem_give(&s->conn->mem, mem_cost(sizeof(*s->doubt)));
    free(s->doubt);
    s->doubt = NULL;
    s->silence.suspect = false;
    s->silence.patience = 0;
}

/* Patience outlives the suspicion, and with it the place where it is kept. */
void flow_trust(struct mp_subflow *s)
{
    if (s->silence.suspect)
        news_silent(s, false);
    s->silence.suspect = false;
    if (s->silence.patience == 0)
        flow_doubt_free(s);
}

/* Patience wears off while ACKs come in time. */
static unsigned patience_of(struct mp_subflow *s, braid_time now)
{
    struct flow_doubt *d = s->doubt;
    while (s->silence.patience > 0 && now - d->patience_at >= PATIENCE_FADES) {
        s->silence.patience--;
        d->patience_at += PATIENCE_FADES;
    }
    if (s->silence.patience == 0)
        flow_doubt_free(s);
    return s->silence.patience;
}

void flow_suspect(struct mp_subflow *s, braid_time now)
{
    if (!flow_doubt_begin(s))
        return; /* at the next flush, perhaps */
    struct flow_doubt *d = s->doubt;
    if (!s->silence.suspect)
        news_silent(s, true);
    s->silence.suspect = true;
    d->since = now;
    d->next_probe = now + PROBE_EVERY;
    d->probed_at = d->told_at = 0;
    conn_count(s->conn, MP_SUSPECTED);
}

/* Begins to suspect it, if it is time; else says when to look again. After a timeout there is nothing to wait
 * for. */
static void doubt(struct mp_subflow *s, braid_time now)
{
    bool timed_out = s->tcp.rtt.backoff > 0;
    braid_time at = timed_out ? now : subflow_silent_at(&s->tcp, patience_of(s, now));
    if (at > now) {
        no_later(&s->conn->deadlines.watch, at);
        return;
    }
    flow_suspect(s, now);
}

/* The peer has acknowledged something new. If nothing of that had been sent twice, it arrived by itself: only
 * the ACKs were late. */
static void trust(struct mp_subflow *s, braid_time now)
{
    if (s->tcp.tries.sent_once) {
        conn_count(s->conn, MP_SUSPECTED_WRONGLY);
        s->silence.patience += s->silence.patience < SILENT_PATIENCE_MAX;
        s->doubt->patience_at = now;
    }
    flow_trust(s);
}

/* What had arrived before the silence, and only its ACK had not, the first ACK behind it tells, whatever it
 * was sent for: it says nothing of what is in flight. That is known by the next one, or by data that leaves
 * now; but where the window is full of what may be lost none does, and nobody would ask any more. */
static bool tells_of_before(const struct mp_subflow *s)
{
    const struct subflow *t = &s->tcp;
    return s->doubt->told_at == 0 && t->tries.sent_once && !list_empty(&t->flight->maps) &&
           t->cc.cwnd < t->flight->board.pipe + t->size.mss;
}

/* First of all, since what follows is for those that are still silent. A probe that was under way is answered
 * by that, too: the next one decides. */
static void look_for_progress(struct mp_subflow *s, braid_time now)
{
    struct flow_doubt *d = s->doubt;
    braid_time progress = s->tcp.activity.progress_at;
    if (!s->silence.suspect || progress <= d->since || progress <= d->told_at)
        return;
    if (!tells_of_before(s)) {
        trust(s, now);
        return;
    }
    d->told_at = progress;
    d->probed_at = 0;
}

/* Whatever comes half a round trip after a probe shows that the path works, and that what was in flight is
 * lost: its ACKs would have come before. */
static void probe(struct mp_subflow *s, braid_time now)
{
    struct subflow *t = &s->tcp;
    struct flow_doubt *d = s->doubt;
    if (d->probed_at > 0 && t->activity.last_recv >= d->probed_at + t->rtt.min_rtt_us / 2) {
        d->probed_at = 0;
        subflow_retry(t, now);
    }
    /* probed_at stays that of the first probe without an answer, by which whatever comes is judged */
    if (now >= d->next_probe) {
        subflow_ask(t, now);
        conn_count(s->conn, MP_PATH_PROBES);
        d->probed_at = d->probed_at > 0 ? d->probed_at : now;
        d->next_probe = now + PROBE_EVERY;
    }
    no_later(&s->conn->deadlines.watch, d->next_probe);
}

void conn_resumed(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        if (!s->closing.dead)
            subflow_resumed(&s->tcp, now);
    }
    conn_dirty(c);
}

/* At each flush before data is scheduled, and again behind it: what has just left is to be watched, too. */
void conn_watch_paths(struct braid_conn *c, braid_time now)
{
    if (!conn_is_mptcp(c))
        return;
    each_flow (s, c) {
        look_for_progress(s, now);
        if (s->closing.dead || s->closing.reset_due)
            continue;
        /* the last one that answers is never suspect: nobody could do without it */
        if (!flow_has_alternative(s))
            flow_trust(s);
        else if (list_empty(&s->tcp.flight->maps))
            continue; /* quiet_paths.c asks it, if it is suspect */
        else if (s->silence.suspect)
            probe(s, now);
        else
            doubt(s, now);
    }
}
