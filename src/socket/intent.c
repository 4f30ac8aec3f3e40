/* See intent.h. */
#include "socket/intent.h"
#include "socket/said.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "socket/cookies.h"

static struct cookies intents = COOKIES(struct intent);

bool intent_any(void)
{
    return cookies_any(&intents);
}

bool intent_get(int fd, struct intent *out)
{
    bool is_own = cookies_get(&intents, fd, out);
    if (!is_own && !intent_for_all(out))
        *out = (struct intent){0};
    return is_own;
}

int intent_put(int fd, const struct intent *in)
{
    return cookies_put(&intents, fd, in);
}

/* ---- for all ------------------------------------------------------------------------------------------ */

static struct intent for_all;
static bool for_all_set;

/* Addresses that commas separate. False: one is none, or there are too many. */
static bool read_addresses(const char *text, struct intent *in)
{
    char copy[APP_ADDRS_MAX * ADDR_TEXT], *state, *item;
    if (strlen(text) >= sizeof(copy))
        return false;
    strcpy(copy, text);
    for (item = strtok_r(copy, ",", &state); item; item = strtok_r(NULL, ",", &state)) {
        struct braid_addr a = {.port = 0};
        if (ip_parse(item, &a.ip) < 0 || intent_add(in, &a) < 0)
            return false;
    }
    return true;
}

static void read_environment(void)
{
    const char *mptcp = secure_getenv("BRAID_MPTCP"), *local = secure_getenv("BRAID_LOCAL"),
               *profile = secure_getenv("BRAID_PROFILE");
    for_all.says_enable = mptcp;
    for_all.enable = mptcp && strcmp(mptcp, "0") != 0;
    for_all.is_bad =
        (local && !read_addresses(local, &for_all)) || (profile && strlen(profile) > APP_NAME_MAX);
    if (profile)
        strncpy(for_all.profile, profile, APP_NAME_MAX);
    for_all_set = said_of_environment(&for_all) || mptcp || local || profile;
}

/* Before main: within a handler of signals it might wait for whom it has interrupted. */
__attribute__((constructor)) static void read_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
}

bool intent_for_all(struct intent *out)
{
    read_once();
    if (for_all_set)
        *out = for_all;
    return for_all_set;
}

/* ---- addresses ---------------------------------------------------------------------------------------- */

static void drop(struct app_addrs *list, const struct braid_ip *ip)
{
    unsigned n = 0;
    for (unsigned i = 0; i < list->n; i++)
        if (!ip_equal(&list->addr[i].ip, ip))
            list->addr[n++] = list->addr[i];
    list->n = n;
}

static int append(struct app_addrs *list, const struct braid_addr *addr)
{
    drop(list, &addr->ip);
    if (list->n == APP_ADDRS_MAX)
        return -1;
    list->addr[list->n++] = *addr;
    return 0;
}

int intent_add(struct intent *in, const struct braid_addr *addr)
{
    drop(&in->remove, &addr->ip);
    return append(&in->add, addr);
}

int intent_remove(struct intent *in, const struct braid_addr *addr)
{
    drop(&in->add, &addr->ip);
    return append(&in->remove, addr);
}
