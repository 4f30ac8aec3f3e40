/* Each kind has its own share: plain servers, of which there are many, do not drive out the others. */
#include <assert.h>
#include <stdlib.h>
#include "base/freeze.h"
#include "base/recent.h"
#include "base/thaw.h"
#include "role/bypass.h"

struct known {
    struct recent_entry entry;
    braid_time until;
    uint64_t passed;
};

struct bypass {
    struct recent plain, mptcp;
};

struct bypass *bypass_new(const struct siphash_key *key, size_t max)
{
    struct bypass *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    if (recent_init(&b->plain, key, max) < 0) {
        free(b);
        return NULL;
    }
    if (recent_init(&b->mptcp, key, max) < 0) {
        recent_free(&b->plain);
        free(b);
        return NULL;
    }
    return b;
}

void bypass_free(struct bypass *b)
{
    if (!b)
        return;
    recent_free(&b->plain);
    recent_free(&b->mptcp);
    free(b);
}

static struct recent_key key_of(unsigned edge, const struct braid_addr *addr)
{
    return (struct recent_key){.ip = addr->ip, .owner = edge, .port = addr->port};
}

static struct known *find(const struct recent *r, const struct recent_key *key)
{
    return (struct known *)recent_find(r, key);
}

enum bypass_kind bypass_find(const struct bypass *b, unsigned edge, const struct braid_addr *addr,
                             braid_time now)
{
    const struct recent_key key = key_of(edge, addr);
    const struct known *mptcp = find(&b->mptcp, &key), *plain = find(&b->plain, &key);
    if (mptcp && mptcp->until > now)
        return BYPASS_MPTCP;
    return plain && plain->until > now ? BYPASS_PLAIN : BYPASS_UNKNOWN;
}

void bypass_learn(struct bypass *b, unsigned edge, const struct braid_addr *addr, enum bypass_kind kind,
                  braid_time until, braid_time now)
{
    assert(kind != BYPASS_UNKNOWN);
    const struct recent_key key = key_of(edge, addr);
    struct recent *into = kind == BYPASS_MPTCP ? &b->mptcp : &b->plain;
    struct recent *other = kind == BYPASS_MPTCP ? &b->plain : &b->mptcp;
    struct known *k = find(other, &key);
    if (k && kind == BYPASS_PLAIN && k->until > now)
        return;
    if (k)
        recent_drop(other, &k->entry);
    k = (struct known *)recent_put(into, &key, sizeof(*k));
    if (k)
        k->until = until;
}

bool bypass_pass(struct bypass *b, unsigned edge, const struct braid_addr *addr, braid_time now)
{
    const struct recent_key key = key_of(edge, addr);
    struct known *k = find(&b->mptcp, &key);
    if (!k || k->until <= now)
        return false;
    k->passed++;
    return true;
}

void bypass_clear(struct bypass *b)
{
    recent_clear(&b->plain);
    recent_clear(&b->mptcp);
}

size_t bypass_list(const struct bypass *b, braid_time now, struct bypass_entry *out, size_t max)
{
    const struct list *head = &b->mptcp.order;
    size_t n = 0;
    for (const struct list *pos = head->prev; pos != head && n < max; pos = pos->prev) {
        const struct known *k = (const struct known *)recent_entry(pos);
        const struct recent_key *key = &k->entry.key;
        if (k->until > now)
            out[n++] = (struct bypass_entry){.edge = key->owner,
                                             .addr = {.ip = key->ip, .port = key->port},
                                             .left = k->until - now,
                                             .passed = k->passed};
    }
    return n;
}

size_t bypass_count(const struct bypass *b)
{
    return recent_count(&b->mptcp);
}

/* ---- for another process --------------------------------------------------------------------------- */

enum { KNOWN_ADDR = 1, KNOWN_MPTCP, KNOWN_UNTIL, KNOWN_PASSED };

static void freeze_known(const struct known *k, bool mptcp, struct freezer *f, unsigned tag)
{
    const struct braid_addr addr = {.ip = k->entry.key.ip, .port = k->entry.key.port};
    size_t g = freeze_begin(f, tag);
    freeze_addr(f, KNOWN_ADDR, &addr);
    freeze_number(f, KNOWN_MPTCP, mptcp);
    freeze_number(f, KNOWN_UNTIL, (uint64_t)k->until);
    freeze_number(f, KNOWN_PASSED, k->passed);
    freeze_end(f, g);
}

/* The oldest first, so that they make room there in the same order. */
static void freeze_kind(const struct recent *r, unsigned edge, braid_time now, struct freezer *f,
                        unsigned tag, bool mptcp)
{
    for (const struct list *at = r->order.next; at != &r->order; at = at->next) {
        const struct known *k = (const struct known *)recent_entry(at);
        if (k->entry.key.owner == edge && k->until > now)
            freeze_known(k, mptcp, f, tag);
    }
}

void bypass_freeze(const struct bypass *b, unsigned edge, braid_time now, struct freezer *f, unsigned tag)
{
    freeze_kind(&b->plain, edge, now, f, tag, false);
    freeze_kind(&b->mptcp, edge, now, f, tag, true);
}

void bypass_thaw(struct bypass *b, unsigned edge, const struct thaw_item *item)
{
    struct thawer in = thaw_inside(item);
    struct thaw_item i;
    struct braid_addr addr = {.port = 0};
    braid_time until = 0;
    uint64_t passed = 0;
    bool mptcp = false;
    while (thaw_next(&in, &i)) {
        if (i.tag == KNOWN_ADDR)
            thaw_struct(&i, addr_fields, &addr);
        else if (i.tag == KNOWN_MPTCP)
            mptcp = thaw_number(&i, 1);
        else if (i.tag == KNOWN_UNTIL)
            until = (braid_time)thaw_number(&i, BRAID_MUCH);
        else if (i.tag == KNOWN_PASSED)
            passed = thaw_number(&i, UINT64_MAX);
        else
            thaw_unknown(&i);
    }
    const struct recent_key key = key_of(edge, &addr);
    struct known *k = (struct known *)recent_put(mptcp ? &b->mptcp : &b->plain, &key, sizeof(*k));
    if (!k)
        return;
    k->until = until > k->until ? until : k->until;
    k->passed += passed;
}
