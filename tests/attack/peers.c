/* The attacker's connections: their handshakes. */
#include "attack.h"

#include <string.h>
#include "mptcp/crypto.h"

/* Every other one joins the connection of the one before. */
static bool is_join(const struct world *w, unsigned i)
{
    return w->a->joins && i % 2;
}

void peer_open(struct world *w, unsigned i)
{
    struct peer *p = &w->peers[i];
    struct wire_tcp t = {.flags = TCP_SYN,
                         .window = 65535,
                         .has_mss = true,
                         .mss = w->a->mss ? w->a->mss : 1460,
                         .sack_ok = true,
                         .has_wscale = true,
                         .wscale = w->a->wscale};

    *p = (struct peer){.addr = world_stranger(1000000 + i), .nxt = world_random(w), .key = 1000 + i};
    t.seq = p->nxt++;
    if (is_join(w, i)) {
        struct peer *first = &w->peers[i - 1];

        p->nonce = world_random(w);
        t.mp.has = MPTCP_HAS(MPTCP_JOIN);
        t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYN, .addr_id = 1, .nonce = p->nonce};
        uint64_t idsn;
        mptcp_key_derive(first->core_key, &t.mp.join.token, &idsn);
    } else if (w->a->mptcp) {
        t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        t.mp.capable = (struct mptcp_capable){.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    }
    world_send(w, &p->addr, &t, 0);
}

static void finish_join(struct world *w, struct peer *p, const struct peer *first, const struct reply *r)
{
    struct wire_tcp t = {.flags = TCP_ACK, .window = 65535, .seq = p->nxt, .ack = r->tcp.seq + 1};
    uint8_t mac[MPTCP_HMAC_LEN];

    t.mp.has = MPTCP_HAS(MPTCP_JOIN);
    t.mp.join.kind = MPTCP_JOIN_ACK;
    mptcp_join_hmac(first->key, first->core_key, p->nonce, r->tcp.mp.join.nonce, mac);
    memcpy(t.mp.join.hmac, mac, sizeof(t.mp.join.hmac));
    world_send(w, &p->addr, &t, 0);
}

void peer_handshake(struct world *w, struct peer *p, const struct reply *r)
{
    struct wire_tcp t = {.flags = TCP_ACK, .window = 65535, .seq = p->nxt, .ack = r->tcp.seq + 1};
    uint32_t token;
    unsigned i = (unsigned)(p - w->peers);

    p->rcv_nxt = t.ack;
    p->open = true;
    if (is_join(w, i)) {
        finish_join(w, p, &w->peers[i - 1], r);
        return;
    }
    if (w->a->mptcp) {
        p->core_key = r->tcp.mp.capable.sender_key;
        mptcp_key_derive(p->key, &token, &p->dsn);
        mptcp_key_derive(p->core_key, &token, &p->core_dsn);
        p->dsn++;
        p->core_dsn++;
        t.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
        t.mp.capable = (struct mptcp_capable){.version = 1,
                                              .flags = MPTCP_CAPABLE_SHA256,
                                              .n_keys = 2,
                                              .sender_key = p->key,
                                              .receiver_key = p->core_key};
    }
    world_send(w, &p->addr, &t, 0);
    if (!w->a->mptcp)
        return;
    t.mp.capable.has_len = true; /* a byte of data: the keys are known on both sides from here on */
    t.mp.capable.data_len = 1;
    world_send(w, &p->addr, &t, 1);
    p->nxt++;
    p->dsn++;
}

void peer_acknowledge(struct world *w, struct peer *p)
{
    struct wire_tcp t = {.flags = TCP_ACK, .window = 65535, .seq = p->nxt, .ack = p->rcv_nxt};

    p->acked = p->rcv_nxt;
    world_send(w, &p->addr, &t, 0);
}
