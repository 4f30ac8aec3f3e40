/* See learned.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "role/learned_state.h"

/* Two losses of the same moment, as of the many connections of a page, are one. */
#define APART    BRAID_SECOND
#define NO_DOUBT 16 /* doublings, at most */

/* How long each kind lasts, and how often it has to be seen to be believed. */
static const struct {
    const char *text;
    braid_time first, longest;
    unsigned needed;
    bool whole;  /* of an address and port, not of a prefix */
    bool hidden; /* from learned_list */
} kinds[LEARNED_KINDS] = {
    [LEARNED_STRIPPED] = {"stripped", 600 * BRAID_SECOND, 600 * BRAID_SECOND, 1, false, false},
    [LEARNED_DROPPED] = {"dropped", 60 * BRAID_SECOND, 3600 * BRAID_SECOND, 2, false, false},
    [LEARNED_EATEN] = {"eaten", 10 * BRAID_SECOND, 3600 * BRAID_SECOND, 1, false, false},
    [LEARNED_SILENT] = {"silent", 5 * BRAID_SECOND, 300 * BRAID_SECOND, 1, true, false},
    [LEARNED_STRAIGHT] = {"straight", 600 * BRAID_SECOND, 600 * BRAID_SECOND, 1, true, false},
    [LEARNED_PASSES] = {"passes", 600 * BRAID_SECOND, 600 * BRAID_SECOND, 1, false, true},
    [LEARNED_DETOUR] = {"detour", 600 * BRAID_SECOND, 3600 * BRAID_SECOND, 1, true, true},
    [LEARNED_VERSION_0] = {"version-0", 600 * BRAID_SECOND, 600 * BRAID_SECOND, 1, true, false},
};

const char *learned_kind_text(enum learned_kind kind)
{
    return kinds[kind].text;
}

struct learned *learned_new(const struct siphash_key *key, size_t max)
{
    struct learned *l = calloc(1, sizeof(*l));
    bool made = l;
    for (unsigned i = 0; i < LEARNED_KINDS && made; i++)
        made = recent_init(&l->kinds[i], key, max) == 0;
    if (!made) {
        learned_free(l);
        return NULL;
    }
    return l;
}

void learned_free(struct learned *l)
{
    for (unsigned i = 0; l && i < LEARNED_KINDS; i++)
        recent_free(&l->kinds[i]);
    free(l);
}

/* ---- keys and facts ------------------------------------------------------------------------------------
 */

/* Bytes of an address, v4-mapped or not, that are its prefix. */
static unsigned prefix_bytes(const struct braid_ip *ip)
{
    return ip_is_v4(ip) ? 15 : 6;
}

static struct recent_key key_of(enum learned_kind kind, unsigned uplink, const struct braid_addr *remote)
{
    struct recent_key key = {.ip = remote->ip, .owner = uplink, .port = remote->port};
    if (kinds[kind].whole)
        return key;
    unsigned keep = prefix_bytes(&remote->ip);
    memset(key.ip.b + keep, 0, sizeof(key.ip.b) - keep);
    key.port = 0;
    return key;
}

static struct fact *fact_find(const struct learned *l, enum learned_kind kind, unsigned uplink,
                              const struct braid_addr *remote)
{
    const struct recent_key key = key_of(kind, uplink, remote);
    return (struct fact *)recent_find(&l->kinds[kind], &key);
}

static bool is_believed(const struct fact *f, enum learned_kind kind, braid_time now)
{
    return f && f->until > now && f->times >= kinds[kind].needed;
}

bool learned_knows(const struct learned *l, enum learned_kind kind, unsigned uplink,
                   const struct braid_addr *remote, braid_time now)
{
    return is_believed(fact_find(l, kind, uplink, remote), kind, now);
}

/* True if there was anything that still counted. */
static bool unlearn(struct learned *l, enum learned_kind kind, const struct race_lane *lane, braid_time now)
{
    struct fact *f = fact_find(l, kind, lane->uplink, &lane->remote);
    if (!f)
        return false;
    bool counted = f->until > now;
    recent_drop(&l->kinds[kind], &f->entry);
    return counted;
}

