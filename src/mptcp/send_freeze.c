/* The send buffer and the mappings in flight as state: see send_freeze.h. Their buffers are written once,
 * with the connection (buf_table.h). Which chunk new data is in is looked for again. */
#include "mptcp/send_freeze.h"

#include "base/buf_table.h"
#include "mptcp/conn.h"

enum { COMMON = 1, BITS, CHUNK, REINJECT_CAP, REINJECT, REINJECT_COST };
enum { CHUNK_DSN = 1, CHUNK_SLICE };
enum { MAP_FIELDS = 1, MAP_N, MAP_SLICE };

#define SLICES_MOST 64
#define CAP_MOST    (1u << 20) /* ranges */

static const struct braid_field fields[] = {BRAID_NUMBER(1, struct conn_send, una, BRAID_MUCH),
                                            BRAID_NUMBER(2, struct conn_send, nxt, BRAID_MUCH),
                                            BRAID_NUMBER(3, struct conn_send, end, BRAID_MUCH),
                                            BRAID_ANY(4, struct conn_send, edge),
                                            BRAID_NUMBER(5, struct conn_send, sndbuf, BRAID_MUCH),
                                            BRAID_TIME(6, struct conn_send, news_at),
                                            BRAID_ANY(7, struct conn_send, blocks),
                                            BRAID_ANY(8, struct conn_send, backoff),
                                            BRAID_BOOL(9, struct conn_send, blocked),
                                            BRAID_BOOL(10, struct conn_send, shutdown),
                                            BRAID_BOOL(11, struct conn_send, fin_sent),
                                            BRAID_BOOL(12, struct conn_send, fin_acked),
                                            BRAID_BOOL(13, struct conn_send, want_writable),
                                            BRAID_BOOL(14, struct conn_send, starved),
                                            {0}};
#define send_bits(X) X(0, repeat_said) X(1, repeat)
FREEZE_BITS(send_bits, struct conn_send)

static const struct braid_field range_fields[] = {
    BRAID_ANY(1, struct range, start), BRAID_ANY(2, struct range, end), {0}};

static const struct braid_field map_fields[] = {BRAID_NUMBER(1, struct mp_map, dsn, BRAID_MUCH),
                                                BRAID_ANY(2, struct mp_map, sum),
                                                BRAID_TIME(3, struct mp_map, sent_at),
                                                BRAID_NUMBER(4, struct mp_map, rescued, UINT16_MAX),
                                                BRAID_BOOL(5, struct mp_map, infinite),
                                                BRAID_BOOL(6, struct mp_map, fin),
                                                {0}};

static void freeze_chunk(struct freezer *f, const struct send_chunk *k)
{
    const struct slice s = {.buf = k->buf, .data = k->buf->data + k->at, .len = k->len};
    if (k->len == 0)
        return; /* reserved */
    size_t g = freeze_begin(f, CHUNK);
    freeze_number(f, CHUNK_DSN, k->dsn);
    freeze_slice(f, CHUNK_SLICE, &s);
    freeze_end(f, g);
}

void conn_freeze_send(const struct braid_conn *c, struct freezer *f, unsigned tag)
{
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, COMMON, fields, &c->send);
    freeze_number(f, BITS, send_bits_freeze(&c->send));
    for (const struct list *n = c->send.chunks.next; n != &c->send.chunks; n = n->next)
        freeze_chunk(f, list_entry(n, struct send_chunk, node));
    if (c->send.reinject.cap > 0)
        freeze_number(f, REINJECT_CAP, c->send.reinject.cap);
    for (uint32_t i = 0; i < c->send.reinject.n; i++)
        freeze_struct(f, REINJECT, range_fields, &c->send.reinject.r[i]);
    /* which may be late: it is brought up to date with the next change */
    freeze_number(f, REINJECT_COST, c->send.reinject_cost);
    freeze_end(f, all);
}

/* The buffer of a chunk is charged to its connection, and of all that a state names nothing else looks into
 * it but mappings, which are read later: whoever has two of them pays for both. */
static bool may_be_a_chunks(const struct braid_conn *c, const struct buf *b)
{
    return b->refs == 2 && b->account == &c->mem; /* the table's and the slice's */
}

