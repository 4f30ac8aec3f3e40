/* Network address translation: endpoint-independent mappings (RFC 4787), one per address and port of the
 * client, which may be forgotten in the middle; then the same client looks like another one, or like none. */
#include <string.h>
#include "base/addr.h"
#include "segment.h"
#include "world.h"

#define NAT_MAPS 256

struct nat_map {
    struct braid_addr in, out;
    bool stale;
    bool answered, used; /* the server has answered, and the client after that */
    bool again;          /* the client's address had a mapping before */
};

struct nat {
    unsigned n;
    bool rebound;
    struct nat_map maps[NAT_MAPS];
};

/* Only what is established is forgotten: a handshake would begin anew with a second sequence number. */
static void forget(struct box *b)
{
    const struct box_nat_params *p = &b->spec->nat;
    struct nat *nat = b->state;

    if (nat->rebound || !p->rebind_at || b->world->time.now - b->world->s.start < p->rebind_at)
        return;
    nat->rebound = true;
    sim_trace(b->world, "the NAT of path %u forgets its mappings", b->path);
    for (unsigned i = 0; i < nat->n; i++)
        nat->maps[i].stale = nat->maps[i].used;
}

static struct nat_map *find(struct nat *nat, const struct braid_addr *a, bool out, bool stale)
{
    for (unsigned i = 0; i < nat->n; i++) {
        struct nat_map *m = &nat->maps[i];

        if (addr_equal(out ? &m->out : &m->in, a) && (stale || !m->stale))
            return m;
    }
    return NULL;
}

static struct nat_map *map(struct box *b, const struct braid_addr *in)
{
    struct nat *nat = b->state;
    bool again = find(nat, in, false, true) != NULL;
    struct nat_map *m = &nat->maps[nat->n];

    if (nat->n == NAT_MAPS)
        return NULL;
    *m = (struct nat_map){.in = *in, .out = *in, .again = again};
    m->out.ip.b[15] = (uint8_t)(100 + 10 * b->index + (nat->rebound && b->spec->nat.swap_address));
    if (b->spec->nat.ports || (again && !b->spec->nat.swap_address))
        m->out.port = (uint16_t)(30000 + 1000 * b->index + nat->n);
    nat->n++;
    return m;
}

static void refuse(struct box *b, unsigned to, struct frame *f)
{
    struct seg s = seg_of(f);
    struct frame *rst;

    if (b->spec->nat.lost == NAT_RESET && (s.flags & (SEG_RST | SEG_ACK)) == SEG_ACK) {
        rst = seg_bare(f, true, SEG_RST, s.ack, 0);
        frame_complete(rst);
        box_pass(b, !to, rst);
    }
    box_kill(b, f);
}

static void up(struct box *b, struct frame *f)
{
    struct braid_addr src, dst;
    struct nat_map *m;

    seg_addrs(f, &src, &dst);
    m = find(b->state, &src, false, false);
    if (!m && ((seg_of(f).flags & SEG_SYN) || b->spec->nat.lost == NAT_REMAP))
        m = map(b, &src);
    if (!m) {
        refuse(b, SIM_SERVER, f);
        return;
    }
    m->used = m->used || m->answered;
    seg_set_addr(f, true, &m->out);
    frame_refresh(f);
    box_pass(b, SIM_SERVER, f);
}

static void translate(struct box *b, unsigned to, struct frame *f)
{
    struct braid_addr src, dst;
    struct nat_map *m;

    forget(b);
    if (to == SIM_SERVER) {
        up(b, f);
        return;
    }
    seg_addrs(f, &src, &dst);
    m = find(b->state, &dst, true, false);
    if (!m) {
        box_kill(b, f);
        return;
    }
    m->answered = true;
    seg_set_addr(f, false, &m->in);
    frame_refresh(f);
    box_pass(b, to, f);
}

static bool unmap(struct box *b, struct braid_addr *a, bool *again)
{
    struct nat_map *m = find(b->state, a, true, true);

    if (!m)
        return false;
    *a = m->in;
    *again = *again || m->again;
    return true;
}

const struct box_ops box_nat = {
    .name = "nat", .super = true, .state_size = sizeof(struct nat), .frame = translate, .unmap = unmap};
