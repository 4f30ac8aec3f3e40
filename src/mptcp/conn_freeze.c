/* A connection as state: see conn_freeze.h. Its send buffer, what it has received, its addresses and its
 * subflows are groups of their own, in files of their own. */
#include "mptcp/conn_freeze.h"

#include "base/addr.h"
#include "base/buf_table.h"
#include "mptcp/conn.h"
#include "mptcp/conn_sound.h"
#include "mptcp/first_answer.h"
#include "mptcp/flow_freeze.h"
#include "mptcp/known_freeze.h"
#include "mptcp/recv_freeze.h"
#include "mptcp/sched_state.h"
#include "mptcp/send_freeze.h"

enum {
    COMMON = 1,
    CC,
    SCHED,
    SCHED_STATE,
    PM,
    PHASE,
    MODE,
    WHY,
    HANDSHAKE,
    REFUSAL,
    TOKEN,
    TIMER,
    SOCKOPT,
    SEND,
    RECV,
    KNOWN,
    FLOW,
    BUFS
};

#define FLOWS_MOST 64

static const struct braid_field fields[] = {
    BRAID_NUMBER(1, struct braid_conn, id, BRAID_MUCH - 1), /* the core's next one can be written, too */
    BRAID_TIME(2, struct braid_conn, opened_at),
    BRAID_ANY(3, struct braid_conn, next_subflow_id),
    BRAID_ANY(4, struct braid_conn, dss.first_ts),
    BRAID_BOOL(5, struct braid_conn, dss.checksum),
    BRAID_BOOL(6, struct braid_conn, dss.peer_dsn64),
    BRAID_BOOL(7, struct braid_conn, dss.seen),
    BRAID_BOOL(8, struct braid_conn, dss.keyed),
    BRAID_BOOL(9, struct braid_conn, dss.sent),
    BRAID_BOOL(10, struct braid_conn, dss.proven),
    BRAID_BOOL(11, struct braid_conn, dss.keep_data_acks),
    BRAID_BOOL(12, struct braid_conn, closing.told),
    BRAID_BOOL(13, struct braid_conn, closing.ended),
    BRAID_BOOL(14, struct braid_conn, closing.abort_due),
    BRAID_BOOL(15, struct braid_conn, closing.fail_due),
    BRAID_BOOL(16, struct braid_conn, closing.fastclose),
    BRAID_ANY(17, struct braid_conn, closing.reset_reason),
    BRAID_BOOL(18, struct braid_conn, closing.fate_shared),
    BRAID_NUMBERS(19, struct braid_conn, addresses.local.ip.b, 1, UINT8_MAX),
    BRAID_ANY(20, struct braid_conn, addresses.local.port),
    BRAID_NUMBERS(21, struct braid_conn, addresses.remote.ip.b, 1, UINT8_MAX),
    BRAID_ANY(22, struct braid_conn, addresses.remote.port),
    BRAID_ANY(23, struct braid_conn, handshake.early),
    BRAID_ANY(24, struct braid_conn, syn_data.most),
    BRAID_ANY(25, struct braid_conn, syn_data.in),
    BRAID_ANY(26, struct braid_conn, syn_data.acked),
    BRAID_ANY(27, struct braid_conn, syn_data.offer),
    BRAID_ANY(28, struct braid_conn, syn_data.out),
    BRAID_BOOL(29, struct braid_conn, syn_data.settled),
    BRAID_BOOL(30, struct braid_conn, syn_data.inside),
    BRAID_BOOL(31, struct braid_conn, syn_data.unmapped),
    BRAID_NUMBER(32, struct braid_conn, syn_data.asked, FIRST_ANSWER_TRIES),
    BRAID_ANY(33, struct braid_conn, keys.local),
    BRAID_ANY(34, struct braid_conn, keys.remote),
    BRAID_ANY(35, struct braid_conn, keys.local_idsn),
    BRAID_ANY(36, struct braid_conn, keys.remote_idsn),
    BRAID_ANY(37, struct braid_conn, keys.local_token),
    BRAID_ANY(38, struct braid_conn, fallback.delta),
    BRAID_ANY(39, struct braid_conn, fallback.linear_from),
    BRAID_BOOL(40, struct braid_conn, fallback.was_mptcp),
    BRAID_BOOL(41, struct braid_conn, fallback.barred),
    BRAID_BOOL(42, struct braid_conn, fallback.rx_failed),
    BRAID_BOOL(43, struct braid_conn, fallback.infinite_due),
    BRAID_BOOL(44, struct braid_conn, fallback.fail_answered),
    BRAID_BOOL(45, struct braid_conn, join.refused),
    BRAID_BOOL(46, struct braid_conn, join.unwanted),
    BRAID_NUMBER(47, struct braid_conn, join.tries, 31),
    BRAID_TIME(48, struct braid_conn, join.rate.start),
    BRAID_ANY(49, struct braid_conn, join.rate.n),
    BRAID_BOOL(50, struct braid_conn, pm.changed),
    BRAID_BOOL(51, struct braid_conn, pm.alone),
    BRAID_BOOL(52, struct braid_conn, pm.could_open),
    BRAID_ANY(53, struct braid_conn, stall.sending.at),
    BRAID_DUE(54, struct braid_conn, stall.sending.since),
    BRAID_ANY(55, struct braid_conn, stall.reading.at),
    BRAID_DUE(56, struct braid_conn, stall.reading.since),
    BRAID_DUE(57, struct braid_conn, deadlines.data_rtx),
    BRAID_DUE(58, struct braid_conn, deadlines.addr),
    BRAID_DUE(59, struct braid_conn, deadlines.gone),
    BRAID_DUE(60, struct braid_conn, deadlines.join),
    BRAID_DUE(61, struct braid_conn, deadlines.room),
    BRAID_DUE(62, struct braid_conn, deadlines.watch),
    BRAID_DUE(63, struct braid_conn, deadlines.stall),
    BRAID_DUE(64, struct braid_conn, deadlines.pm),
    BRAID_NUMBER(65, struct braid_conn, keys.version, MPTCP_NEWEST),
    BRAID_BOOL(66, struct braid_conn, join.believing),
    {0}};