/* ---- learning ------------------------------------------------------------------------------------------ */

static braid_time lasts(enum learned_kind kind, unsigned times)
{
    unsigned doublings = times > kinds[kind].needed ? times - kinds[kind].needed : 0;
    braid_time time = kinds[kind].first << (doublings < NO_DOUBT ? doublings : NO_DOUBT);
    return time < kinds[kind].longest ? time : kinds[kind].longest;
}

/* What was over for longer than it had lasted is no relapse. */
static bool is_bygone(const struct fact *f, enum learned_kind kind, braid_time now)
{
    return now - f->until >= lasts(kind, f->times);
}

/* It was seen again: nothing new while it is believed, or if it is the same moment. */
static bool is_old_news(const struct fact *f, enum learned_kind kind, braid_time now)
{
    return f && (is_believed(f, kind, now) || (f->times > 0 && now - f->at < APART));
}

/* weight: how often it counts as seen. */
static bool learn(struct learned *l, enum learned_kind kind, const struct race_lane *lane, unsigned weight,
                  braid_time now)
{
    struct fact *f = fact_find(l, kind, lane->uplink, &lane->remote);
    if (is_old_news(f, kind, now))
        return false;
    const struct recent_key key = key_of(kind, lane->uplink, &lane->remote);
    f = (struct fact *)recent_put(&l->kinds[kind], &key, sizeof(*f));
    if (!f)
        return false;
    if (f->times > 0 && is_bygone(f, kind, now))
        f->times = 0;
    f->times += weight;
    f->at = now;
    f->until = now + lasts(kind, f->times);
    f->capable = lane->capable;
    return true;
}

/* What lasts a fixed time begins anew when half of it is over; before that it is no news. */
static bool refresh(struct learned *l, enum learned_kind kind, const struct race_lane *lane, braid_time now)
{
    struct fact *f = fact_find(l, kind, lane->uplink, &lane->remote);
    if (f && f->until - now < kinds[kind].first / 2)
        unlearn(l, kind, lane, now);
    return learn(l, kind, lane, 1, now);
}

/* What answers neither version is asked by each in turn. */
static bool hear_version(struct learned *l, const struct race_lane *lane, bool mptcp, braid_time now)
{
    if (lane->either && lane->version_0 == mptcp)
        return refresh(l, LEARNED_VERSION_0, lane, now);
    return unlearn(l, LEARNED_VERSION_0, lane, now);
}

bool learned_hear(struct learned *l, const struct race_lane *lane, enum race_seen what, braid_time now)
{
    assert(lane->uplink < LEARNED_UPLINKS ||
           (lane->uplink == LEARNED_NO_UPLINK && what >= RACE_SEEN_STRAIGHT));
    bool news = false;
    switch (what) {
    case RACE_SEEN_ANSWER:
        return unlearn(l, LEARNED_SILENT, lane, now);
    case RACE_SEEN_MPTCP:
        news |= unlearn(l, LEARNED_STRIPPED, lane, now);
        news |= unlearn(l, LEARNED_DROPPED, lane, now);
        news |= hear_version(l, lane, true, now);
        return refresh(l, LEARNED_PASSES, lane, now) || news;
    case RACE_SEEN_STRIPPED:
        news |= unlearn(l, LEARNED_PASSES, lane, now);
        news |= unlearn(l, LEARNED_DROPPED, lane, now);
        news |= hear_version(l, lane, false, now);
        return refresh(l, LEARNED_STRIPPED, lane, now) || news;
    case RACE_SEEN_DROPPED:
        return learn(l, LEARNED_DROPPED, lane, 1, now);
    case RACE_SEEN_REJECTED:
        return learn(l, LEARNED_DROPPED, lane, kinds[LEARNED_DROPPED].needed, now);
    case RACE_SEEN_PAYLOAD:
        return unlearn(l, LEARNED_EATEN, lane, now);
    case RACE_SEEN_PAYLOAD_EATEN:
        return learn(l, LEARNED_EATEN, lane, 1, now);
    case RACE_SEEN_SILENT:
        return learn(l, LEARNED_SILENT, lane, 1, now);
    case RACE_SEEN_STRAIGHT:
        if (learned_knows(l, LEARNED_DETOUR, lane->uplink, &lane->remote, now))
            return false;
        return refresh(l, LEARNED_STRAIGHT, lane, now);
    case RACE_SEEN_DETOUR:
        news = unlearn(l, LEARNED_STRAIGHT, lane, now);
        return learn(l, LEARNED_DETOUR, lane, 1, now) || news;
    }
    return false;
}

