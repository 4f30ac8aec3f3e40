/* Attacks by peers that have their keys right: addresses, ends of connections, subflows that take nothing. */
#include "attack.h"

#include "base/addr.h"
#include "mptcp/crypto.h"

static struct wire_tcp segment(const struct peer *p)
{
    return (struct wire_tcp){.flags = TCP_ACK, .window = 65535, .seq = p->nxt, .ack = p->rcv_nxt};
}

/* Addresses without end: announced, some withdrawn. */
void send_add_addr(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i % w->a->conns];
    struct wire_tcp t = segment(p);
    uint8_t id = (uint8_t)(1 + world_random(w) % 255);

    if (i % 3 == 0) {
        t.mp.has = MPTCP_HAS(MPTCP_REMOVE_ADDR);
        t.mp.remove_addr = (struct mptcp_remove_addr){.n = 1, .ids = {id}};
    } else {
        struct mptcp_add_addr *a = &t.mp.add_addr;

        t.mp.has = MPTCP_HAS(MPTCP_ADD_ADDR);
        *a = (struct mptcp_add_addr){.id = id, .addr = {.ip = world_stranger(world_random(w) >> 8).ip}};
        mptcp_add_addr_hmac(p->key, p->core_key, a->id, &a->addr, a->hmac);
    }
    world_send(w, &p->addr, &t, 0);
}

/* Ends all connections in order, so that the core remembers them, and then repeats their last segments. */
void send_time_wait(struct world *w, unsigned i)
{
    bool ending = i < 3 * w->a->conns;
    struct peer *p = &w->peers[ending ? i / 3 : world_random(w) % w->a->conns];
    struct wire_tcp t = segment(p);

    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    t.mp.dss = (struct mptcp_dss){.has_ack = true, .ack64 = true, .data_ack = p->core_dsn};
    if (ending && i % 3 == 0) {
        t.mp.dss.has_map = t.mp.dss.dsn64 = t.mp.dss.data_fin = true;
        t.mp.dss.dsn = p->dsn;
        t.mp.dss.len = 1;
    } else if (ending && i % 3 == 1) {
        t.mp.dss.data_ack = p->core_dsn + 1;
    } else {
        t.mp.has = 0;
        t.flags |= ending || i % 2 ? TCP_FIN : 0;
        t.ack = p->rcv_nxt + 1;
    }
    world_send(w, &p->addr, &t, 0);
}

/* The first subflow takes everything, the second nothing: what was copied onto that is held. */
void send_copies(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[2 * (i % (w->a->conns / 2))];
    struct wire_tcp t = segment(p);

    t.mp.has = MPTCP_HAS(MPTCP_DSS);
    t.mp.dss = (struct mptcp_dss){.has_ack = true, .ack64 = true, .data_ack = p->data_seen};
    if (p->data_seen > 0)
        world_send(w, &p->addr, &t, 0);
}

void reply_copies(struct world *w, struct peer *p, const struct reply *r)
{
    const struct mptcp_dss *d = &r->tcp.mp.dss;

    (void)w;
    if ((r->tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && d->has_map && d->dsn64 && d->dsn + d->len > p->data_seen)
        p->data_seen = d->dsn + d->len;
}