static void take_chunk(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct slice s = {0};
    struct send_chunk k = {.len = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == CHUNK_DSN)
            k.dsn = thaw_number(&i, UINT64_MAX); /* before DATA_FIRST, if some went with a SYN */
        else if (i.tag == CHUNK_SLICE && !s.buf)
            s = thaw_slice(&i);
        else
            thaw_unknown(&i);
    }
    if (!s.buf) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    if (!may_be_a_chunks(c, s.buf))
        thaw_fail(group->all, THAW_WRONG);
    k.buf = s.buf;
    k.at = (uint32_t)(s.data - s.buf->data);
    k.len = s.len;
    if (thaw_fine(group->all) && !conn_chunk_append(c, &k))
        thaw_fail(group->all, THAW_MEMORY);
    if (!thaw_fine(group->all))
        slice_drop(&s);
}

static void take_reinject(struct braid_conn *c, const struct thaw_item *i)
{
    struct ranges *r = &c->send.reinject;
    if (r->n >= r->cap) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    struct range *to = &r->r[r->n];
    *to = (struct range){0};
    thaw_struct(i, range_fields, to);
    if (to->start >= to->end || (r->n > 0 && to->start <= r->r[r->n - 1].end))
        thaw_fail(i->all, THAW_WRONG);
    else
        r->n++;
}

static void reserve_reinject(struct braid_conn *c, const struct thaw_item *i)
{
    uint32_t cap = (uint32_t)thaw_number(i, CAP_MOST);
    if (cap == 0 || c->send.reinject.cap > 0)
        thaw_fail(i->all, THAW_WRONG);
    else if (ranges_reserve(&c->send.reinject, cap) < 0)
        thaw_fail(i->all, THAW_MEMORY);
}

static void take_reinject_cost(struct braid_conn *c, const struct thaw_item *i)
{
    mem_give(&c->mem, c->send.reinject_cost);
    c->send.reinject_cost = (uint32_t)thaw_number(i, CAP_MOST * 2 * sizeof(struct range));
    mem_take(&c->mem, c->send.reinject_cost);
}

void conn_thaw_send(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    if (!list_empty(&c->send.chunks)) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == COMMON)
            thaw_struct(&i, fields, &c->send);
        else if (i.tag == BITS)
            send_bits_thaw(&c->send, thaw_number(&i, 3));
        else if (i.tag == CHUNK)
            take_chunk(c, &i);
        else if (i.tag == REINJECT_CAP)
            reserve_reinject(c, &i);
        else if (i.tag == REINJECT_COST)
            take_reinject_cost(c, &i);
        else if (i.tag == REINJECT)
            take_reinject(c, &i);
        else
            thaw_unknown(&i);
    }
}

/* ---- mappings ---- */

void flow_map_freeze(const struct subflow *sf, const struct tcp_map *t, struct freezer *f)
{
    const struct mp_map *m = (const struct mp_map *)t;
    (void)sf;
    freeze_struct(f, MAP_FIELDS, map_fields, m);
    freeze_number(f, MAP_N, t->n_slices);
    for (uint32_t i = 0; i < t->n_slices; i++)
        freeze_slice(f, MAP_SLICE, &t->slices[i]);
}

static struct mp_map *make_map(struct braid_conn *c, const struct thaw_item *i)
{
    uint32_t n = (uint32_t)thaw_number(i, SLICES_MOST);
    struct mp_map *m = n > 0 ? conn_map_alloc(c, n) : NULL;
    if (!m)
        thaw_fail(i->all, n > 0 ? THAW_MEMORY : THAW_WRONG);
    else
        list_init(&m->tcp.node);
    return m;
}

struct tcp_map *flow_map_thaw(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct mp_map *m = NULL, common = {.dsn = 0};
    uint32_t n = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == MAP_FIELDS)
            thaw_struct(&i, map_fields, &common);
        else if (i.tag == MAP_N && !m)
            m = make_map(mp_subflow_of(sf)->conn, &i);
        else if (i.tag == MAP_SLICE && m && n < m->tcp.n_slices)
            m->slices[n++] = thaw_slice(&i);
        else
            thaw_unknown(&i);
    }
    if (!m)
        return NULL;
    if (n != m->tcp.n_slices)
        thaw_fail(group->all, THAW_WRONG);
    m->dsn = common.dsn;
    m->sum = common.sum;
    m->sent_at = common.sent_at;
    m->rescued = common.rescued;
    m->infinite = common.infinite;
    m->fin = common.fin;
    return &m->tcp;
}
