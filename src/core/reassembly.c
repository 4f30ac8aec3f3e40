/* Incomplete packets, found by addresses, identification and protocol, each with its pieces in the order of
 * their offsets. When room is short the oldest make way, those of the same source first: who floods takes the
 * place of his own, and an honest packet, whose fragments follow each other closely, gets through. */
#include "core/reassembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#define PIECES_MAX   64                 /* of a packet */
#define PATIENCE     (5 * BRAID_SECOND) /* TCP sends again sooner, and identifications come round (RFC 4963) */
#define SOURCE_SHARE 8                  /* one source, and those that share its place, get an eighth */

struct piece {
    struct piece *next;
    uint16_t offset, len;
    uint8_t data[];
};

struct incomplete {
    struct hnode hash;
    struct list node, of_source;
    struct reassembly_source *source;
    struct braid_ip src, dst;
    uint32_t id;
    uint8_t protocol;
    bool spoilt;   /* all that still comes of it is thrown away */
    bool has_last; /* total is known */
    uint16_t total, got, largest;
    unsigned n_pieces;
    struct piece *pieces;
    size_t used;
    braid_time until;
    struct wire_fragment first; /* header: copied below; only if has_first */
    bool has_first;
    uint8_t header[FRAGMENT_HEADER_MAX];
};

static uint64_t hash_of(const struct reassembly *r, const struct wire_fragment *f)
{
    uint8_t key[37];

    memcpy(key, f->src.b, 16);
    memcpy(key + 16, f->dst.b, 16);
    put32(key + 32, f->id);
    key[36] = f->protocol;
    return siphash(r->key, key, sizeof(key));
}

static struct incomplete *find(const struct reassembly *r, const struct wire_fragment *f, uint64_t hash)
{
    for (struct hnode *n = htable_first(&r->table, hash); n; n = htable_next(n)) {
        struct incomplete *p = list_entry(n, struct incomplete, hash);

        if (p->id == f->id && p->protocol == f->protocol && ip_equal(&p->src, &f->src) &&
            ip_equal(&p->dst, &f->dst))
            return p;
    }
    return NULL;
}

/* ---- what they take ---- */

static size_t piece_cost(uint16_t len)
{
    return mem_cost(sizeof(struct piece) + len);
}

static void charge(struct reassembly *r, struct incomplete *p, size_t bytes)
{
    p->used += bytes;
    p->source->used += bytes;
    r->used += bytes;
    mem_take(r->account, bytes);
}

static void discharge(struct reassembly *r, struct incomplete *p, size_t bytes)
{
    p->used -= bytes;
    p->source->used -= bytes;
    r->used -= bytes;
    mem_give(r->account, bytes);
}

static void drop_pieces(struct reassembly *r, struct incomplete *p)
{
    while (p->pieces) {
        struct piece *first = p->pieces;

        p->pieces = first->next;
        discharge(r, p, piece_cost(first->len));
        free(first);
    }
    p->n_pieces = 0;
}

static void forget(struct reassembly *r, struct incomplete *p)
{
    drop_pieces(r, p);
    discharge(r, p, mem_cost(sizeof(*p)));
    assert(p->used == 0);
    htable_remove(&r->table, &p->hash);
    list_remove(&p->node);
    list_remove(&p->of_source);
    free(p);
}

static void fail(struct reassembly *r, struct incomplete *p)
{
    if (!p->spoilt)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    forget(r, p);
}

/* Makes room for that many bytes of one source. False: there is none. `keep` stays. */
static bool make_room(struct reassembly *r, struct reassembly_source *s, size_t bytes,
                      const struct incomplete *keep)
{
    while (s->used + bytes > r->limit / SOURCE_SHARE) {
        struct incomplete *p =
            list_empty(&s->packets) ? NULL : list_entry(s->packets.next, struct incomplete, of_source);

        if (!p || p == keep)
            return false;
        fail(r, p);
    }
    while (r->used + bytes > r->limit || mem_room(r->account) < bytes) {
        struct incomplete *p =
            list_empty(&r->oldest) ? NULL : list_entry(r->oldest.next, struct incomplete, node);

        if (!p || p == keep)
            return false;
        fail(r, p);
    }
    return true;
}

