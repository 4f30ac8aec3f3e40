/* What is in flight and repeated on another subflow although nobody knows that it was lost: because its path
 * is silent, because it holds up the connection, or because it is the last and another path has nothing
 * better to do. Its own subflow keeps it and retransmits it if need be (RFC 8684 section 3.3.6). */
#include "mptcp/rescue.h"

#include "base/seq.h"
#include "mptcp/choice.h"
#include "mptcp/conn.h"
#include "mptcp/demand.h"
#include "mptcp/reinject.h"

#define LATE_LEAST (10 * BRAID_MS) /* an ACK is not late before that */
#define LATE_LAST  (45 * BRAID_MS) /* ... that of the last segment, which peers delay */
/* Bytes that may wait for a window which a loss has made small; more are no messages. */
#define MESSAGES_WAIT 6000u

/* How many bytes of m, from *from on, are neither DATA_ACKed nor repeated yet. */
static uint64_t rest_of(const struct braid_conn *c, const struct mp_map *m, uint64_t *from)
{
    uint64_t end = m->dsn + m->tcp.len;
    *from = m->dsn + m->rescued;
    if (seq64_before(*from, c->send.una))
        *from = c->send.una;
    return seq64_before(*from, end) ? end - *from : 0;
}

/* Repeats m elsewhere. False: not all of it, for now. In pieces, as paths have room; m->rescued remembers how
 * far it came, for the next flush. */
static bool rescue(struct braid_conn *c, struct choice *ch, struct mp_map *m, enum braid_counter cause,
                   braid_time now)
{
    uint64_t from, rest;
    while ((rest = rest_of(c, m, &from)) > 0) {
        uint32_t len = choice_repeat(c, ch, from, rest, now);
        if (len == 0)
            return false;
        m->rescued = (uint32_t)(from + len - m->dsn);
        c->env->tcp.count.v[cause]++;
    }
    return true;
}

bool conn_repeats(const struct braid_conn *c)
{
    return c->send.repeat_said ? c->send.repeat : c->sched.ops->opportunistic;
}

static bool is_impatient(const struct braid_conn *c)
{
    return c->sched.ops->impatient && (!c->send.repeat_said || c->send.repeat);
}

/* With copies each path carries everything anyway. Without a scheduler that repeats for speed, only a silent
 * path is a reason. */
bool conn_may_rescue(const struct braid_conn *c)
{
    if (c->n_subflows < 2 || c->send.una == c->send.nxt || conn_copies(c))
        return false;
    if (conn_repeats(c) || is_impatient(c))
        return true;
    each_flow (s, c) {
        if (s->silence.suspect)
            return true;
    }
    return false;
}

/* A map that all other paths carry as well is passed over; where no path has room, the rest waits for the
 * next flush. */
void rescue_silent(struct braid_conn *c, struct choice *ch, braid_time now)
{
    each_flow (s, c) {
        if (!s->silence.suspect)
            continue;
        list_each (k, tmp2, &s->tcp.flight->maps) {
            if (!rescue(c, ch, mp_map_of(k), COUNT_MP_REINJECT_SILENT, now) && !choice_has_space(ch))
                return;
        }
    }
}

/* When an ACK on h that has not come is late: a smoothed round trip after m was sent, and a grace for its
 * variation. Peers delay the ACK of a segment that nothing follows. */
static braid_time late_at(const struct mp_subflow *h, const struct mp_map *m)
{
    const struct subflow *t = &h->tcp;
    int64_t grace = 2 * t->rtt.rttvar_us > LATE_LEAST ? 2 * t->rtt.rttvar_us : LATE_LEAST;
    if (t->flight->board.pipe <= t->size.mss || m->tcp.node.next == &t->flight->maps)
        grace += LATE_LAST;
    return m->sent_at + t->rtt.srtt_us + grace;
}

/* The same of messages, of each of which the ACK may be delayed. But in recovery one of them is known to be
 * lost, and those behind it wait for it. */
static braid_time message_late_at(const struct mp_subflow *h, const struct mp_map *m)
{
    braid_time late = m->sent_at + h->tcp.rtt.srtt_us + LATE_LEAST + LATE_LAST, at = late_at(h, m);
    return h->tcp.cc.in_recovery || at > late ? at : late;
}

