/* What MPTCP knows of a subflow as state: see flow_freeze.h. Its TCP is a group of its own
 * (src/tcp/subflow_freeze.c). The path rule that it matches is looked for again. */
#include "mptcp/flow_freeze.h"

#include "base/addr.h"
#include "base/buf_table.h"
#include "mptcp/conn.h"
#include "tcp/subflow_freeze.h"

enum {
    LOCAL = 1,
    REMOTE,
    COMMON,
    BITS,
    BACKUP,
    SILENCE,
    CLOSING_WHY,
    CLOSING_BITS,
    DOUBT,
    SIBLING,
    MAPPINGS,
    HELD,
    TCP
};
enum { MAPPINGS_CAP = 1, MAPPINGS_HEAD, MAPPING };
enum { HELD_CAP = 1, HELD_SUM, HELD_SLICE };

#define CAP_MOST 16384 /* mappings, twice RXMAP_MAX; and pieces that are held back */

static const struct braid_field fields[] = {
    BRAID_ANY(1, struct mp_subflow, id),
    BRAID_ANY(2, struct mp_subflow, ids.local_nonce),
    BRAID_ANY(3, struct mp_subflow, ids.remote_nonce),
    BRAID_ANY(4, struct mp_subflow, ids.local),
    BRAID_ANY(5, struct mp_subflow, ids.remote),
    BRAID_ANY(6, struct mp_subflow, quiet.data_ms),
    BRAID_ANY(7, struct mp_subflow, quiet.since_ms),
    BRAID_ANY(8, struct mp_subflow, quiet.bytes),
    BRAID_ANY(9, struct mp_subflow, quiet.asked),
    BRAID_ANY(10, struct mp_subflow, quiet.aside_times),
    BRAID_ANY(11, struct mp_subflow, quiet.aside_s),
    BRAID_ANY(12, struct mp_subflow, accounted.in),
    BRAID_ANY(26, struct mp_subflow, accounted.out),
    BRAID_ANY(13, struct mp_subflow, fail_dsn),
    BRAID_NUMBER(14, struct mp_subflow, sched.mark, INT64_MAX),
    BRAID_ANY(15, struct mp_subflow, sched.copy_nxt),
    BRAID_TIME(16, struct mp_subflow, sched.penalized_at),
    BRAID_TIME(17, struct mp_subflow, signal.at),
    BRAID_ANY(18, struct mp_subflow, signal.mark),
    BRAID_ANY(19, struct mp_subflow, signal.acks),
    BRAID_BOOL(20, struct mp_subflow, signal.now),
    BRAID_DUE(21, struct mp_subflow, closing.close_by),
    BRAID_DUE(22, struct mp_subflow, closing.answer_by),
    BRAID_ANY(23, struct mp_subflow, closing.rst_reason),
    BRAID_ANY(24, struct mp_subflow, closing.peer_rst),
    BRAID_NUMBER(25, struct mp_subflow, silence.patience, SILENT_PATIENCE_MAX),
    {0}};
#define flow_bits(X)                                                                                         \
    X(0, join)                                                                                               \
    X(1, confirmed) X(2, was_up) X(3, bare) X(4, echo_mp_capable) X(5, wished) X(6, fail_due)
FREEZE_BITS(flow_bits, struct mp_subflow)
#define backup_bits(X) X(0, peer) X(1, ours) X(2, due) X(3, aside)
FREEZE_BITS(backup_bits, struct flow_backup)
#define silence_bits(X) X(0, suspect) X(1, stale)
FREEZE_BITS(silence_bits, struct flow_silence)
#define closing_bits(X)                                                                                      \
    X(0, dead)                                                                                               \
    X(1, reset_due)                                                                                          \
    X(2, peer_rst_for_good) X(3, retired) X(4, bygone) X(5, announced_again) X(6, fin_came) X(7, awaits_fin)
FREEZE_BITS(closing_bits, struct flow_closing)

static const struct braid_field doubt_fields[] = {
    BRAID_TIME(1, struct flow_doubt, since),     BRAID_DUE(2, struct flow_doubt, next_probe),
    BRAID_TIME(3, struct flow_doubt, probed_at), BRAID_TIME(4, struct flow_doubt, patience_at),
    BRAID_TIME(5, struct flow_doubt, told_at),   {0}};