/* ---- time ---- */

static void arm(struct reassembly *r)
{
    if (list_empty(&r->oldest))
        wheel_cancel(r->wheel, &r->timer);
    else
        wheel_arm(r->wheel, &r->timer, list_entry(r->oldest.next, struct incomplete, node)->until);
}

static void expire(struct timer *t, braid_time now)
{
    struct reassembly *r = list_entry(t, struct reassembly, timer);

    while (!list_empty(&r->oldest)) {
        struct incomplete *p = list_entry(r->oldest.next, struct incomplete, node);

        if (p->until > now)
            break;
        fail(r, p);
    }
    arm(r);
}

/* ---- pieces ---- */

static struct incomplete *begin(struct reassembly *r, const struct wire_fragment *f, uint64_t hash,
                                braid_time now)
{
    struct reassembly_source *s =
        &r->sources[siphash(r->key, f->src.b, sizeof(f->src.b)) % REASSEMBLY_SOURCES];
    struct incomplete *p = make_room(r, s, mem_cost(sizeof(*p)), NULL) ? calloc(1, sizeof(*p)) : NULL;

    if (!p)
        return NULL;
    p->source = s;
    p->src = f->src;
    p->dst = f->dst;
    p->id = f->id;
    p->protocol = f->protocol;
    p->until = now + PATIENCE;
    charge(r, p, mem_cost(sizeof(*p)));
    htable_insert(&r->table, &p->hash, hash);
    list_append(&r->oldest, &p->node);
    list_append(&s->packets, &p->of_source);
    return p;
}

/* It stays, without its pieces, so that the rest of it is recognized. */
static void spoil(struct reassembly *r, struct incomplete *p)
{
    if (!p->spoilt)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    p->spoilt = true;
    drop_pieces(r, p);
}

/* The link where f belongs; *wrong: it overlaps a piece. NULL without that: it is there already. */
static struct piece **place(struct incomplete *p, const struct wire_fragment *f, bool *wrong)
{
    struct piece **at = &p->pieces;

    while (*at && (*at)->offset + (*at)->len <= f->offset)
        at = &(*at)->next;
    *wrong = *at && (*at)->offset < f->offset + f->len;
    if (!*wrong)
        return at;
    if ((*at)->offset == f->offset && (*at)->len == f->len && memcmp((*at)->data, f->data, f->len) == 0)
        *wrong = false;
    return NULL;
}

/* Whether f and what is known of the whole agree about where it ends. */
static bool ends_agree(const struct incomplete *p, const struct wire_fragment *f)
{
    unsigned end = f->offset + f->len;

    if (p->has_last && (f->more ? end >= p->total : end != p->total))
        return false;
    if (f->more || p->has_last)
        return true;
    for (const struct piece *q = p->pieces; q; q = q->next) {
        if (q->offset + q->len > end)
            return false;
    }
    return true;
}

/* The TCP header must be in the first fragment, as filters expect it (RFC 3128, RFC 7112). */
static bool hides_header(const struct wire_fragment *f)
{
    return f->offset == 0 ? f->len < TCP_HEADER_MIN : f->offset < TCP_HEADER_MIN;
}

static int add(struct reassembly *r, struct incomplete *p, const struct wire_fragment *f)
{
    bool wrong;
    struct piece **at = place(p, f, &wrong);

    if (wrong || !ends_agree(p, f) || hides_header(f) || (at && p->n_pieces == PIECES_MAX)) {
        spoil(r, p);
        return 0;
    }
    if (!at)
        return 0;
    size_t cost = piece_cost(f->len);
    struct piece *q = make_room(r, p->source, cost, p) ? malloc(sizeof(*q) + f->len) : NULL;
    if (!q)
        return -1;
    charge(r, p, cost);
    *q = (struct piece){.next = *at, .offset = f->offset, .len = f->len};
    memcpy(q->data, f->data, f->len);
    *at = q;
    p->n_pieces++;
    p->got = (uint16_t)(p->got + f->len);
    p->largest = f->size > p->largest ? f->size : p->largest;
    if (!f->more) {
        p->has_last = true;
        p->total = (uint16_t)(f->offset + f->len);
    }
    if (f->offset == 0) {
        p->first = *f;
        p->first.data = NULL;
        memcpy(p->header, f->header, f->header_len);
        p->first.header = p->header;
        p->has_first = true;
    }
    return 0;
}