/* How long h takes for a segment at present. Where a queue grows the smoothed round trip is behind the times,
 * while the oldest of what is in flight tells how long it takes at least; unless that was lost. */
static int64_t takes(const struct mp_subflow *h, braid_time now)
{
    struct list *oldest = h->tcp.flight->maps.next;
    bool lost = oldest == &h->tcp.flight->maps || h->tcp.cc.in_recovery || h->silence.suspect;
    int64_t age = lost ? 0 : now - mp_map_of(oldest)->sent_at;

    return age > h->tcp.rtt.srtt_us ? age : h->tcp.rtt.srtt_us;
}

/* Would the ACK of m come later than `other` from now if it were sent once more? If it is late already, h has
 * to detect the loss and retransmit it. */
static bool is_slower(const struct mp_subflow *h, const struct mp_map *m, int64_t other, braid_time now)
{
    return now >= late_at(h, m) || m->sent_at + takes(h, now) - now > other;
}

/* At most once in its round-trip time, since the effect of a cut is not seen before, and not in recovery,
 * which has cut it already. */
static void penalize(struct mp_subflow *h, braid_time now)
{
    if (h->tcp.cc.in_recovery || now - h->sched.penalized_at < h->tcp.rtt.srtt_us)
        return;
    h->sched.penalized_at = now;
    subflow_penalize(&h->tcp, now);
    conn_count(h->conn, MP_PENALTIES);
}

/* Repeats what h carries at the front of the window. As much as path f can send in two round trips: that is
 * the most that an open window will let it send while this is on its way. */
static void rescue_front(struct braid_conn *c, struct choice *ch, struct mp_subflow *h,
                         const struct sched_path *f, braid_time now)
{
    uint64_t end = c->send.una + 2 * f->cwnd, from;
    list_each (n, tmp, &h->tcp.flight->maps) {
        struct mp_map *m = mp_map_of(n);
        if (rest_of(c, m, &from) == 0 || !seq64_before(from, end) || !is_slower(h, m, f->srtt_us, now))
            continue;
        if (!rescue(c, ch, m, COUNT_MP_REINJECT_HEAD, now))
            return;
    }
}

/* The path to repeat on what h carries at the front of the window, or -1. Not one that carries the first byte
 * as well, as the window opens with the first of them to deliver; but once that byte has been repeated what
 * stands behind it on h still waits for a path with room. */
static int pick_for_front(struct braid_conn *c, struct choice *ch, unsigned h)
{
    const struct mp_map *m = flow_carries(ch->flows[h], c->send.una);
    if (!m)
        return -1;
    uint64_t tried = m->rescued > 0 ? (uint64_t)1 << h : choice_carriers(ch, c->send.una);
    int i = choice_pick_again(c, ch, tried, ch->paths[0].mss);
    /* nothing is won where the other path is no faster */
    return i >= 0 && ch->paths[h].srtt_us > ch->paths[i].srtt_us ? i : -1;
}

void rescue_head(struct braid_conn *c, struct choice *ch, braid_time now)
{
    if (!c->send.blocked || !conn_repeats(c))
        return;
    for (unsigned h = 0; h < ch->view.n_paths; h++) {
        int i = pick_for_front(c, ch, h);
        if (i < 0)
            continue;
        penalize(ch->flows[h], now);
        rescue_front(c, ch, ch->flows[h], &ch->paths[i], now);
    }
}

/* The first of the last maps on h that f, which would have to send all behind it as well, would deliver
 * sooner; the list's head: none. From the end backwards, since with each map f would have more to send and h
 * has less time left: so the two meet, and no more is sent twice than saves time. */
static struct list *slower_tail(const struct braid_conn *c, struct mp_subflow *h, const struct sched_path *f,
                                braid_time now)
{
    struct list *first = &h->tcp.flight->maps;
    uint64_t bytes = 0, from;
    for (struct list *n = h->tcp.flight->maps.prev; n != &h->tcp.flight->maps; n = n->prev) {
        uint64_t rest = rest_of(c, mp_map_of(n), &from);
        bytes += rest;
        int64_t other = f->srtt_us + (int64_t)(bytes * (uint64_t)f->srtt_us / f->cwnd);
        if (rest > 0 && !is_slower(h, mp_map_of(n), other, now))
            break;
        if (rest > 0)
            first = n;
    }
    return first;
}

