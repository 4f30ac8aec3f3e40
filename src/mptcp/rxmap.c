/* Mappings received on one subflow (RFC 8684 section 3.3.1). A sorted array: in the usual case it holds one
 * or two entries, since payload comes in the order of the subflow and uses up mappings from the front. All
 * comparisons are between offsets of the subflow; data sequence numbers are only carried along, and may be
 * absurd. */
#include "mptcp/rxmap.h"

#include <stdlib.h>
#include <string.h>

#include "wire/checksum.h"

#define FEW 8 /* mappings that a subflow may have however little memory is left */

static uint64_t mapping_end(const struct rx_mapping *m)
{
    return m->off + m->len;
}

/* How many there are. */
static uint32_t count(const struct rxmap *m)
{
    return m->known ? m->known->n : 0;
}

/* The mapping number i of them, from the front. */
static struct rx_mapping *mapping_at(const struct rxmap *m, uint32_t i)
{
    return &m->known->v[m->known->head + i];
}

/* The number of the first mapping that ends after off; of all, if none does. */
static uint32_t first_after(const struct rxmap *m, uint64_t off)
{
    uint32_t lo = 0, hi = count(m);
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (mapping_end(mapping_at(m, mid)) > off)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static size_t size_of(uint32_t cap)
{
    return sizeof(struct rx_mappings) + cap * sizeof(struct rx_mapping);
}

/* What so many mappings are charged; 0 for none. */
static size_t cost(uint32_t cap)
{
    return cap ? mem_cost(size_of(cap)) : 0;
}

/* Makes place for one entry at the end. What is used up in front is taken back once it is half of the array,
 * so that an entry is moved a few times at most. */
static bool make_room(struct rxmap *m, struct mem_account *account)
{
    struct rx_mappings *k = m->known;
    uint32_t old = k ? k->cap : 0, cap = k ? old * 2 : 2;

    if (k && k->head + k->n < old)
        return true;
    if (k && k->head > 0 && k->head >= old / 2) {
        memmove(k->v, k->v + k->head, k->n * sizeof(*k->v));
        k->head = 0;
        return true;
    }
    size_t more = cost(cap) - cost(old);
    /* A subflow without a place for its mapping is reset: the usual few do not fail for want of memory. */
    bool room = cap <= FEW || mem_room(account) >= more;
    k = room ? realloc(k, size_of(cap)) : NULL;
    if (!k)
        return false;
    if (!m->known)
        *k = (struct rx_mappings){.account = account};
    mem_take(account, more);
    k->cap = (uint16_t)cap;
    m->known = k;
    return true;
}

bool rxmap_reserve(struct rxmap *m, struct mem_account *account, uint16_t cap)
{
    struct rx_mappings *k = malloc(size_of(cap));
    if (!k)
        return false;
    *k = (struct rx_mappings){.account = account, .cap = cap};
    mem_take(account, cost(cap));
    m->known = k;
    return true;
}

/* Held payload is apart, and may outlive its mapping. */
static void free_mappings(struct rxmap *m)
{
    if (!m->known)
        return;
    mem_give(m->known->account, cost(m->known->cap));
    free(m->known);
    m->known = NULL;
}

/* Inserts piece before number i, or grows the mapping in front of it: so a bulk transfer, one mapping behind
 * the other, needs one entry. Each mapping with a checksum is verified by itself and stays apart. False:
 * there are too many, or memory is short. */
static bool insert(struct rxmap *m, struct mem_account *account, uint32_t i, const struct rx_mapping *piece)
{
    if (i > 0 && !piece->has_csum) {
        struct rx_mapping *prev = mapping_at(m, i - 1);
        if (!prev->has_csum && mapping_end(prev) == piece->off && prev->dsn + prev->len == piece->dsn &&
            prev->len <= UINT32_MAX - piece->len) {
            prev->len += piece->len;
            return true;
        }
    }
    if (count(m) >= RXMAP_MAX || !make_room(m, account))
        return false;
    struct rx_mapping *at = mapping_at(m, i);
    memmove(at + 1, at, (m->known->n - i) * sizeof(*at));
    *at = *piece;
    m->known->n++;
    return true;
}

/* True if both mappings, wherever they begin and end, give one offset the same data sequence number.
 * Differences modulo 2^64, as numbers may be anything. */
static bool same_place(const struct rx_mapping *a, const struct rx_mapping *b)
{
    return a->off - a->dsn == b->off - b->dsn;
}

/* A mapping with a checksum is all or nothing: the sum covers the whole of it, so that no part can be used
 * for itself, and pieces of it cannot fill gaps between others. */
static enum rxmap_status add_checksummed(struct rxmap *m, struct mem_account *account,
                                         const struct rx_mapping *n, uint64_t rcv_nxt)
{
    uint32_t i = first_after(m, n->off);
    /* it overlaps a known one: a repetition, as on each segment of the mapping, is equal in all */
    if (i < count(m) && mapping_at(m, i)->off < mapping_end(n)) {
        const struct rx_mapping *old = mapping_at(m, i);
        return old->off == n->off && old->len == n->len && same_place(old, n) && old->csum == n->csum
                   ? RXMAP_DUPLICATE
                   : RXMAP_CONFLICT;
    }
    /* Its first bytes have been delivered by what another mapping said of them: nothing is left to verify.
     * But they may be held back for it (syn_data_hold). */
    if (n->off < rcv_nxt && !(m->held && n->off + m->held->bytes == rcv_nxt))
        return RXMAP_DUPLICATE;
    return insert(m, account, i, n) ? RXMAP_OK : RXMAP_FULL;
}

enum rxmap_status rxmap_add(struct rxmap *m, struct mem_account *account, const struct rx_mapping *new_map,
                            uint64_t rcv_nxt)
{
    struct rx_mapping n = *new_map;
    uint64_t end = mapping_end(&n);
    if (end <= rcv_nxt)
        return RXMAP_DUPLICATE;
    if (n.has_csum)
        return add_checksummed(m, account, &n, rcv_nxt);
    /* The payload in front has been delivered: of that whatever was said first holds. */
    if (n.off < rcv_nxt) {
        n.dsn += rcv_nxt - n.off;
        n.off = rcv_nxt;
    }
    /* The new mapping goes into the gaps between what is known, piece by piece. Peers repeat a mapping on
     * each of its segments, so nearly always there is no gap. What precedes a contradiction is kept. */
    enum rxmap_status status = RXMAP_DUPLICATE;
    uint32_t i = first_after(m, n.off);
    while (n.off < end) {
        const struct rx_mapping *old = i < count(m) ? mapping_at(m, i) : NULL;
        if (old && old->off <= n.off) {
            if (!same_place(old, &n))
                return RXMAP_CONFLICT;
            uint64_t next = mapping_end(old);
            n.dsn += next - n.off;
            n.off = next;
            i++;
            continue;
        }
        uint64_t stop = old && old->off < end ? old->off : end;
        n.len = (uint32_t)(stop - n.off);
        if (!insert(m, account, i, &n))
            return RXMAP_FULL;
        status = RXMAP_OK;
        n.dsn += n.len;
        n.off = stop;
        /* insert may have merged or moved entries */
        i = first_after(m, n.off);
    }
    return status;
}

/* Each entry is passed over once, so that a search costs nothing beside the payload. Offsets asked for never
 * go back. A mapping that begins behind off does not cover it: that payload has none (data_in.c). */
struct rx_mapping *rxmap_find(struct rxmap *m, uint64_t off)
{
    struct rx_mappings *k = m->known;

    while (count(m) > 0 && mapping_end(mapping_at(m, 0)) <= off) {
        k->head++;
        k->n--;
    }
    if (count(m) > 0)
        return mapping_at(m, 0)->off <= off ? mapping_at(m, 0) : NULL;
    if (k)
        k->head = 0;
    return NULL;
}

/* An idle subflow keeps no array. */
void rxmap_trim(struct rxmap *m, uint64_t rcv_nxt)
{
    if (m->known && !rxmap_find(m, rcv_nxt) && count(m) == 0)
        free_mappings(m);
}

static size_t held_cost(uint32_t cap)
{
    return cap ? mem_cost(sizeof(struct rx_held) + cap * sizeof(struct slice)) : 0;
}

bool rxmap_reserve_held(struct rxmap *m, struct mem_account *account, uint32_t cap)
{
    struct rx_held *h = malloc(sizeof(*h) + cap * sizeof(struct slice));
    if (!h)
        return false;
    *h = (struct rx_held){.account = account, .cap = cap};
    mem_take(account, held_cost(cap));
    m->held = h;
    return true;
}

/* Room for one more. NULL: memory is short, and what is held stays as it was. */
static struct rx_held *held_room(struct rxmap *m, struct mem_account *account)
{
    struct rx_held *h = m->held;
    if (h && h->n < h->cap)
        return h;
    uint32_t old = h ? h->cap : 0, cap = h ? old * 2 : 4;
    h = realloc(h, sizeof(*h) + cap * sizeof(struct slice));
    if (!h)
        return NULL;
    if (!m->held)
        *h = (struct rx_held){.account = account};
    mem_take(account, held_cost(cap) - held_cost(old));
    h->cap = cap;
    return m->held = h;
}

/* Pieces come in the order of the subflow, from the first byte of the mapping on. */
int rxmap_hold(struct rxmap *m, struct mem_account *account, const struct slice *s)
{
    struct rx_held *h = held_room(m, account);
    if (!h)
        return -1;
    /* Where the piece lies in the mapping matters: at odd offsets the halves of its 16-bit words change
     * places. */
    h->sum = checksum_add_at(h->sum, s->data, s->len, h->bytes);
    h->bytes += s->len;
    h->v[h->n++] = *s;
    return 0;
}

/* The caller owns it now, and the references of its slices. */
struct rx_held *rxmap_take_held(struct rxmap *m)
{
    struct rx_held *h = m->held;
    m->held = NULL;
    return h;
}

void rxmap_held_free(struct rx_held *h)
{
    if (h)
        mem_give(h->account, held_cost(h->cap));
    free(h);
}

void rxmap_drop_held(struct rxmap *m)
{
    struct rx_held *h = rxmap_take_held(m);
    for (uint32_t i = 0; h && i < h->n; i++)
        slice_drop(&h->v[i]);
    rxmap_held_free(h);
}

void rxmap_free(struct rxmap *m)
{
    rxmap_drop_held(m);
    free_mappings(m);
}
