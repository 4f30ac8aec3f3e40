/* Ways that somebody keeps busy: see ways.h. */
#include "tcp/ways.h"

#include <string.h>

#include "base/addr.h"
#include "tcp/internal.h"

static uint64_t half(const struct braid_ip *ip, unsigned at)
{
    uint64_t bits;
    memcpy(&bits, ip->b + at, sizeof(bits));
    return bits;
}

/* A product's upper bits depend on all of its factor's, the lower ones on the lower ones alone, and what
 * tells IPv4 addresses from others is in the upper ones. */
static uint64_t mix(uint64_t h, uint64_t bits)
{
    h = (h ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* No keyed hash, as it is on the way of each flush: who chooses addresses so that they collide only makes a
 * way look idle. */
static struct way_busy *place_of(struct tcp_env *env, const struct braid_ip *local,
                                 const struct braid_ip *peer)
{
    uint64_t h = mix(mix(0, half(local, 0)), half(local, 8));
    h = mix(mix(h, half(peer, 0)), half(peer, 8));
    return &env->ways[h >> (64 - WAYS_BUSY_BITS)];
}

void tcp_way_note(struct subflow *sf, braid_time now)
{
    if (sf->flight->board.pipe < (uint64_t)WAYS_BUSY_SEGMENTS * sf->size.mss || sf->rtt.srtt_us == 0)
        return;
    struct way_busy *w = place_of(sf->env, &sf->local.ip, &sf->remote.ip);
    w->way = (struct braid_way){sf->local.ip, sf->remote.ip};
    w->rtt_us = sf->rtt.srtt_us;
    w->at = now;
}

int64_t tcp_way_busy_rtt(const struct subflow *sf, braid_time now)
{
    const struct way_busy *w = place_of(sf->env, &sf->local.ip, &sf->remote.ip);
    bool ours = ip_equal(&w->way.local, &sf->local.ip) && ip_equal(&w->way.peer, &sf->remote.ip);
    if (!ours || !tcp_way_matters(w, now))
        return 0;
    braid_time age = now - w->at;
    return age < w->rtt_us / 2 ? w->rtt_us : 2 * (w->rtt_us - age);
}

bool tcp_way_matters(const struct way_busy *w, braid_time now)
{
    return now - w->at < w->rtt_us;
}

void tcp_way_take(struct tcp_env *env, const struct way_busy *noted)
{
    *place_of(env, &noted->way.local, &noted->way.peer) = *noted;
}
