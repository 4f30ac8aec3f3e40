/* The packets that are incomplete: what they take, how long they stay, and who makes way. */
#include "core/incomplete.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

#define PATIENCE     (5 * BRAID_SECOND) /* TCP sends again sooner, and identifications come round (RFC 4963) */
#define SOURCE_SHARE 8                  /* one source, and those that share its place, get an eighth */

static uint64_t hash_of(const struct reassembly *r, const struct wire_fragment *f)
{
    uint8_t key[37];

    memcpy(key, f->src.b, 16);
    memcpy(key + 16, f->dst.b, 16);
    put32(key + 32, f->id);
    key[36] = f->protocol;
    return siphash(r->key, key, sizeof(key));
}

struct incomplete *incomplete_find(const struct reassembly *r, const struct wire_fragment *f)
{
    uint64_t hash = hash_of(r, f);

    for (struct hnode *n = htable_first(&r->table, hash); n; n = htable_next(n)) {
        struct incomplete *p = list_entry(n, struct incomplete, hash);

        if (p->id == f->id && p->protocol == f->protocol && ip_equal(&p->src, &f->src) &&
            ip_equal(&p->dst, &f->dst))
            return p;
    }
    return NULL;
}

/* ---- what they take ---- */

size_t incomplete_piece_cost(uint16_t len)
{
    return mem_cost(sizeof(struct piece) + len);
}

/* The sums of the source and of all have limits; that of p shows that all of it is given back. */
void incomplete_charge(struct reassembly *r, struct incomplete *p, size_t bytes)
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
        discharge(r, p, incomplete_piece_cost(first->len));
        free(first);
    }
    p->n_pieces = 0;
}

void incomplete_forget(struct reassembly *r, struct incomplete *p)
{
    drop_pieces(r, p);
    discharge(r, p, mem_cost(sizeof(*p)));
    assert(p->used == 0);
    htable_remove(&r->table, &p->hash);
    list_remove(&p->node);
    list_remove(&p->of_source);
    free(p);
}

void incomplete_fail(struct reassembly *r, struct incomplete *p)
{
    if (!p->spoilt)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    incomplete_forget(r, p);
}

bool incomplete_make_room(struct reassembly *r, struct reassembly_source *s, size_t bytes,
                          const struct incomplete *keep)
{
    /* the share of the source first, so that nobody's packets make way for those of a flood */
    while (s->used + bytes > r->limit / SOURCE_SHARE) {
        struct incomplete *p =
            list_empty(&s->packets) ? NULL : list_entry(s->packets.next, struct incomplete, of_source);

        if (!p || p == keep)
            return false;
        incomplete_fail(r, p);
    }
    while (r->used + bytes > r->limit || mem_room(r->account) < bytes) {
        struct incomplete *p =
            list_empty(&r->oldest) ? NULL : list_entry(r->oldest.next, struct incomplete, node);

        if (!p || p == keep)
            return false;
        incomplete_fail(r, p);
    }
    return true;
}

/* ---- time ---- */

void incomplete_arm(struct reassembly *r)
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
        incomplete_fail(r, p);
    }
    incomplete_arm(r);
}

/* ---- coming and going of packets ---- */

struct incomplete *incomplete_begin(struct reassembly *r, const struct wire_fragment *f, braid_time now)
{
    struct reassembly_source *s =
        &r->sources[siphash(r->key, f->src.b, sizeof(f->src.b)) % REASSEMBLY_SOURCES];
    struct incomplete *p =
        incomplete_make_room(r, s, mem_cost(sizeof(*p)), NULL) ? calloc(1, sizeof(*p)) : NULL;

    if (!p)
        return NULL;
    p->source = s;
    p->src = f->src;
    p->dst = f->dst;
    p->id = f->id;
    p->protocol = f->protocol;
    /* from the first fragment on, and the same for all: the list by age needs no sorting */
    p->until = now + PATIENCE;
    incomplete_charge(r, p, mem_cost(sizeof(*p)));
    htable_insert(&r->table, &p->hash, hash_of(r, f));
    list_append(&r->oldest, &p->node);
    list_append(&s->packets, &p->of_source);
    return p;
}

void incomplete_spoil(struct reassembly *r, struct incomplete *p)
{
    if (!p->spoilt)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    p->spoilt = true;
    drop_pieces(r, p);
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
        incomplete_forget(r, list_entry(r->oldest.next, struct incomplete, node));
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