static const struct braid_field mapping_fields[] = {BRAID_NUMBER(1, struct rx_mapping, off, BRAID_MUCH),
                                                    BRAID_ANY(2, struct rx_mapping, dsn),
                                                    BRAID_ANY(3, struct rx_mapping, len),
                                                    BRAID_BOOL(4, struct rx_mapping, has_csum),
                                                    BRAID_ANY(5, struct rx_mapping, csum),
                                                    BRAID_ANY(6, struct rx_mapping, csum_len),
                                                    {0}};

/* ---- writing ---- */

static void freeze_rxmap(struct freezer *f, const struct rxmap *m)
{
    size_t g;
    if (m->known) {
        g = freeze_begin(f, MAPPINGS);
        freeze_number(f, MAPPINGS_CAP, m->known->cap);
        freeze_number(f, MAPPINGS_HEAD, m->known->head);
        for (unsigned i = 0; i < m->known->n; i++)
            freeze_struct(f, MAPPING, mapping_fields, &m->known->v[m->known->head + i]);
        freeze_end(f, g);
    }
    if (m->held) {
        g = freeze_begin(f, HELD);
        freeze_number(f, HELD_CAP, m->held->cap);
        freeze_number(f, HELD_SUM, m->held->sum);
        for (uint32_t i = 0; i < m->held->n; i++)
            freeze_slice(f, HELD_SLICE, &m->held->v[i]);
        freeze_end(f, g);
    }
}

static uint32_t sibling_of(const struct mp_subflow *s)
{
    each_flow (o, s->conn) {
        if (&o->tcp.cc == s->tcp.cc.group_next)
            return o->id;
    }
    return s->id;
}

void flow_freeze(const struct mp_subflow *s, struct freezer *f, unsigned tag)
{
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, LOCAL, addr_fields, &s->tcp.local);
    freeze_struct(f, REMOTE, addr_fields, &s->tcp.remote);
    freeze_struct(f, COMMON, fields, s);
    freeze_number(f, BITS, flow_bits_freeze(s));
    freeze_number(f, BACKUP, backup_bits_freeze(&s->backup));
    freeze_number(f, SILENCE, silence_bits_freeze(&s->silence));
    freeze_number(f, CLOSING_WHY, s->closing.why);
    freeze_number(f, CLOSING_BITS, closing_bits_freeze(&s->closing));
    if (s->doubt)
        freeze_struct(f, DOUBT, doubt_fields, s->doubt);
    freeze_number(f, SIBLING, sibling_of(s));
    freeze_rxmap(f, &s->rxmap);
    subflow_freeze(&s->tcp, f, TCP);
    freeze_end(f, all);
}

/* ---- reading ---- */

static void take_mapping(struct mp_subflow *s, const struct thaw_item *i)
{
    struct rx_mappings *k = s->rxmap.known;
    struct rx_mapping m = {.off = 0};
    if (!k || k->head + k->n >= k->cap) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    thaw_struct(i, mapping_fields, &m);
    const struct rx_mapping *last = k->n > 0 ? &k->v[k->head + k->n - 1] : NULL;
    if (m.len == 0 || (last && m.off < last->off + last->len))
        thaw_fail(i->all, THAW_WRONG);
    else
        k->v[k->head + k->n++] = m;
}

static void take_mappings(struct mp_subflow *s, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct rxmap *m = &s->rxmap;
    while (thaw_next(&t, &i)) {
        if (i.tag == MAPPINGS_CAP && !m->known) {
            uint16_t cap = (uint16_t)thaw_number(&i, CAP_MOST);
            if (cap < 2)
                thaw_fail(i.all, THAW_WRONG);
            else if (!rxmap_reserve(m, &s->conn->mem, cap))
                thaw_fail(i.all, THAW_MEMORY);
        } else if (i.tag == MAPPINGS_HEAD && m->known && m->known->n == 0) {
            m->known->head = (uint16_t)thaw_number(&i, m->known->cap);
        } else if (i.tag == MAPPING) {
            take_mapping(s, &i);
        } else {
            thaw_unknown(&i);
        }
    }
}

