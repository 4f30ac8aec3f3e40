/* Listeners: what listens where. The most exact one counts: of an address and port, of an address with any
 * port (0), of any address (passing.c). */
#include "core/listeners.h"

#include <stdlib.h>

#include "base/addr.h"
#include "core/passing.h"
#include "core/tables.h"
#include "mptcp/marks.h"
#include "mptcp/tapped.h"

#define SYN_DATA_MAX 1460 /* as many as fit into a packet of Ethernet's */

/* The same hash as that of a flow, whose other end is nobody's. */
static uint64_t hash_addr(const struct braid_core *core, const struct braid_addr *addr)
{
    static const struct braid_addr nobody;
    return core_hash_flow(core, addr, &nobody);
}

static struct braid_listener *listener_at(const struct braid_core *core, const struct braid_addr *addr)
{
    struct hnode *n = htable_first(&core->listeners, hash_addr(core, addr));
    for (; n; n = htable_next(n)) {
        struct braid_listener *l = list_entry(n, struct braid_listener, hash);
        if (addr_equal(&l->params.addr, addr))
            return l;
    }
    return NULL;
}

struct braid_listener *core_find_listener(const struct braid_core *core, const struct braid_addr *addr)
{
    struct braid_listener *l = listener_at(core, addr);
    if (l)
        return l;
    struct braid_addr any_port = {.ip = addr->ip};
    l = listener_at(core, &any_port);
    return l ? l : core_find_wildcard(core, addr);
}

bool core_takes_plain(const struct braid_listener *l)
{
    enum braid_clients c = l->params.clients;
    return c == BRAID_CLIENTS_DEFAULT ? !l->any_address : c != BRAID_CLIENTS_MPTCP;
}

void core_rehash_listeners(struct braid_core *core)
{
    struct hnode *n = htable_take_all(&core->listeners), *next;
    for (; n; n = next) {
        const struct braid_listener *l = list_entry(n, struct braid_listener, hash);
        next = n->next;
        htable_insert(&core->listeners, n, hash_addr(core, &l->params.addr));
    }
}

/* Puts it where core_find_listener finds it. */
static enum braid_error enlist(struct braid_core *core, struct braid_listener *l)
{
    const struct braid_listen_params *p = &l->params;
    for (unsigned i = 0; i < p->n_signal; i++) {
        /* stays our own also if the rest fails: packets to it must never be passed back */
        if (core_own_add(core, &l->signal[i]) < 0)
            return BRAID_ERROR_MEMORY;
    }
    if (ip_is_multicast(&p->addr.ip) || (p->port_last && p->port_first > p->port_last))
        return BRAID_ERROR_ADDRESS;
    if (ip_is_unspecified(&p->addr.ip))
        return core_wildcard_add(core, l) < 0 ? BRAID_ERROR_TAKEN : BRAID_ERROR_NONE;
    if (listener_at(core, &p->addr))
        return BRAID_ERROR_TAKEN;
    if (core_own_add(core, &p->addr.ip) < 0)
        return BRAID_ERROR_MEMORY;
    htable_insert(&core->listeners, &l->hash, hash_addr(core, &p->addr));
    return BRAID_ERROR_NONE;
}

struct braid_listener *braid_listen(struct braid_core *core, const struct braid_listen_params *params)
{
    struct braid_listener *l = calloc(1, sizeof(*l));
    core->error = l ? BRAID_ERROR_NONE : BRAID_ERROR_MEMORY;
    if (!l)
        return NULL;
    l->core = core;
    l->params = *params;
    /* what the table of a path manager has places for */
    if (l->params.n_signal > CORE_SIGNALS)
        l->params.n_signal = CORE_SIGNALS;
    if (l->params.syn_data > SYN_DATA_MAX)
        l->params.syn_data = SYN_DATA_MAX;
    for (unsigned i = 0; i < l->params.n_signal; i++)
        l->signal[i] = params->signal[i];
    l->params.signal = l->signal;
    list_init(&l->wildcard);
    core->error = enlist(core, l);
    if (core->error) {
        free(l);
        return NULL;
    }
    return l;
}

void braid_listener_change(struct braid_listener *l, const struct braid_listen_params *params)
{
    struct braid_listen_params *p = &l->params;
    p->wants = params->wants;
    p->wants_plain = params->wants_plain;
    p->name = params->name;
    p->cc = params->cc;
    p->sched = params->sched;
    p->pm = params->pm;
    p->checksum = params->checksum;
    p->no_join = params->no_join;
    p->version_0 = params->version_0;
    p->believe_addresses = params->believe_addresses;
    p->fate_sharing = params->fate_sharing;
    p->syn_data = params->syn_data < SYN_DATA_MAX ? params->syn_data : SYN_DATA_MAX;
}

/* From wherever it is. */
static void delist(struct braid_listener *l)
{
    if (l->any_address || l->rests)
        list_remove(&l->wildcard);
    else
        htable_remove(&l->core->listeners, &l->hash);
}

void braid_listener_rest(struct braid_listener *l)
{
    if (l->rests)
        return;
    delist(l);
    l->rests = true;
    list_append(&l->core->resting, &l->wildcard);
}

int braid_listener_resume(struct braid_listener *l)
{
    if (!l->rests)
        return 0;
    list_remove(&l->wildcard);
    l->rests = enlist(l->core, l) != BRAID_ERROR_NONE;
    if (!l->rests)
        return 0;
    list_append(&l->core->resting, &l->wildcard);
    return -1;
}

void braid_unlisten(struct braid_listener *l)
{
    each_conn (c, &l->core->env) {
        if (c->handshake.listener != l)
            continue;
        /* nobody will answer it any more; accepted ones go on without their listener */
        if (c->phase == CONN_PENDING || c->handshake.stateless) {
            conn_tap(c, BRAID_TAP_FAIL, 0, BRAID_CLOSE_ABORTED, c->handshake.stateless);
            conn_fail(c, BRAID_CLOSE_ABORTED, c->handshake.stateless);
        }
        c->handshake.listener = NULL;
    }
    delist(l);
    free(l);
}
