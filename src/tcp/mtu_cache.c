/* Ways that take no packets of the usual size: see mtu_cache.h. */
#include "tcp/internal.h"

#include "base/addr.h"

/* FNV-1a. Entries are not chained: who chooses addresses so that they collide only makes others begin
 * with the size of the link, as before. */
static struct mtu_known *known_of(struct tcp_env *env, const struct braid_way *way)
{
    uint32_t h = 2166136261u;

    for (unsigned i = 0; i < sizeof(way->peer.b); i++)
        h = ((h ^ way->local.b[i]) * 16777619u ^ way->peer.b[i]) * 16777619u;
    return &env->mtus[(h ^ h >> 16) % MTU_KNOWN_MAX];
}

static bool is_same(const struct braid_way *a, const struct braid_way *b)
{
    return ip_equal(&a->local, &b->local) && ip_equal(&a->peer, &b->peer);
}

void tcp_mtu_learn(struct tcp_env *env, const struct mtu_known *news)
{
    struct mtu_known *k = known_of(env, &news->way);

    if (news->mtu > 0)
        *k = *news;
    else if (is_same(&k->way, &news->way))
        k->mtu = 0;
}

/* Is it new enough for other cores to hear of it? A first finding is, and that a limit is gone; of the same
 * way again only another size or cause, or one that makes it last half its time longer. */
static bool is_news(struct tcp_env *env, const struct mtu_known *news)
{
    const struct mtu_known *k = known_of(env, &news->way);
    bool known = k->mtu > 0 && is_same(&k->way, &news->way);

    if (!known || news->mtu == 0)
        return known == (news->mtu == 0);
    return k->mtu != news->mtu || k->silent != news->silent || news->until - k->until > MTU_KNOWN_TIME / 2;
}

/* Told only if it is news, since each subflow finds out the same. */
void tcp_mtu_tell(struct tcp_env *env, const struct mtu_known *news)
{
    bool tell = env->host.path_mtu && is_news(env, news);

    tcp_mtu_learn(env, news);
    if (tell)
        env->host.path_mtu(env->host.ctx, &news->way, news->mtu, news->silent);
}

const struct mtu_known *tcp_mtu_look_up(struct tcp_env *env, const struct braid_way *way, braid_time now)
{
    const struct mtu_known *k = known_of(env, way);
    /* A limit of the size of the link or more limits nothing. */
    bool good = k->mtu > 0 && k->mtu < env->mtu && k->until > now && is_same(&k->way, way);

    return good ? k : NULL;
}

uint16_t tcp_mtu_known(struct tcp_env *env, const struct braid_way *way, braid_time now)
{
    const struct mtu_known *k = tcp_mtu_look_up(env, way, now);

    return k ? k->mtu : env->mtu;
}