#define handshake_bits(X)                                                                                    \
    X(0, passive)                                                                                            \
    X(1, half_open)                                                                                          \
    X(2, stateless)                                                                                          \
    X(3, incoming_told) X(4, accept_due) X(5, refuse_due) X(6, established_due) X(7, complete)
FREEZE_BITS(handshake_bits, struct conn_handshake)

static const struct braid_field sockopt_fields[] = {
    BRAID_NUMBER(1, struct conn_sockopt, rcvbuf_max, BRAID_MUCH),
    BRAID_NUMBER(2, struct conn_sockopt, sndbuf_max, BRAID_MUCH),
    BRAID_NUMBER(3, struct conn_sockopt, keepalive.idle, CONN_LONGEST),
    BRAID_NUMBER(4, struct conn_sockopt, keepalive.step, CONN_LONGEST),
    BRAID_NUMBER(5, struct conn_sockopt, keepalive.most, UINT8_MAX),
    BRAID_NUMBER(6, struct conn_sockopt, user_timeout, CONN_LONGEST),
    BRAID_ANY(7, struct conn_sockopt, most),
    BRAID_ANY(8, struct conn_sockopt, traffic_class),
    {0}};

/* ---- writing ---- */

static void freeze_sched(const struct braid_conn *c, struct freezer *f)
{
    freeze_text(f, SCHED, c->sched.ops->name);
    if (c->sched.priv && c->sched.ops->state)
        freeze_struct(f, SCHED_STATE, c->sched.ops->state, c->sched.priv);
}

void conn_freeze(const struct braid_conn *c, struct freezer *f, unsigned tag)
{
    struct buf_table bufs = {.n = 0};
    size_t all = freeze_begin(f, tag);
    f->bufs = &bufs;
    freeze_text(f, CC, c->cc->name);
    freeze_sched(c, f);
    freeze_struct(f, COMMON, fields, c);
    freeze_text(f, PM, c->pm.ops ? c->pm.ops->name : NULL);
    freeze_number(f, PHASE, c->phase);
    freeze_number(f, MODE, c->mode);
    freeze_number(f, WHY, c->closing.why);
    freeze_number(f, HANDSHAKE, handshake_bits_freeze(&c->handshake));
    freeze_number(f, REFUSAL, c->handshake.refusal);
    freeze_number(f, TOKEN, c->keys.token_hashed);
    freeze_timer(f, TIMER, &c->deadlines.timer);
    if (c->sockopt != &c->env->sockopt)
        freeze_struct(f, SOCKOPT, sockopt_fields, c->sockopt);
    conn_freeze_send(c, f, SEND);
    conn_freeze_recv(c, f, RECV);
    conn_freeze_known(c, f, KNOWN);
    each_flow (s, c)
        flow_freeze(s, f, FLOW);
    freeze_bufs(f, BUFS);
    freeze_end(f, all);
    f->bufs = NULL;
    buf_table_free(&bufs);
}

