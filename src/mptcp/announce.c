/* Signals about our addresses (RFC 8684 section 3.4) and path priorities (section 3.3.8): when what goes out,
 * and how often. */
#include "mptcp/announce.h"

#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"
#include "mptcp/tapped.h"

/* An ADD_ADDR may be lost, and its echo as well; who has echoed none of four will not. (Linux sends as many,
 * within a second and a half.) Nothing answers a REMOVE_ADDR, so three have to do. */
#define ADD_ADDR_INTERVAL (500 * BRAID_MS)
#define ADD_ADDR_TRIES    4
#define RM_ADDR_TRIES     3
/* Whoever counts duplicate ACKs without a look at their options takes three of them for a loss (RFC 5681
 * section 3.2). */
#define SIGNAL_PAUSE   (200 * BRAID_MS) /* after ... */
#define SIGNALS_IN_ROW 2                /* ... so many pure ACKs with signals (section 3.4.1) */

void conn_announce(struct braid_conn *c, unsigned i)
{
    c->pm.known->announcements[i] = (struct announcement){.due = true};
    c->pm.known->locals[i].announced = true;
    conn_dirty(c);
}

void conn_withdraw_not(struct braid_conn *c, uint8_t id)
{
    struct conn_known *m = c->pm.known;
    uint8_t n = 0;
    for (unsigned i = 0; i < m->n_withdrawals; i++)
        if (m->withdrawals[i].id != id)
            m->withdrawals[n++] = m->withdrawals[i];
    m->n_withdrawals = n;
}

/* The list has a place for each of our addresses; should it be full all the same, the oldest has been sent
 * most often. */
static void enter_withdrawal(struct braid_conn *c, struct withdrawal w)
{
    struct conn_known *m = c->pm.known;
    conn_withdraw_not(c, w.id);
    if (m->n_withdrawals == PM_MAX_LOCALS)
        conn_withdraw_not(c, m->withdrawals[0].id);
    m->withdrawals[m->n_withdrawals++] = w;
    conn_dirty(c);
}

void conn_withdraw(struct braid_conn *c, uint8_t id)
{
    enter_withdrawal(c, (struct withdrawal){.id = id, .left = RM_ADDR_TRIES, .due = true});
}

void conn_withdraw_later(struct braid_conn *c, uint8_t id)
{
    enter_withdrawal(c, (struct withdrawal){.id = id, .left = RM_ADDR_TRIES, .held = true});
}

void conn_withdraw_held(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    for (unsigned i = 0; i < m->n_withdrawals; i++) {
        struct withdrawal *w = &m->withdrawals[i];
        w->due |= w->held;
        w->held = false;
    }
    conn_dirty(c);
}

unsigned conn_withdrawals_due(const struct braid_conn *c)
{
    unsigned due = 0;
    const struct conn_known *m = c->pm.known;
    for (unsigned i = 0; m && i < m->n_withdrawals; i++)
        due += m->withdrawals[i].due;
    return due;
}

int braid_conn_set_backup(struct braid_conn *c, uint32_t subflow_id, bool backup)
{
    conn_tap(c, BRAID_TAP_SET_BACKUP, 0, subflow_id, backup);
    each_flow (s, c) {
        /* The flag goes over this subflow, which is what it is about: MP_PRIO has no address ID
         * (section 3.3.8). */
        if (s->id == subflow_id && !s->closing.dead && conn_is_mptcp(c)) {
            bool changed = s->backup.ours != backup;
            s->backup.ours = backup;
            s->backup.due = true;
            subflow_ack_soon(&s->tcp);
            conn_dirty(c);
            if (changed)
                news_priority(s, false);
            return 0;
        }
    }
    return -1;
}

/* How many signalling ACKs in a row it has sent. Both positions only grow, so that their sum stands still
 * only if both do. Other segments in between, either way, end a row; where there are none, nobody who counts
 * duplicates waits for the next ACK either. */
