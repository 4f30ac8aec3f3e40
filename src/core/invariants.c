/* What must be so whatever peers send: asserted after each step of tests, simulation and fuzzers. */
#include <assert.h>

#include "base/seq.h"
#include "core/inside.h"

static void check_send(const struct braid_conn *c)
{
    assert(!seq64_before(c->send.nxt, c->send.una));
    assert(!seq64_before(c->send.end, c->send.nxt));
    uint64_t at = 0;
    size_t held = 0;
    list_each (n, tmp, &c->send.chunks) {
        const struct send_chunk *k = list_entry(n, struct send_chunk, node);
        assert(k->at + k->len <= k->buf->cap);
        assert(n == c->send.chunks.next || at == k->dsn);
        at = k->dsn + k->len;
        held += k->buf->cap;
    }
    if (c->send.una != c->send.end) {
        assert(!list_empty(&c->send.chunks) && at == c->send.end);
        assert(!seq64_before(c->send.una, list_entry(c->send.chunks.next, struct send_chunk, node)->dsn));
    }
    assert(held <= c->mem.used);
    for (uint32_t i = 0; i < c->send.reinject.n; i++)
        assert(c->send.reinject.r[i].start >= c->send.una && c->send.reinject.r[i].end <= c->send.nxt);
}

static void check_recv(const struct braid_conn *c)
{
    const struct recvq *q = c->recv.q;
    size_t sum = 0;
    for (uint32_t i = 0; q && i < q->n; i++)
        sum += q->v[(q->head + i) & (q->cap - 1)].len;
    assert(sum == c->recv.bytes);
    assert(c->recv.user + c->recv.bytes + (c->recv.fin_received ? 1 : 0) == c->recv.nxt || c->recv.discard ||
           c->closing.fail_due);
    const struct data_gaps *g = c->recv.ooo;
    if (!g)
        return;
    uint64_t at = c->recv.nxt;
    const struct data_ooo *first = NULL;
    sum = 0;
    list_each (n, tmp, &g->pieces) {
        const struct data_ooo *o = list_entry(n, struct data_ooo, node);
        assert(seq64_before(at, o->dsn) || (n != g->pieces.next && at == o->dsn));
        first = first && at == o->dsn ? first : o;
        at = o->dsn + o->s.len;
        sum += o->s.len;
        if (n->next == &g->pieces || list_entry(n->next, struct data_ooo, node)->dsn != at)
            assert(first->other == o && o->other == first);
    }
    assert(sum > 0 && sum == g->bytes);
}

void braid_core_check(const struct braid_core *core)
{
    uint64_t conns = 0, flows = 0;
    reassembly_check(&core->reassembly);
    each_conn (c, &core->env) {
        conns++;
        flows += c->n_subflows;
        check_send(c);
        check_recv(c);
        each_flow (s, c) {
            if (!s->closing.dead)
                subflow_check(&s->tcp);
        }
    }
    assert(conns == core->env.n_conns);
    assert(flows == core->env.n_subflows && flows == core->flows.count);
}