/* ---- reading ---- */

/* What a connection cannot be without: read before the rest. */
struct needs {
    const struct cc_ops *cc;
    const struct sched_ops *sched;
};

static void read_needs(const struct thaw_item *group, struct needs *needs)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        for (const struct cc_ops *const *a = cc_algorithms; i.tag == CC && *a; a++)
            if (thaw_is_text(&i, (*a)->name))
                needs->cc = *a;
        for (const struct sched_ops *const *a = sched_algorithms; i.tag == SCHED && *a; a++)
            if (thaw_is_text(&i, (*a)->name))
                needs->sched = *a;
    }
    if (!needs->cc || !needs->sched)
        thaw_fail(group->all, THAW_NOBODY);
}

#define PACKET_BUFFER (size_t)(128u << 10)

/* The buffers, too, since slices refer to them: as many as the memory that there is explains, and one with a
 * packet that has just come, which has the size of the largest one. */
static void read_bufs(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i))
        if (i.tag == BUFS)
            thaw_bufs(&i, &c->mem, 2 * c->mem.limit + PACKET_BUFFER);
}

static void take_pm(struct braid_conn *c, const struct thaw_item *i)
{
    for (const struct pm_ops *const *a = pm_algorithms; *a; a++)
        if (thaw_is_text(i, (*a)->name))
            c->pm.ops = *a;
    if (!c->pm.ops)
        thaw_fail(i->all, THAW_NOBODY);
}

static void take_sockopt(struct braid_conn *c, const struct thaw_item *i)
{
    struct conn_sockopt *own = conn_own_sockopt(c);
    if (own)
        thaw_struct(i, sockopt_fields, own);
    else
        thaw_fail(i->all, THAW_MEMORY);
}

/* The subflows that were read, and who follows whom in the ring of their congestion controls. */
struct ring {
    struct mp_subflow *flows[FLOWS_MOST];
    uint32_t next[FLOWS_MOST];
    unsigned n;
};

static void take_flow(struct braid_conn *c, const struct thaw_item *i, struct ring *r)
{
    if (r->n == FLOWS_MOST) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    uint32_t next_id = c->next_subflow_id;
    struct mp_subflow *s = flow_thaw(c, i, &r->next[r->n]);
    c->next_subflow_id = next_id; /* it has its number already */
    if (!s)
        return;
    if (r->n > 0 && s->id <= r->flows[r->n - 1]->id)
        thaw_fail(i->all, THAW_WRONG); /* their list is in the order of ids */
    r->flows[r->n++] = s;
}

/* Handshakes join the ring when they are over (siblings.c). */
static bool is_handshake(const struct mp_subflow *s)
{
    return s->tcp.state == TCP_STATE_SYN_SENT || s->tcp.state == TCP_STATE_SYN_RECEIVED;
}

/* A ring in which two have the same successor never ends for who walks it. */
static void close_ring(const struct ring *r, struct thawing *all)
{
    bool followed[FLOWS_MOST] = {false};
    for (unsigned i = 0; i < r->n; i++) {
        unsigned n = 0;
        while (n < r->n && r->flows[n]->id != r->next[i])
            n++;
        if (n == r->n || followed[n] || (n != i && is_handshake(r->flows[i]))) {
            thaw_fail(all, THAW_WRONG);
            break;
        }
        followed[n] = true;
        r->flows[i]->tcp.cc.group_next = &r->flows[n]->tcp.cc;
    }
    for (unsigned i = 0; i < r->n && !thaw_fine(all); i++)
        r->flows[i]->tcp.cc.group_next = &r->flows[i]->tcp.cc;
}

static bool take_small(struct braid_conn *c, const struct thaw_item *i)
{
    switch (i->tag) {
    case CC:
    case SCHED:
    case BUFS:
        return true; /* read before */
    case PM:
        take_pm(c, i);
        return true;
    case PHASE:
        c->phase = (enum conn_phase)thaw_number(i, CONN_DRAINING);
        return true;
    case MODE:
        c->mode = (enum conn_mode)thaw_number(i, MODE_FALLBACK);
        return true;
    case WHY:
        c->closing.why = (enum braid_close)thaw_number(i, BRAID_CLOSE_FATE);
        return true;
    case HANDSHAKE:
        handshake_bits_thaw(&c->handshake, thaw_number(i, 0xff));
        return true;
    case REFUSAL:
        c->handshake.refusal = (enum braid_refusal)thaw_number(i, BRAID_REFUSE_SILENTLY);
        return true;
    default:
        return false;
    }
}

