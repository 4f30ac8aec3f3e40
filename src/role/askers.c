/* See askers.h. The kernel is asked for the socket with the connection's addresses, which costs some
 * microseconds, and tells the user and the number of the control group. What it does not know is a device of
 * the LAN, or a program of another network namespace. */
#include "role/askers.h"
#include <stdlib.h>
#include "io/cgroups.h"
#include "io/netlink.h"
#include "io/socket_owner.h"

struct askers {
    struct netlink *netlink;
    struct cgroups *cgroups; /* NULL: no policy asks for any */
};

static bool want_cgroups(const struct policy *all, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (all[i].n_cgroups > 0)
            return true;
    return false;
}

static int add_cgroups(struct askers *a, const struct policy *all, unsigned n)
{
    const char *root = want_cgroups(all, n) ? cgroups_root() : NULL;
    if (!root)
        return 0;
    a->cgroups = cgroups_new(root);
    for (unsigned i = 0; a->cgroups && i < n; i++)
        for (unsigned j = 0; j < all[i].n_cgroups; j++)
            if (cgroups_add(a->cgroups, all[i].cgroups[j], i) < 0)
                return -1;
    return a->cgroups ? 0 : -1;
}

struct askers *askers_new(const struct policy *all, unsigned n)
{
    struct askers *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->netlink = socket_owner_open();
    if (!a->netlink || add_cgroups(a, all, n) < 0) {
        askers_free(a);
        return NULL;
    }
    return a;
}

void askers_free(struct askers *a)
{
    if (!a)
        return;
    netlink_close(a->netlink);
    cgroups_free(a->cgroups);
    free(a);
}

void askers_look(struct askers *a, const struct braid_addr *client, const struct braid_addr *meant,
                 struct policy_asker *out)
{
    struct socket_owner owner;
    *out = (struct policy_asker){0};
    if (socket_owner_find(a->netlink, client, meant, &owner) < 0)
        return;
    *out = (struct policy_asker){.known = true, .user = owner.user};
    if (a->cgroups)
        out->cgroups = cgroups_of(a->cgroups, owner.cgroup);
}

int askers_check(const struct policy *all, unsigned n, const char **missing)
{
    bool any = false;
    for (unsigned i = 0; i < n; i++)
        any |= policy_is_of_askers(&all[i]);
    if (any && socket_owner_check() < 0)
        *missing = "the kernel does not tell whose a connection is (its module tcp_diag)";
    else if (want_cgroups(all, n) && !cgroups_root())
        *missing = "control groups of version 2 are mounted neither on /sys/fs/cgroup nor on "
                   "/sys/fs/cgroup/unified";
    else
        return 0;
    return -1;
}
