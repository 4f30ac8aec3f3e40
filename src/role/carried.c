/* Life of what a CPE carries, the lists and numbers that it is in, and what its splice tells. */
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"
#include "role/carried.h"
#include "role/learned.h"

/* ---- those of sockets ------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct cpes *cs, const struct braid_addr *device,
                        const struct braid_addr *meant)
{
    uint8_t bytes[2 * (sizeof(device->ip.b) + sizeof(device->port))], *at = bytes;
    for (unsigned i = 0; i < 2; i++) {
        const struct braid_addr *a = i ? meant : device;
        memcpy(at, a->ip.b, sizeof(a->ip.b));
        memcpy(at + sizeof(a->ip.b), &a->port, sizeof(a->port));
        at += sizeof(a->ip.b) + sizeof(a->port);
    }
    return siphash(&cs->key, bytes, sizeof(bytes));
}

static void enter(struct carried *cd, struct device_socket *own)
{
    struct cpes *cs = carried_cpe(cd)->owner;
    cd->socket = own;
    own->carried = cd;
    htable_insert(&cs->by_ends, &own->node, hash_of(cs, &own->device, &own->meant));
}

struct carried *carried_by_socket(const struct cpes *cs, const struct braid_addr *device,
                                  const struct braid_addr *meant)
{
    struct hnode *n = htable_first(&cs->by_ends, hash_of(cs, device, meant));
    for (; n; n = htable_next(n)) {
        const struct device_socket *s = list_entry(n, struct device_socket, node);
        if (addr_equal(&s->device, device) && addr_equal(&s->meant, meant))
            return s->carried;
    }
    return NULL;
}

/* ---- life --------------------------------------------------------------------------------------------- */

struct carried *carried_new(struct cpe *cpe, struct braid_conn *lan, const struct device_socket *socket)
{
    struct carried *cd = calloc(1, sizeof(*cd));
    struct asking *a = calloc(1, sizeof(*a));
    struct device_socket *own = socket ? malloc(sizeof(*own)) : NULL;
    if (!cd || !a || (socket && !own)) {
        free(cd);
        free(a);
        free(own);
        return NULL;
    }
    splice_init(&cd->splice, &cpe->splices);
    if (lan) {
        end_conn_init(&cd->splice.ends[LAN_END], lan);
    } else if (own) {
        *own = *socket;
        enter(cd, own);
    }
    cd->opened = lan ? braid_conn_opened_at(lan) : clock_now();
    a->carried = cd;
    cd->asking = a;
    list_append(&cpe->opening, &cd->link);
    cpe->counters.connecting++;
    node_enter(cpe->owner->role.node);
    return cd;
}

static void end_asking(struct carried *cd)
{
    struct asking *a = cd->asking;
    if (!a)
        return;
    race_free(a->race);
    if (a->awaited)
        braid_conn_release(a->awaited);
    wheel_cancel(&carried_cpe(cd)->owner->timers, &a->timer);
    if (a->heard)
        event_free(a->heard);
    free(a);
    cd->asking = NULL;
}

void carried_opened(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    const struct end *wan = &cd->splice.ends[WAN_END];
    if (cd->asking->begun > 0)
        durations_take(&cpe->counters.times[CPE_CONNECT], clock_now() - cd->asking->begun);
    cd->wan = wan->gone ? 0 : braid_conn_id(wan->conn);
    end_asking(cd);
    cpe->counters.connecting--;
    cpe->counters.open++;
    list_remove(&cd->link);
    list_append(&cpe->open, &cd->link);
}

void carried_free(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    if (cd->why != FAREWELL_UNSAID)
        carried_say_farewell(cd);
    if (cd->asking)
        cpe->counters.connecting--;
    else
        cpe->counters.open--;
    end_asking(cd);
    list_remove(&cd->link);
    if (cd->socket) {
        htable_remove(&cpe->owner->by_ends, &cd->socket->node);
        if (cd->socket->fd >= 0)
            upstream_reset(cd->socket->fd);
        free(cd->socket);
    }
    free(cd);
    /* not at once: the caller may go on with the CPE */
    if (cpe->leaving && cpe_is_empty(cpe))
        role_expire_at(&cpe->owner->role, clock_now());
    node_leave(cpe->owner->role.node);
}

/* ---- the device's side ---------------------------------------------------------------------------- */

void carried_refuse(struct carried *cd, enum braid_refusal how)
{
    struct end *lan = &cd->splice.ends[LAN_END];
    if (!cd->socket && cd->answered) {
        lan->ops->drop(lan);
    } else if (!cd->socket) {
        braid_conn_refuse(lan->conn, how);
        end_conn_forget(lan);
    }
    carried_free(cd);
}

