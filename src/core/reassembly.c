/* Pieces of a packet put together: what belongs where, what contradicts, and the whole (RFC 791, RFC 8200
 * section 4.5). incomplete.c holds what is not whole yet. */
#include "core/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "core/incomplete.h"
#include "wire/tcp.h"

#define PIECES_MAX 64 /* of a packet */

/* The link where f belongs; *wrong: it overlaps a piece. NULL without that: it is there already. */
static struct piece **place(struct incomplete *p, const struct wire_fragment *f, bool *wrong)
{
    struct piece **at = &p->pieces;

    while (*at && (*at)->offset + (*at)->len <= f->offset)
        at = &(*at)->next;
    *wrong = *at && (*at)->offset < f->offset + f->len;
    if (!*wrong)
        return at;
    if ((*at)->offset == f->offset && (*at)->len == f->len && memcmp((*at)->data, f->data, f->len) == 0)
        *wrong = false;
    return NULL;
}

/* Whether f and what is known of the whole agree about where it ends. */
static bool ends_agree(const struct incomplete *p, const struct wire_fragment *f)
{
    unsigned end = f->offset + f->len;

    if (p->has_last && (f->more ? end >= p->total : end != p->total))
        return false;
    if (f->more || p->has_last)
        return true;
    for (const struct piece *q = p->pieces; q; q = q->next) {
        if (q->offset + q->len > end)
            return false;
    }
    return true;
}

/* The TCP header must be in the first fragment, as filters expect it (RFC 3128, RFC 7112). */
static bool hides_header(const struct wire_fragment *f)
{
    return f->offset == 0 ? f->len < TCP_HEADER_MIN : f->offset < TCP_HEADER_MIN;
}

static int add(struct reassembly *r, struct incomplete *p, const struct wire_fragment *f)
{
    bool wrong;
    struct piece **at = place(p, f, &wrong);

    if (wrong || !ends_agree(p, f) || hides_header(f) || (at && p->n_pieces == PIECES_MAX)) {
        incomplete_spoil(r, p);
        return 0;
    }
    if (!at)
        return 0;
    size_t cost = incomplete_piece_cost(f->len);
    struct piece *q = incomplete_make_room(r, p->source, cost, p) ? malloc(sizeof(*q) + f->len) : NULL;
    if (!q)
        return -1;
    incomplete_charge(r, p, cost);
    *q = (struct piece){.next = *at, .offset = f->offset, .len = f->len};
    memcpy(q->data, f->data, f->len);
    *at = q;
    p->n_pieces++;
    p->got = (uint16_t)(p->got + f->len);
    p->largest = f->size > p->largest ? f->size : p->largest;
    if (!f->more) {
        p->has_last = true;
        p->total = (uint16_t)(f->offset + f->len);
    }
    if (f->offset == 0) {
        p->first = *f;
        p->first.data = NULL;
        memcpy(p->header, f->header, f->header_len);
        p->first.header = p->header;
        p->has_first = true;
    }
    return 0;
}

/* Pieces do not overlap, so the sum of their lengths tells. */
static bool whole(const struct incomplete *p)
{
    return !p->spoilt && p->has_first && p->has_last && p->got == p->total;
}

/* A buffer for the whole, with its header in it. NULL: it would be too long, or memory is short. */
static struct buf *new_whole(const struct wire_fragment *first, unsigned len, unsigned largest,
                             struct reassembled *out)
{
    unsigned at = first->header_len;
    struct buf *b = at + len <= UINT16_MAX ? buf_new(at + len, NULL) : NULL;

    if (!b)
        return NULL;
    fragment_header_of_whole(first, (uint16_t)len, b->data);
    *out = (struct reassembled){.buf = b, .id = first->id, .largest = (uint16_t)largest};
    return b;
}

static bool put_together(struct reassembly *r, struct incomplete *p, struct reassembled *out)
{
    struct buf *b = new_whole(&p->first, p->total, p->largest, out);

    if (!b) {
        incomplete_fail(r, p);
        return false;
    }
    for (const struct piece *q = p->pieces; q; q = q->next)
        memcpy(b->data + p->first.header_len + q->offset, q->data, q->len);
    r->count->v[COUNT_IP_REASM_OKS]++;
    incomplete_forget(r, p);
    return true;
}

/* The only fragment of its packet concerns no others, whatever their identification (RFC 6946). */
static bool put_alone(struct reassembly *r, const struct wire_fragment *f, struct reassembled *out)
{
    struct buf *b = hides_header(f) ? NULL : new_whole(f, f->len, f->size, out);

    r->count->v[b ? COUNT_IP_REASM_OKS : COUNT_IP_REASM_FAILS]++;
    if (b)
        memcpy(b->data + f->header_len, f->data, f->len);
    return b;
}

bool reassembly_input(struct reassembly *r, const struct wire_fragment *f, braid_time now,
                      struct reassembled *out)
{
    struct incomplete *p;
    bool done = false;

    r->count->v[COUNT_IP_REASM_REQDS]++;
    if (f->offset == 0 && !f->more)
        return put_alone(r, f, out);
    p = incomplete_find(r, f);
    if (!p)
        p = incomplete_begin(r, f, now);
    if (!p)
        r->count->v[COUNT_IP_REASM_FAILS]++;
    else if (!p->spoilt && add(r, p, f) < 0)
        incomplete_fail(r, p);
    else if (whole(p))
        done = put_together(r, p, out);
    incomplete_arm(r);
    return done;
}