/* From when on what was written last is the tail. A pause in the user's writing is not the end of the data,
 * unless it has said so: only when f had nothing to do for a round trip, repetitions are not in the way of
 * what is written next. */
static braid_time tail_since(const struct braid_conn *c, const struct sched_path *f)
{
    return c->send.news_at + (c->send.shutdown || conn_is_all(c) ? 0 : f->srtt_us);
}

/* The tail on path h alone: repeated on the path that the scheduler, or choice.c, would take instead. */
static void rescue_tail_of(struct braid_conn *c, struct choice *ch, unsigned h, braid_time now)
{
    struct mp_subflow *s = ch->flows[h];
    int i = choice_pick_again(c, ch, (uint64_t)1 << h, ch->paths[h].mss);
    if (i < 0 || ch->paths[i].srtt_us == 0)
        return;
    braid_time since = tail_since(c, &ch->paths[i]);
    struct list *n = slower_tail(c, s, &ch->paths[i], since > now ? since : now);
    /* Nobody is woken for nothing: between small messages that would be several times as often as they come.
     */
    if (since > now && n != &s->tcp.flight->maps) {
        no_later(&c->deadlines.watch, since);
        return;
    }
    for (; n != &s->tcp.flight->maps; n = n->next)
        if (!rescue(c, ch, mp_map_of(n), COUNT_MP_REINJECT_TAIL, now))
            return;
    /* what is left comes sooner here, or was repeated; should an ACK be late, it is looked at again */
    braid_time late = late_at(s, mp_map_of(s->tcp.flight->maps.prev));
    if (late > now)
        no_later(&c->deadlines.watch, late);
}

/* Paths that are not usable are not looked at: what they carry was repeated before (rescue_silent). */
void rescue_tail(struct braid_conn *c, struct choice *ch, braid_time now)
{
    if (c->send.nxt != c->send.end || c->send.blocked || c->send.reinject.n > 0 || !conn_repeats(c))
        return;
    for (unsigned h = 0; h < ch->view.n_paths; h++)
        if (!list_empty(&ch->flows[h]->tcp.flight->maps) && ch->paths[h].usable)
            rescue_tail_of(c, ch, h, now);
}

/* The oldest on path h first: what is behind it is late only later. */
static void rescue_late_of(struct braid_conn *c, struct choice *ch, struct mp_subflow *h, braid_time now)
{
    list_each (n, tmp, &h->tcp.flight->maps) {
        struct mp_map *m = mp_map_of(n);
        uint64_t from;
        if (rest_of(c, m, &from) == 0)
            continue;
        braid_time late = message_late_at(h, m);
        if (now < late) {
            no_later(&c->deadlines.watch, late);
            return;
        }
        if (!rescue(c, ch, m, COUNT_MP_REINJECT_HEAD, now))
            return;
    }
}

void rescue_late(struct braid_conn *c, struct choice *ch, braid_time now)
{
    if (!is_impatient(c) || c->send.end - c->send.nxt > MESSAGES_WAIT || c->send.blocked)
        return;
    for (unsigned h = 0; h < ch->view.n_paths; h++)
        if (ch->paths[h].usable)
            rescue_late_of(c, ch, ch->flows[h], now);
}

/* No path is passed over, as all have carried it: even the one whose copy is late may repeat it. */
void rescue_late_copy(struct braid_conn *c, struct choice *ch, braid_time now)
{
    for (unsigned i = 0; i < ch->view.n_paths; i++) {
        struct mp_map *m = flow_carries(ch->flows[i], c->send.una);
        uint64_t from, rest = m ? rest_of(c, m, &from) : 0;
        if (rest == 0)
            continue;
        if (now < late_at(ch->flows[i], m)) {
            no_later(&c->deadlines.watch, late_at(ch->flows[i], m));
            continue;
        }
        uint32_t len = choice_repeat_over(c, ch, choice_pick_again(c, ch, 0, rest), from, rest, now);
        m->rescued = (uint32_t)(from + len - m->dsn);
        c->env->tcp.count.v[COUNT_MP_REINJECT_HEAD] += len > 0;
    }
}
