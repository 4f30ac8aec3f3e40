/* What other files take for granted of a connection: see conn_sound.h. Tables have looked at each member by
 * itself (conn_freeze.c and its neighbours); here is what holds between them. */
#include "mptcp/conn_sound.h"

#include "base/addr.h"
#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/known.h"
#include "mptcp/order.h"

/* Chunks lie end to end and hold all that is not acknowledged. */
static bool chunks_are_sound(const struct conn_send *s)
{
    uint64_t at = s->una;
    for (const struct list *n = s->chunks.next; n != &s->chunks; n = n->next) {
        const struct send_chunk *k = list_entry(n, struct send_chunk, node);
        bool first = n == s->chunks.next;
        if (first ? seq64_before(at, k->dsn) && s->una != s->end : k->dsn != at)
            return false;
        at = k->dsn + k->len;
    }
    return at == s->end;
}

static bool send_is_sound(const struct conn_send *s)
{
    const struct ranges *r = &s->reinject;
    bool order = s->una >= DATA_FIRST && s->una <= s->nxt && s->nxt <= s->end;
    return order && chunks_are_sound(s) &&
           (r->n == 0 || (r->r[0].start >= s->una && r->r[r->n - 1].end <= s->nxt));
}

/* What is in order is what the user has and what waits for it; numbers before the first byte are those of
 * data that came with a SYN. Pieces do not touch what came in order, nor overlap each other. */
static bool recv_is_sound(const struct braid_conn *c)
{
    const struct conn_recv *r = &c->recv;
    uint64_t at = r->nxt, waits = r->user + r->bytes + (r->fin_received ? 1 : 0);
    if (waits != r->nxt && !r->discard && !c->closing.fail_due)
        return false;
    for (const struct list *n = r->ooo ? r->ooo->pieces.next : NULL; n && n != &r->ooo->pieces; n = n->next) {
        const struct data_ooo *o = list_entry(n, struct data_ooo, node);
        if (seq64_before(o->dsn, at) || (n == r->ooo->pieces.next && o->dsn == at))
            return false;
        at = o->dsn + o->s.len;
    }
    return true;
}

/* What the peer's SYN has brought was taken, and what its SYN/ACK has acknowledged of that. */
static bool syn_data_is_sound(const struct conn_syn_data *d)
{
    return d->in <= d->most && d->acked <= d->in;
}

/* What it carries was sent once. */
static bool maps_are_sound(const struct mp_subflow *s)
{
    const struct conn_send *send = &s->conn->send;
    list_each (n, tmp, &s->tcp.flight->maps) {
        const struct mp_map *m = mp_map_of(n);
        if (m->dsn + m->tcp.len > send->nxt || m->rescued > m->tcp.len)
            return false;
    }
    return true;
}

static bool flow_is_sound(const struct mp_subflow *s)
{
    const struct braid_conn *c = s->conn;
    bool reserve = c->mode == MODE_PLAIN || s->tcp.size.reserve >= FLOW_DSS_MOST;
    bool aside = !s->backup.aside || s->quiet.aside_times > 0;
    return s->id < c->next_subflow_id && (s == c->subflows || s->join) && reserve && aside &&
           maps_are_sound(s);
}

/* The handshake of the first subflow is the connection's. What its SYN may have brought the peer is there, to
 * be taken off what is to be sent. */
static bool first_is_sound(const struct braid_conn *c)
{
    const struct mp_subflow *s = c->subflows;
    bool begins = c->phase == CONN_PENDING || c->phase == CONN_HANDSHAKE;
    if (!s || (begins && s->join))
        return !begins || c->closing.fail_due;
    if (s->join || s->closing.dead) /* with its end in order nothing would have begun */
        return !begins || s->closing.why != SUBFLOW_CLOSED_DONE;
    bool early = !list_empty(&s->tcp.flight->maps);
    bool syn = early || (c->send.nxt == c->send.una && s->tcp.syn.sent <= c->send.end - c->send.una);
    return subflow_synchronized(&s->tcp) ? !begins : begins && syn;
}

/* What its user is asked about is another's SYN; he gives up what he was asked about by answering. */
static bool question_is_sound(const struct braid_conn *c)
{
    const struct conn_handshake *h = &c->handshake;
    bool answered = h->accept_due || h->refuse_due;
    if (c->phase != CONN_PENDING && !h->stateless)
        return true;
    return h->passive && (h->incoming_told || !answered) &&
           (!c->closing.told || answered || c->closing.fail_due);
}

bool conn_is_sound(const struct braid_conn *c, bool token)
{
    bool flows = true;
    each_flow (s, c)
        flows = flows && flow_is_sound(s);
    /* all other subflows have the first one's sequence space for their own */
    bool alone = conn_is_mptcp(c) || (c->n_subflows <= 1 && !token);
    return ip_is_pair(&c->addresses.local.ip, &c->addresses.remote.ip) && c->pm.ops && alone && flows &&
           question_is_sound(c) && first_is_sound(c) && send_is_sound(&c->send) && recv_is_sound(c) &&
           syn_data_is_sound(&c->syn_data);
}