static void take(struct braid_conn *c, const struct thaw_item *i, struct ring *ring, bool *token)
{
    if (take_small(c, i))
        return;
    switch (i->tag) {
    case COMMON:
        thaw_struct(i, fields, c);
        break;
    case SCHED_STATE:
        if (c->sched.priv)
            thaw_struct(i, c->sched.ops->state, c->sched.priv);
        break;
    case TOKEN:
        *token = thaw_number(i, 1);
        break;
    case TIMER:
        thaw_timer(i, &c->env->tcp.wheel, &c->deadlines.timer);
        break;
    case SOCKOPT:
        take_sockopt(c, i);
        break;
    case SEND:
        conn_thaw_send(c, i);
        break;
    case RECV:
        conn_thaw_recv(c, i);
        break;
    case KNOWN:
        conn_thaw_known(c, i);
        break;
    case FLOW:
        take_flow(c, i, ring);
        break;
    default:
        thaw_unknown(i);
    }
}

static void enter_token(struct braid_conn *c, struct thawing *all)
{
    if (conn_by_token(c->env, c->keys.local_token))
        thaw_fail(all, THAW_TAKEN);
    else
        conn_token_enter(c);
}

static void read(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct ring ring = {.n = 0};
    bool token = false;
    while (thaw_next(&t, &i))
        take(c, &i, &ring, &token);
    if (thaw_fine(group->all))
        close_ring(&ring, group->all);
    if (thaw_fine(group->all) && !conn_is_sound(c, token))
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all) && token)
        enter_token(c, group->all);
    if (c->handshake.half_open)
        c->env->n_half_open++;
}

/* The books of the environment, which conn_new and conn_free keep, are those of connections that come and go:
 * this one was there all the time. */
static struct braid_conn *begin(struct mptcp_env *env, const struct needs *needs)
{
    uint64_t next_id = env->next_id;
    struct braid_conn *c = conn_new(env, needs->cc, needs->sched, 0);
    if (c)
        env->conns_total--;
    env->next_id = next_id;
    return c;
}

/* Its number stays if that is behind all others, in whose order the list is. */
static void number(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    uint64_t last = 0;
    for (struct list *n = c->link.node.prev; n != &env->conns && last == 0; n = n->prev)
        if (list_entry(n, struct conn_link, node)->conn)
            last = list_entry(n, struct conn_link, node)->conn->id;
    if (c->id <= last)
        c->id = env->next_id > last ? env->next_id : last + 1;
    if (env->next_id <= c->id)
        env->next_id = c->id + 1;
}

struct braid_conn *conn_thaw(struct mptcp_env *env, const struct thaw_item *group)
{
    struct needs needs = {.cc = NULL};
    struct buf_table bufs = {.n = 0};
    size_t timers = group->all->timers.n;
    read_needs(group, &needs);
    struct braid_conn *c = thaw_fine(group->all) ? begin(env, &needs) : NULL;
    if (!c) {
        thaw_fail(group->all, THAW_MEMORY);
        return NULL;
    }
    group->all->bufs = &bufs;
    read_bufs(c, group);
    read(c, group);
    thaw_bufs_done(&bufs);
    group->all->bufs = NULL;
    if (thaw_fine(group->all)) {
        number(c);
        return c;
    }
    group->all->timers.n = timers;
    conn_unthaw(c);
    return NULL;
}

void conn_unthaw(struct braid_conn *c)
{
    struct mptcp_env *env = c->env;
    const struct news_hook news = env->news;
    uint64_t in = env->bytes_in_past, out = env->bytes_out_past;
    env->news.fn = NULL;
    /* one in TIME_WAIT would be remembered, and what it carried be counted once more */
    each_flow (s, c) {
        s->tcp.state = TCP_STATE_CLOSED;
        s->accounted.in = (uint32_t)subflow_bytes_in(&s->tcp);
        s->accounted.out = (uint32_t)subflow_bytes_out(&s->tcp);
    }
    conn_free(c);
    env->news = news;
    env->bytes_in_past = in;
    env->bytes_out_past = out;
}