void learned_see(struct learned *l, const struct race_lane *lane, enum race_seen what, braid_time now)
{
    if (learned_hear(l, lane, what, now) && l->tell)
        l->tell(l->tell_arg, lane, what);
}

static struct race_lane lane_of(const struct braid_addr *server)
{
    return (struct race_lane){.remote = *server, .uplink = LEARNED_NO_UPLINK};
}

enum learned_kind learned_of_server(const struct learned *l, const struct braid_addr *server, braid_time now)
{
    static const enum learned_kind of_servers[] = {LEARNED_DETOUR, LEARNED_STRAIGHT};
    for (unsigned i = 0; i < 2; i++)
        if (learned_knows(l, of_servers[i], LEARNED_NO_UPLINK, server, now))
            return of_servers[i];
    return LEARNED_KINDS;
}

void learned_see_server(struct learned *l, const struct braid_addr *server, bool straight, braid_time now)
{
    const struct race_lane lane = lane_of(server);
    learned_see(l, &lane, straight ? RACE_SEEN_STRAIGHT : RACE_SEEN_DETOUR, now);
}

void learned_on_news(struct learned *l,
                     void (*tell)(void *arg, const struct race_lane *lane, enum race_seen what), void *arg)
{
    l->tell = tell;
    l->tell_arg = arg;
}

/* ---- forgetting and looking ---------------------------------------------------------------------------- */

void learned_forget(struct learned *l, unsigned uplink)
{
    for (unsigned i = 0; i < LEARNED_KINDS; i++)
        list_each (pos, next, &l->kinds[i].order) {
            if (recent_entry(pos)->key.owner == uplink)
                recent_drop(&l->kinds[i], recent_entry(pos));
        }
    l->strips_at = 0;
}

void learned_clear(struct learned *l)
{
    for (unsigned i = 0; i < LEARNED_KINDS; i++)
        recent_clear(&l->kinds[i]);
    l->strips_at = 0;
}

unsigned learned_prefix_bits(const struct learned_entry *e)
{
    unsigned before = ip_is_v4(&e->addr.ip) ? 12 : 0; /* of a v4-mapped address */
    return kinds[e->kind].whole ? 0 : 8 * (prefix_bytes(&e->addr.ip) - before);
}

static size_t list_kind(const struct learned *l, enum learned_kind kind, braid_time now,
                        struct learned_entry *out, size_t max)
{
    const struct list *head = &l->kinds[kind].order;
    size_t n = 0;
    for (const struct list *pos = head->prev; pos != head && n < max; pos = pos->prev) {
        const struct fact *f = (const struct fact *)recent_entry(pos);
        const struct recent_key *key = &f->entry.key;
        if (f->until > now)
            out[n++] = (struct learned_entry){.kind = kind,
                                              .uplink = key->owner,
                                              .addr = {.ip = key->ip, .port = key->port},
                                              .times = f->times,
                                              .believed = is_believed(f, kind, now),
                                              .left = f->until - now};
    }
    return n;
}

size_t learned_list(const struct learned *l, braid_time now, struct learned_entry *out, size_t max)
{
    size_t n = 0;
    for (unsigned i = 0; i < LEARNED_KINDS; i++)
        n += kinds[i].hidden ? 0 : list_kind(l, i, now, out + n, max - n);
    return n;
}

size_t learned_count(const struct learned *l)
{
    size_t n = 0;
    for (unsigned i = 0; i < LEARNED_KINDS; i++)
        n += kinds[i].hidden ? 0 : recent_count(&l->kinds[i]);
    return n;
}