static void take_held(struct mp_subflow *s, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct rxmap *m = &s->rxmap;
    while (thaw_next(&t, &i)) {
        if (i.tag == HELD_CAP && !m->held) {
            if (!rxmap_reserve_held(m, &s->conn->mem, (uint32_t)thaw_number(&i, CAP_MOST)))
                thaw_fail(i.all, THAW_MEMORY);
        } else if (i.tag == HELD_SUM && m->held) {
            m->held->sum = thaw_number(&i, UINT64_MAX);
        } else if (i.tag == HELD_SLICE && m->held && m->held->n < m->held->cap) {
            struct slice piece = thaw_slice(&i);
            m->held->bytes += piece.len;
            if (piece.buf)
                m->held->v[m->held->n++] = piece;
        } else {
            thaw_unknown(&i);
        }
    }
    if (!m->held || m->held->n == 0)
        thaw_fail(group->all, THAW_WRONG);
}

static void take_doubt(struct mp_subflow *s, const struct thaw_item *i)
{
    if (flow_doubt_begin(s))
        thaw_struct(i, doubt_fields, s->doubt);
    else
        thaw_fail(i->all, THAW_MEMORY);
}

static void take(struct mp_subflow *s, const struct thaw_item *i, uint32_t *sibling)
{
    switch (i->tag) {
    case LOCAL:
    case REMOTE:
        break; /* read before */
    case COMMON:
        thaw_struct(i, fields, s);
        break;
    case BITS:
        flow_bits_thaw(s, thaw_number(i, 0x7f));
        break;
    case BACKUP:
        backup_bits_thaw(&s->backup, thaw_number(i, 0xf));
        break;
    case SILENCE:
        silence_bits_thaw(&s->silence, thaw_number(i, 3));
        break;
    case CLOSING_WHY:
        s->closing.why = (enum subflow_closed)thaw_number(i, SUBFLOW_CLOSED_LOCAL);
        break;
    case CLOSING_BITS:
        closing_bits_thaw(&s->closing, thaw_number(i, 0xff));
        break;
    case DOUBT:
        take_doubt(s, i);
        break;
    case SIBLING:
        *sibling = (uint32_t)thaw_number(i, UINT32_MAX);
        break;
    case MAPPINGS:
        take_mappings(s, i);
        break;
    case HELD:
        take_held(s, i);
        break;
    case TCP:
        subflow_thaw(&s->tcp, i);
        break;
    default:
        thaw_unknown(i);
    }
}

/* The 4-tuple first: with it the subflow is made. */
static struct mp_subflow *make(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct braid_addr local = {.port = 0}, remote = {.port = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == LOCAL)
            thaw_struct(&i, addr_fields, &local);
        else if (i.tag == REMOTE)
            thaw_struct(&i, addr_fields, &remote);
    }
    if (thaw_fine(group->all) && !ip_is_pair(&local.ip, &remote.ip))
        thaw_fail(group->all, THAW_WRONG);
    if (!thaw_fine(group->all))
        return NULL;
    struct mp_subflow *s = flow_new(c, &local, &remote);
    if (!s)
        thaw_fail(group->all, c->env->ops->flow_free(c->env, &local, &remote) ? THAW_MEMORY : THAW_TAKEN);
    return s;
}

static bool is_sound(const struct mp_subflow *s)
{
    bool read = s->tcp.cc.ops != NULL;
    bool alive = s->closing.dead || (s->tcp.state != TCP_STATE_CLOSED && s->tcp.state != TCP_STATE_TIME_WAIT);
    bool doubt = s->doubt || (!s->silence.suspect && s->silence.patience == 0);
    return read && alive && doubt;
}

struct mp_subflow *flow_thaw(struct braid_conn *c, const struct thaw_item *group, uint32_t *sibling)
{
    struct mp_subflow *s = make(c, group);
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    if (!s)
        return NULL;
    *sibling = 0;
    subflow_thaw_begin(&s->tcp);
    while (thaw_next(&t, &i))
        take(s, &i, sibling);
    if (thaw_fine(group->all) && !is_sound(s))
        thaw_fail(group->all, THAW_WRONG);
    return thaw_fine(group->all) ? s : NULL;
}
