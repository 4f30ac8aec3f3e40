/* The ledger of a core's subflows, from which the next core, should this one crash, knows whom to tell
 * (orphans.c). */
#include "core/ledger_note.h"

#include <braid/ledger.h>

/* A free entry's number plus 1; 0: there is none. */
static uint32_t take(struct braid_ledger *l)
{
    uint32_t n = l->free;
    if (n)
        l->free = l->entries[n - 1].snd_una;
    else if (l->top < l->size)
        /* never used before */
        n = ++l->top;
    return n;
}

static void enter(struct braid_ledger *l, struct mp_subflow *s)
{
    s->ledger = take(l);
    if (!s->ledger)
        return; /* after a crash its peer will have to find out by itself */
    struct braid_ledger_entry *e = &l->entries[s->ledger - 1];
    e->local = s->tcp.local;
    e->remote = s->tcp.remote;
    e->ts_ok = s->tcp.syn.ts_ok;
    e->ts_offset = s->tcp.ts.offset;
}

void core_ledger_note(struct braid_core *core, const struct braid_conn *c)
{
    struct braid_ledger *l = core->env.params.ledger;
    if (!l)
        return;
    each_flow (s, c) {
        if (s->closing.dead || !subflow_synchronized(&s->tcp))
            continue;
        if (!s->ledger)
            enter(l, s);
        if (!s->ledger)
            continue;
        struct braid_ledger_entry *e = &l->entries[s->ledger - 1];
        e->snd_una = s->tcp.syn.iss + (uint32_t)s->tcp.snd.una;
        e->rcv_nxt = s->tcp.syn.irs + (uint32_t)s->tcp.rcv.nxt;
        e->ts_recent = s->tcp.ts.recent;
        e->peer_key = c->keys.remote;
        e->mptcp = conn_is_mptcp(c);
        e->on_ack = conn_version(c)->fastclose_on_ack;
        /* last of all, in case that this process dies in between: the next one believes what is marked as
         * used */
        __atomic_store_n(&e->used, 1, __ATOMIC_RELEASE);
    }
}

void core_ledger_remove(struct braid_core *core, struct mp_subflow *s)
{
    struct braid_ledger *l = core->env.params.ledger;
    if (!s->ledger)
        return;
    struct braid_ledger_entry *e = &l->entries[s->ledger - 1];
    __atomic_store_n(&e->used, 0, __ATOMIC_RELEASE);
    e->peer_key = 0;
    /* free entries are chained by this field */
    e->snd_una = l->free;
    l->free = s->ledger;
    s->ledger = 0;
}
