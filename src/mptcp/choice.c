/* Data level, sending: which path bytes go onto, and how many. The scheduler picks the path for new data;
 * what was sent before, it may also decline. */
#include "mptcp/choice.h"

#include <assert.h>
#include <string.h>

#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/reinject.h"
#include "mptcp/rules.h"
#include "mptcp/sendbuf.h"
#include "tcp/tap_hook.h"

#define MAP_BYTES_MAX 65535u /* a data-level length has 16 bits */

/* What the scheduler is told of a subflow, anew after each mapping that went over it. */
static void fill_path(struct sched_path *p, struct mp_subflow *s, braid_time now)
{
    struct subflow *t = &s->tcp;
    p->id = s->id;
    /* Section 3.3.8 obliges only who receives the flag; who sets it wants to spare the path in both
     * directions. */
    p->backup = s->backup.peer || s->backup.ours;
    /* Copies may as well go where nobody answers just now: all others carry the bytes too. */
    p->usable = flow_answers(s) || (conn_copies(s->conn) && flow_usable(s) && t->rtt.backoff == 0);
    p->mss = t->size.mss;
    /* only where it matters: subflow_space arms the timer of the pacer, which wakes the connection */
    p->space = p->usable ? subflow_space(t, now) : 0;
    p->cwnd = t->cc.cwnd;
    p->in_flight = t->flight->board.pipe;
    p->bytes_sent = subflow_bytes_out(t);
    p->retransmits = t->snd.retransmits;
    p->srtt_us = t->rtt.srtt_us;
    p->rttvar_us = t->rtt.rttvar_us;
    p->min_rtt_us = t->rtt.min_rtt_us;
    p->busy_rtt_us = 0;
    if (s->conn->sched.ops->looks_around) {
        p->busy_rtt_us = tcp_way_busy_rtt(t, now);
        tap_value(t->env, BRAID_VALUE_BUSY, &p->busy_rtt_us, sizeof(p->busy_rtt_us));
    }
    p->pacing_rate = t->pacer.rate;
    p->slow_start = t->cc.cwnd < t->cc.ssthresh;
    p->mark = &s->sched.mark;
    rule_for_choice(s, p);
}

void choice_init(struct choice *ch, struct braid_conn *c, braid_time now)
{
    memset(&ch->view, 0, sizeof(ch->view));
    ch->view.now = now;
    ch->view.paths = ch->paths;
    ch->view.send_window = conn_send_window(c);
    ch->view.blocks = c->send.blocks;
    each_flow (s, c) {
        if (ch->view.n_paths == SCHED_MAX_PATHS)
            break;
        if (s->closing.dead || !flow_usable(s))
            continue;
        tcp_way_note(&s->tcp, now);
        ch->flows[ch->view.n_paths] = s;
        fill_path(&ch->paths[ch->view.n_paths++], s, now);
    }
}

bool choice_has_space(const struct choice *ch)
{
    for (unsigned i = 0; i < ch->view.n_paths; i++)
        if (ch->paths[i].space > 0)
            return true;
    return false;
}

uint64_t choice_carriers(const struct choice *ch, uint64_t dsn)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < ch->view.n_paths; i++)
        if (flow_carries(ch->flows[i], dsn))
            bits |= (uint64_t)1 << i;
    return bits;
}

/* ---- the choice of a path ---- */

/* Only to be used if nothing else can be (section 3.3.8); a quota works like a backup flag. */
static bool is_spare(const struct sched_path *p)
{
    return p->backup || p->over_quota;
}

/* Is a the better one of two paths to repeat something on? */
static bool is_better(const struct sched_path *a, const struct sched_path *b)
{
    /* what the operator says of the price comes first; without a sample of the round trip a path comes last
     */
    if (a->cost != b->cost)
        return a->cost < b->cost;
    return a->srtt_us > 0 && (b->srtt_us == 0 || a->srtt_us < b->srtt_us);
}

/* What has been lost does not wait for what a scheduler has in mind with new data. Backups are left alone
 * while others are usable. */