int carried_accept(struct carried *cd)
{
    struct end *lan = &cd->splice.ends[LAN_END];
    if (!cd->socket) {
        if (!cd->answered)
            braid_conn_accept(lan->conn);
        return 0;
    }
    int fd = cd->socket->fd;
    cd->socket->fd = -1;
    if (end_socket_init(lan, carried_cpe(cd)->owner->role.node->sockets, fd) == 0)
        return 0;
    carried_cpe(cd)->counters.v[CPE_FAILED]++;
    carried_ends(cd, FAREWELL_MEMORY);
    splice_drop(&cd->splice);
    carried_free(cd);
    return -1;
}

/* ---- what the splice tells ---------------------------------------------------------------------- */

/* The first bytes of a connection whose device was given time to speak: they tell for its port. */
static void note_who_spoke(struct carried *cd, unsigned from)
{
    struct braid_addr meant, device;
    cd->silent = false;
    if (cd->splice.ends[LAN_END].gone && !cd->socket)
        return;
    carried_addrs(cd, &meant, &device);
    uint8_t *byte = &carried_cpe(cd)->servers_first[meant.port / 8], bit = (uint8_t)(1u << (meant.port % 8));
    *byte = (uint8_t)(from == WAN_END ? *byte | bit : *byte & ~bit);
}

static void count(struct carried *cd, unsigned from, size_t n)
{
    struct cpe_counters *c = &carried_cpe(cd)->counters;
    if (from == WAN_END && cd->down == 0)
        durations_take(&c->times[CPE_FIRST_BYTE], clock_now() - cd->opened);
    c->v[from == LAN_END ? CPE_UP : CPE_DOWN] += n;
    *(from == LAN_END ? &cd->up : &cd->down) += n;
}

static void on_moved(struct splice *s, unsigned from, size_t n)
{
    struct carried *cd = carried_of_splice(s);
    count(cd, from, n);
    if (cd->silent)
        note_who_spoke(cd, from);
    if (from != LAN_END)
        return;
    struct braid_conn *wan = carried_conn(cd, WAN_END);
    cpe_heed_bytes(cd);
    if (profile_watch(&cd->profile, wan, carried_cpe(cd)->params->pm, n, clock_now()) && cd->cc)
        braid_conn_set_cc(wan, cd->cc, clock_now()); /* the program's own comes before any profile's */
}

/* Connections of the core tell their end by on_gone: so this is a device's socket. */
static void on_failed(struct splice *s, unsigned end)
{
    (void)end;
    struct carried *cd = carried_of_splice(s);
    carried_cpe(cd)->counters.v[CPE_LAN_RESET]++;
    carried_ends(cd, FAREWELL_CLIENT_RESET);
}

/* Its server, reached without a converter, does not speak MPTCP after all, or somebody on the way minds. */
static void fell_back(const struct carried *cd)
{
    struct learned *l = carried_cpe(cd)->owner->role.node->learned;
    if (l)
        learned_see_server(l, &cd->far, false, clock_now());
}

/* Both ends go, one after the other: what the first one tells is counted. */
static void on_gone(struct splice *s, unsigned end, enum braid_close why)
{
    struct carried *cd = carried_of_splice(s);
    carried_end_gone(cd, end);
    if (end == WAN_END && cd->bypassed && !braid_conn_is_mptcp(carried_conn(cd, WAN_END)))
        fell_back(cd);
    uint64_t *count = carried_cpe(cd)->counters.v;
    const struct end *other = &s->ends[!end];
    if (s->ending) /* it was the other one, or us */
        return;
    if (why != BRAID_CLOSE_DONE || other->gone || cd->socket)
        carried_ends(cd, end == LAN_END ? farewell_of_close(why) : farewell_of_far_close(why));
    if (why == BRAID_CLOSE_TIMEOUT)
        count[CPE_TIMEOUT]++;
    else if (why == BRAID_CLOSE_FATE)
        count[CPE_FATE]++;
    else if (why == BRAID_CLOSE_ABORTED)
        count[CPE_KILLED]++;
    else if (why != BRAID_CLOSE_DONE)
        count[end == LAN_END ? CPE_LAN_RESET : CPE_WAN_RESET]++;
    else if (other->gone || cd->socket) /* a socket goes without a word */
        count[CPE_CLOSED]++;
}

static void on_over(struct splice *s)
{
    carried_free(carried_of_splice(s));
}

const struct splice_events carried_events = {
    .moved = on_moved, .failed = on_failed, .gone = on_gone, .over = on_over};
