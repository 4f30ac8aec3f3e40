/* Segments: RFC 9293 section 3.1 for the header, 7323 and 2018 for options. */
#include "segment.h"

#include <string.h>
#include "base/bytes.h"

struct seg seg_of(struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint8_t *tcp = f->data + v.l4;

    return (struct seg){.tcp = tcp,
                        .flags = tcp[13],
                        .seq = get32(tcp + 4),
                        .ack = get32(tcp + 8),
                        .len = f->len - v.payload,
                        .payload = f->data + v.payload};
}

uint32_t seg_end(const struct seg *s)
{
    return s->seq + s->len + !!(s->flags & SEG_SYN) + !!(s->flags & SEG_FIN);
}

/* ---- options ----------------------------------------------------------------------- */

uint8_t *seg_option(struct frame *f, uint32_t *at)
{
    struct frame_view v = frame_look(f);
    uint8_t *end = f->data + v.payload, *p = *at ? f->data + *at : f->data + v.l4 + 20;

    while (p < end && *p == OPT_NOP)
        p++;
    if (end - p < 2 || *p == OPT_END || p[1] < 2 || p[1] > end - p)
        return NULL;
    *at = (uint32_t)(p + p[1] - f->data);
    return p;
}

uint8_t *seg_find(struct frame *f, uint8_t kind)
{
    uint32_t at = 0;
    uint8_t *p;

    while ((p = seg_option(f, &at)))
        if (*p == kind)
            return p;
    return NULL;
}

bool seg_has_subtype(struct frame *f, unsigned mask)
{
    uint32_t at = 0;
    uint8_t *p;

    while ((p = seg_option(f, &at)))
        if (*p == OPT_MPTCP && p[1] > 2 && (mask >> (p[2] >> 4) & 1))
            return true;
    return false;
}

/* ---- new frames -------------------------------------------------------------------- */

static struct frame *rebuild(struct frame *f, const uint8_t *options, uint32_t n, const uint8_t *payload,
                             uint32_t len)
{
    struct frame_view v = frame_look(f);
    uint32_t padded = (n + 3) & ~3u, head = v.l4 + 20;
    struct frame *out = frame_new(head + padded + len);

    memcpy(out->data, f->data, head);
    memcpy(out->data + head, options, n);
    memset(out->data + head + n, OPT_NOP, padded - n);
    memcpy(out->data + head + padded, payload, len);
    out->data[v.l4 + 12] = (uint8_t)((20 + padded) / 4 << 4 | (f->data[v.l4 + 12] & 0x0f));
    out->len = head + padded + len;
    out->partial = f->partial;
    out->gso_size = f->gso_size;
    frame_refresh(out);
    frame_free(f);
    return out;
}

struct frame *seg_with_options(struct frame *f, const uint8_t *options, uint32_t len)
{
    struct seg s = seg_of(f);

    return rebuild(f, options, len, s.payload, s.len);
}

struct frame *seg_with_payload(struct frame *f, const uint8_t *payload, uint32_t len)
{
    struct frame_view v = frame_look(f);

    return rebuild(f, f->data + v.l4 + 20, v.payload - v.l4 - 20, payload, len);
}

struct frame *seg_bare(const struct frame *f, bool back, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct frame_view v = frame_look(f);
    struct frame *out = frame_new(v.l4 + 20 + SEG_OPTIONS);
    struct braid_addr src, dst;
    uint8_t *tcp = out->data + v.l4;

    memcpy(out->data, f->data, v.l4);
    memset(tcp, 0, 20);
    put32(tcp + 4, seq);
    put32(tcp + 8, flags & SEG_ACK ? ack : 0);
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    out->len = v.l4 + 20;
    seg_addrs(f, &src, &dst);
    seg_set_addr(out, true, back ? &dst : &src);
    seg_set_addr(out, false, back ? &src : &dst);
    return out;
}

/* ---- addresses --------------------------------------------------------------------- */

void seg_addrs(const struct frame *f, struct braid_addr *src, struct braid_addr *dst)
{
    struct frame_view v = frame_look(f);

    frame_addrs(f, &src->ip, &dst->ip);
    src->port = get16(f->data + v.l4);
    dst->port = get16(f->data + v.l4 + 2);
}

void seg_set_addr(struct frame *f, bool src, const struct braid_addr *a)
{
    struct frame_view v = frame_look(f);

    if (v.v6)
        memcpy(f->data + (src ? 8 : 24), a->ip.b, 16);
    else
        memcpy(f->data + (src ? 12 : 16), a->ip.b + 12, 4);
    put16(f->data + v.l4 + (src ? 0 : 2), a->port);
}