static int pick_for_lost(const struct sched_view *v)
{
    bool regular = false;
    int best = -1;
    /* also if it is full, or carries the bytes already: a backup is no overflow */
    for (unsigned i = 0; i < v->n_paths; i++)
        regular = regular || (v->paths[i].usable && !is_spare(&v->paths[i]));
    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        if (p->space == 0 || (v->tried >> i & 1) || (regular && is_spare(p)))
            continue;
        if (best < 0 || is_better(p, &v->paths[best]))
            best = (int)i;
    }
    return best;
}

int choice_pick_again(struct braid_conn *c, struct choice *ch, uint64_t tried, uint64_t len)
{
    ch->view.tried = tried;
    ch->view.unsent = len;
    int i = c->sched.ops->pick(&c->sched, &ch->view);
    /* It waits, or names a path that carries the bytes already, where a second copy helps nobody. */
    if (i < 0 || (tried >> i & 1))
        i = pick_for_lost(&ch->view);
    ch->view.tried = 0;
    return i;
}

/* ---- sending ---- */

/* How much of `want` bytes to put into one map on this path. 0: better wait. fill: the path takes the last
 * part of a window as well, though it is no whole segment. */
static uint32_t map_length(const struct sched_path *p, uint64_t want, bool more_follows, bool fill)
{
    uint64_t len = want < p->space ? want : p->space;
    if (len > MAP_BYTES_MAX)
        len = MAP_BYTES_MAX;
    else if (fill && len == p->space)
        return (uint32_t)len;
    if (len > p->mss && (len < want || more_follows))
        /* in whole segments: the rest goes out with what follows it */
        len -= len % p->mss;
    /* Silly window, RFC 9293 section 3.8.6.2.1. Only while something is in flight: its ACK is the next
     * occasion. */
    if (len < p->mss && len < want && p->in_flight > 0)
        return 0;
    return (uint32_t)len;
}

uint32_t choice_send(struct braid_conn *c, struct choice *ch, int i, uint64_t dsn, uint64_t want,
                     braid_time now)
{
    struct sched_path *p = &ch->paths[i];
    struct mp_subflow *s = ch->flows[i];
    assert((unsigned)i < ch->view.n_paths && p->usable && p->space > 0);
    uint32_t len = map_length(p, want, dsn + want != c->send.end, subflow_in_initial_window(&s->tcp));
    struct mp_map *m = len > 0 ? conn_map_new(c, dsn, len) : NULL;
    if (!m)
        return 0;
    len = m->tcp.len; /* fewer, if they lie in many chunks */
    m->sent_at = now;
    /* the first mapping after falling back tells the peer so, and where the plain stream begins (section 3.7)
     */
    m->infinite = c->fallback.infinite_due;
    c->fallback.infinite_due = false;
    /* The DATA_FIN rides on the last mapping (section 3.3.3), unless its octet does not fit into the length,
     * or the mapping goes out as MP_CAPABLE, which has no flag for it: conn_push_end sends it by itself then.
     */
    if (c->send.shutdown && conn_is_mptcp(c) && !s->echo_mp_capable && dsn + len == c->send.end &&
        len < MAP_BYTES_MAX)
        m->fin = c->send.fin_sent = true;
    subflow_send(&s->tcp, &m->tcp, now);
    rule_account(s);
    if (c->sched.ops->sent)
        c->sched.ops->sent(&c->sched, &ch->view, i, len);
    fill_path(p, s, now);
    return len;
}

uint32_t choice_repeat_over(struct braid_conn *c, struct choice *ch, int i, uint64_t dsn, uint64_t len,
                            braid_time now)
{
    uint32_t sent = i < 0 ? 0 : choice_send(c, ch, i, dsn, len, now);
    if (sent > 0) {
        conn_count(c, MP_RETRANS);
        c->env->tcp.count.v[COUNT_MP_REINJECT_BYTES] += sent;
    }
    return sent;
}

uint32_t choice_repeat(struct braid_conn *c, struct choice *ch, uint64_t dsn, uint64_t len, braid_time now)
{
    int i = choice_pick_again(c, ch, choice_carriers(ch, dsn), len);
    return choice_repeat_over(c, ch, i, dsn, len, now);
}

bool conn_copies(const struct braid_conn *c)
{
    return c->sched.ops->duplicate && c->fallback.barred && conn_is_mptcp(c);
}