static unsigned signals_in_row(struct mp_subflow *s, braid_time now)
{
    uint32_t mark = (uint32_t)(s->tcp.rcv.nxt + s->tcp.snd.nxt);
    if (mark != s->signal.mark || now - s->signal.at >= SIGNAL_PAUSE)
        s->signal.acks = 0;
    s->signal.mark = mark;
    return s->signal.acks;
}

/* A subflow that can carry a signal now, rather not one whose path is down. Any will do: addresses are the
 * connection's (section 3.4). */
static struct mp_subflow *flow_for_signal(struct braid_conn *c, braid_time now)
{
    struct mp_subflow *any = NULL;
    each_flow (s, c) {
        if (!flow_usable(s) || signals_in_row(s, now) >= SIGNALS_IN_ROW)
            continue;
        if (s->tcp.rtt.backoff == 0)
            return s;
        any = s;
    }
    return any;
}

/* An ACK of its own, at once: an option that rides on what is to be sent anyway would have to fit beside its
 * DSS. */
static void send_signal(struct mp_subflow *s, braid_time now)
{
    bool owes = s->tcp.ack.now || s->tcp.ack.forced || s->tcp.ack.bytes > 0;
    s->signal.now = true;
    subflow_ack_at_once(&s->tcp, now);
    s->signal.now = false;
    s->signal.acks++;
    s->signal.at = now;
    if (owes)
        subflow_ack_soon(&s->tcp); /* an address leaves no room for the DATA_ACK of what has just come */
}

/* How many ACKs the signals take that are due: an address has no room beside another one. */
static unsigned signals_due(const struct braid_conn *c)
{
    const struct conn_known *m = c->pm.known;
    if (!m)
        return 0;
    unsigned due = m->n_echoes + (conn_withdrawals_due(c) > 0); /* one ACK for all withdrawals */
    /* without our key the peer cannot check the HMAC, and drops the option */
    if (!conn_keys_shared(c))
        return due;
    for (unsigned i = 0; i < m->n_locals; i++)
        due += m->announcements[i].due;
    return due;
}

void conn_announce_flush(struct braid_conn *c, braid_time now)
{
    unsigned due = signals_due(c);
    struct mp_subflow *s = NULL;
    if (due == 0)
        return;
    while (due > 0 && (s = flow_for_signal(c, now))) {
        send_signal(s, now); /* one option each (options_out.c) */
        due--;
        no_later(&c->deadlines.addr, now + ADD_ADDR_INTERVAL);
    }
    if (due > 0)
        /* No subflow may carry one now: what was not sent stays due, for the next flush. */
        no_later(&c->deadlines.addr, now + SIGNAL_PAUSE);
}

/* An echo has no HMAC (section 3.4.1), so it may at most end repetitions: of exactly the address, port and ID
 * that it names. */
void conn_announce_echoed(struct braid_conn *c, const struct mptcp_add_addr *a)
{
    struct conn_known *m = c->pm.known;
    for (unsigned i = 0; m && i < m->n_locals; i++) {
        const struct pm_local *mine = &m->locals[i];
        if (mine->id == a->id && addr_equal(&mine->addr, &a->addr))
            m->announcements[i].echoed = true;
    }
}

/* ADD_ADDR is repeated until it is echoed, as section 3.4.1 leaves to local policy; REMOVE_ADDR has no echo,
 * and conn_withdraw sets how often it is sent. */
void conn_announce_timeout(struct braid_conn *c, braid_time now)
{
    struct conn_known *m = c->pm.known;
    if (!m)
        return;
    for (unsigned i = 0; i < m->n_locals; i++) {
        struct announcement *a = &m->announcements[i];
        if (a->echoed || a->sent == 0 || a->sent >= ADD_ADDR_TRIES)
            continue;
        a->due = true;
        no_later(&c->deadlines.addr, now + ADD_ADDR_INTERVAL);
    }
    for (unsigned i = 0; i < m->n_withdrawals; i++)
        m->withdrawals[i].due = !m->withdrawals[i].held;
    if (conn_withdrawals_due(c) > 0)
        no_later(&c->deadlines.addr, now + ADD_ADDR_INTERVAL);
}
