/* See policy.h. */
#include "role/policy.h"
#include <string.h>

static bool holds(const struct policy_range *ranges, unsigned n, uint32_t v)
{
    for (unsigned i = 0; i < n; i++)
        if (ranges[i].first <= v && v <= ranges[i].last)
            return true;
    return n == 0;
}

/* If all that is said of destinations is which ones are not meant, all others are. */
static bool is_for(const struct policy *p, const struct braid_addr *meant)
{
    bool otherwise = true;
    for (unsigned i = 0; i < p->n_to; i++)
        otherwise &= !p->to[i].allow;
    return reach_first(p->to, p->n_to, &meant->ip, otherwise) && holds(p->ports, p->n_ports, meant->port);
}

bool policy_is_of_askers(const struct policy *p)
{
    return p->n_users > 0 || p->n_cgroups > 0;
}

static bool is_of(const struct policy *p, unsigned place, const struct policy_asker *asker)
{
    return asker->known && holds(p->users, p->n_users, asker->user) &&
           (p->n_cgroups == 0 || asker->cgroups >> place & 1);
}

const struct policy *policy_find(const struct policy *all, unsigned n, const struct braid_addr *meant,
                                 uint32_t programs, policy_who *who, void *arg)
{
    struct policy_asker asker = {0};
    bool looked = false;
    for (unsigned i = 0; i < n; i++) {
        const struct policy *p = &all[i];
        if (!is_for(p, meant) || (p->n_programs > 0 && !(programs >> i & 1)))
            continue;
        if (!policy_is_of_askers(p))
            return p;
        if (!looked)
            who(arg, &asker);
        looked = true;
        if (is_of(p, i, &asker))
            return p;
    }
    return NULL;
}

static bool names(const char *program, const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(program, strchr(program, '/') || !slash ? path : slash + 1) == 0;
}

uint32_t policy_programs(const struct policy *all, unsigned n, const char *path)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < all[i].n_programs; j++)
            if (names(all[i].programs[j], path))
                bits |= 1u << i;
    return bits;
}
