/* A network that splits packets into IP fragments: the interface card gets them in any order, some twice,
 * some never. Written from RFC 791 and RFC 8200 and not with src/wire. */
#include <string.h>
#include "base/bytes.h"
#include "world.h"

#define PIECES 16

static void ip4_sum(uint8_t *p)
{
    uint32_t sum = 0;

    put16(p + 10, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += get16(p + i);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(p + 10, (uint16_t) ~(sum + (sum >> 16)));
}

/* A fragment with n bytes of f's data from `off` on; last: nothing follows. */
static struct frame *piece(const struct frame *f, bool v6, uint32_t off, uint32_t n, bool last, uint32_t id)
{
    uint32_t ip = v6 ? 40 : 20, header = v6 ? 48 : 20;
    struct frame *p = frame_new(header + n);

    memcpy(p->data, f->data, ip);
    memcpy(p->data + header, f->data + ip + off, n);
    p->len = header + n;
    if (v6) {
        put16(p->data + 4, (uint16_t)(8 + n));
        p->data[6] = 44;
        p->data[40] = f->data[6];
        p->data[41] = 0;
        put16(p->data + 42, (uint16_t)(off | !last));
        put32(p->data + 44, id);
    } else {
        put16(p->data + 2, (uint16_t)p->len);
        put16(p->data + 6, (uint16_t)(off / 8 | (last ? 0 : 0x2000)));
        ip4_sum(p->data);
    }
    return p;
}

/* What was sent without an identification (nobody needs one below 200 bytes) is left whole. */
static bool splits(const struct world *w, const struct frame *f, struct rng *r)
{
    struct frame_view v = frame_look(f);

    return w->s.fragment > 0 && v.tcp && f->gso_size == 0 && f->len > 200 && f->data[v.v6 ? 6 : 9] == 6 &&
           rng_chance(r, w->s.fragment);
}

bool sim_fragments(struct sim_core *c, const struct frame *whole, struct rng *r)
{
    struct world *w = c->world;
    struct frame *f, *pieces[PIECES];
    uint32_t total, n = 0, off = 0;

    if (!splits(w, whole, r))
        return false;
    f = frame_copy(whole);
    frame_complete(f);
    bool v6 = frame_look(f).v6;
    for (total = f->len - (v6 ? 40 : 20); off < total; n++) {
        uint32_t most = n == PIECES - 1 ? total : (uint32_t)rng_range(r, 3, 100) * 8;
        uint32_t len = total - off < most ? total - off : most;

        pieces[n] = piece(f, v6, off, len, off + len == total, w->fragment_id);
        off += len;
    }
    w->fragment_id++;
    for (uint32_t i = 0; i < n; i++) {
        struct braid_input in = {0};
        uint32_t k = i + (uint32_t)rng_below(r, n - i);
        struct frame *p = pieces[k];

        pieces[k] = pieces[i];
        for (unsigned times = rng_chance(r, 0.005) ? 0 : rng_chance(r, 0.02) ? 2 : 1; times > 0; times--)
            if (!w->failed)
                sim_core_input(c, p, &in);
        frame_free(p);
    }
    frame_free(f);
    return true;
}
