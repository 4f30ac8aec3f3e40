/* Announcing and withdrawing addresses (RFC 8684 section 3.4), and path priorities (section 3.3.8). */
#include "base/addr.h"
#include "mptcp/conn.h"
#include "mptcp/crypto.h"

#define ADD_ADDR_INTERVAL (500 * BRAID_MS)
#define ADD_ADDR_TRIES    4
#define PROBE_TIME        BRAID_SECOND /* for a subflow whose address was withdrawn to show that it lives */

void conn_add_addr_in(struct mp_subflow *s, const struct mptcp_add_addr *a)
{
    struct braid_conn *c = s->conn;
    if (a->echo) {
        conn_count(c, MP_ECHO_ADD_RX);
        for (unsigned i = 0; i < c->n_announced; i++) {
            struct announced *mine = &c->announced[i];
            if (mine->id == a->id && ip_equal(&mine->addr.ip, &a->addr.ip) && mine->addr.port == a->addr.port)
                mine->echoed = true;
        }
        return;
    }
    uint8_t mac[8];
    conn_count(c, MP_ADD_ADDR_RX);
    mptcp_add_addr_hmac(c->remote_key, c->local_key, a->id, &a->addr, mac);
    if (!mptcp_hmac_equal(mac, a->hmac, sizeof(mac))) {
        conn_count(c, MP_ADD_ADDR_HMAC);
        return;
    }
    if (c->echo_n == sizeof(c->echoes) / sizeof(c->echoes[0]))
        return; /* it comes again */
    struct mptcp_add_addr *e = &c->echoes[c->echo_n++];
    *e = *a;
    e->echo = true;
    conn_dirty(c);
}

void conn_remove_addr_in(struct mp_subflow *s, const struct mptcp_remove_addr *r, braid_time now)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_RM_ADDR_RX);
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *o = list_entry(n, struct mp_subflow, node);
        for (unsigned i = 0; i < r->n; i++) {
            if (o->remote_id != r->ids[i] || o->dead || o->probe_until)
                continue;
            subflow_probe(&o->tcp, now); /* section 3.4.2: a path that still works is kept */
            o->probe_until = now + PROBE_TIME;
            if (c->addr_at > o->probe_until)
                c->addr_at = o->probe_until;
        }
    }
}

int conn_announce(struct braid_conn *c, const struct braid_addr *addr)
{
    if (!conn_is_mptcp(c) || c->n_announced == CONN_SIGNALS)
        return -1;
    struct announced *a = &c->announced[c->n_announced];
    *a = (struct announced){.addr = *addr, .id = (uint8_t)(c->n_announced + 1)};
    c->n_announced++;
    conn_dirty(c);
    return 0;
}

int braid_conn_announce(struct braid_conn *c, const struct braid_addr *addr)
{
    return conn_announce(c, addr);
}

int braid_conn_withdraw(struct braid_conn *c, const struct braid_ip *ip)
{
    bool found = ip_equal(ip, &c->first_local.ip);
    uint8_t id = 0;
    for (unsigned i = 0; i < c->n_announced; i++) {
        struct announced *a = &c->announced[i];
        if (!a->withdrawn && ip_equal(&a->addr.ip, ip)) {
            a->withdrawn = true;
            a->due = false;
            found = true;
            id = a->id;
        }
    }
    if (!found || !conn_is_mptcp(c) || c->n_rm_ids == CONN_SIGNALS)
        return -1;
    c->rm_ids[c->n_rm_ids++] = id;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (!s->dead && ip_equal(&s->tcp.local.ip, ip) && c->n_subflows > 1) {
            conn_count(c, MP_RM_SUBFLOW);
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
        }
    }
    conn_dirty(c);
    return 0;
}

int braid_conn_set_backup(struct braid_conn *c, uint32_t subflow_id, bool backup)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->id == subflow_id && !s->dead && conn_is_mptcp(c)) {
            s->backup_ours = backup;
            s->prio_due = true;
            subflow_ack_soon(&s->tcp);
            conn_dirty(c);
            return 0;
        }
    }
    return -1;
}

/* A subflow that can carry an ACK now, rather not one whose path is down. */
static struct mp_subflow *flow_for_ack(struct braid_conn *c)
{
    struct mp_subflow *any = NULL;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (!flow_usable(s))
            continue;
        if (s->tcp.rtt.backoff == 0)
            return s;
        any = s;
    }
    return any;
}

void conn_addr_flush(struct braid_conn *c, braid_time now)
{
    unsigned due = c->echo_n + (c->n_rm_ids > 0);
    for (unsigned i = 0; i < c->n_announced; i++) {
        struct announced *a = &c->announced[i];
        if ((c->passive || c->dss_seen) && a->sent == 0 && !a->withdrawn) /* the third ACK had both keys */
            a->due = true;
        due += a->due;
    }
    if (due == 0)
        return;
    struct mp_subflow *s = flow_for_ack(c);
    if (!s)
        return;
    bool owes = s->tcp.ack_now || s->tcp.unacked_bytes > 0;
    while (due-- > 0)
        subflow_ack_at_once(&s->tcp, now); /* one option each (options.c) */
    if (owes)
        subflow_ack_soon(&s->tcp); /* an address leaves no room for the DATA_ACK of what has just come */
    if (c->addr_at > now + ADD_ADDR_INTERVAL)
        c->addr_at = now + ADD_ADDR_INTERVAL;
}

void conn_addr_timeout(struct braid_conn *c, braid_time now)
{
    c->addr_at = BRAID_NEVER;
    for (unsigned i = 0; i < c->n_announced; i++) {
        struct announced *a = &c->announced[i];
        if (a->echoed || a->withdrawn || a->sent == 0 || a->sent >= ADD_ADDR_TRIES)
            continue;
        a->due = true;
        c->addr_at = now + ADD_ADDR_INTERVAL;
    }
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->dead || s->probe_until == 0)
            continue;
        if (s->probe_until <= now) {
            conn_count(c, MP_RM_SUBFLOW);
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
        } else if (s->probe_until < c->addr_at) {
            c->addr_at = s->probe_until;
        }
    }
    conn_dirty(c);
}