static bool whole(const struct incomplete *p)
{
    return !p->spoilt && p->has_first && p->has_last && p->got == p->total;
}

/* A buffer for the whole, with its header in it. NULL: it would be too long, or memory is short. */
static struct buf *new_whole(const struct wire_fragment *first, unsigned len, unsigned largest,
                             struct reassembled *out)
{
    unsigned at = first->header_len;
    struct buf *b = at + len <= UINT16_MAX ? buf_new(at + len, NULL) : NULL;

    if (!b)
        return NULL;
    fragment_header_of_whole(first, (uint16_t)len, b->data);
    *out = (struct reassembled){.buf = b, .id = first->id, .largest = (uint16_t)largest};
    return b;
}

static bool put_together(struct reassembly *r, struct incomplete *p, struct reassembled *out)
{
    struct buf *b = new_whole(&p->first, p->total, p->largest, out);

    if (!b) {
        fail(r, p);
        return false;
    }
    for (const struct piece *q = p->pieces; q; q = q->next)
        memcpy(b->data + p->first.header_len + q->offset, q->data, q->len);
    r->count->v[COUNT_IP_REASM_OKS]++;
    forget(r, p);
    return true;
}

/* The only fragment of its packet concerns no others, whatever their identification (RFC 6946). */
static bool put_alone(struct reassembly *r, const struct wire_fragment *f, struct reassembled *out)
{
    struct buf *b = hides_header(f) ? NULL : new_whole(f, f->len, f->size, out);

    r->count->v[b ? COUNT_IP_REASM_OKS : COUNT_IP_REASM_FAILS]++;
    if (b)
        memcpy(b->data + f->header_len, f->data, f->len);
    return b;
}

bool reassembly_input(struct reassembly *r, const struct wire_fragment *f, braid_time now,
                      struct reassembled *out)
{
    uint64_t hash = hash_of(r, f);
    struct incomplete *p;
    bool done = false;

    r->count->v[COUNT_IP_REASM_REQDS]++;
    if (f->offset == 0 && !f->more)
        return put_alone(r, f, out);
    p = find(r, f, hash);
    if (!p)
        p = begin(r, f, hash, now);
    if (!p)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    else if (!p->spoilt && add(r, p, f) < 0)
        fail(r, p);
    else if (whole(p))
        done = put_together(r, p, out);
    arm(r);
    return done;
}

/* ---- life ---- */

void reassembly_init(struct reassembly *r, size_t limit, const struct siphash_key *key, struct wheel *wheel,
                     struct mem_account *account, struct braid_counters *count)
{
    r->key = key;
    r->wheel = wheel;
    r->account = account;
    r->count = count;
    r->used = 0;
    r->limit = limit;
    list_init(&r->oldest);
    timer_init(&r->timer, expire);
    for (unsigned i = 0; i < REASSEMBLY_SOURCES; i++) {
        list_init(&r->sources[i].packets);
        r->sources[i].used = 0;
    }
}

void reassembly_free(struct reassembly *r)
{
    while (!list_empty(&r->oldest))
        forget(r, list_entry(r->oldest.next, struct incomplete, node));
    wheel_cancel(r->wheel, &r->timer);
}

void reassembly_check(const struct reassembly *r)
{
    size_t used = 0, n = 0;

    for (const struct list *l = r->oldest.next; l != &r->oldest; l = l->next, n++) {
        const struct incomplete *p = list_entry(l, struct incomplete, node);
        unsigned end = 0, got = 0;

        for (const struct piece *q = p->pieces; q; q = q->next) {
            assert(q->offset >= end);
            end = q->offset + q->len;
            got += q->len;
        }
        assert(p->spoilt || got == p->got);
        assert(!p->has_last || end <= p->total);
        used += p->used;
    }
    assert(used == r->used && used <= r->limit && n == r->table.count);
    assert((r->timer.at == BRAID_NEVER) == (n == 0));
}
