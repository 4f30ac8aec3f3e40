/* Packets as kernels treat them: RFC 791, 8200, 9293 for the layout; TSO and GRO as Linux does them. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_ICMP6 = 58 };
enum { FLAG_FIN = 0x01, FLAG_PSH = 0x08, FLAG_CWR = 0x80 };

struct frame *frame_new(uint32_t cap)
{
    struct frame *f = malloc(sizeof(*f) + cap);

    if (!f)
        abort();
    *f = (struct frame){.cap = cap, .data = (uint8_t *)(f + 1)};
    return f;
}

void frame_free(struct frame *f)
{
    free(f);
}

struct frame *frame_copy(const struct frame *f)
{
    struct frame *copy = frame_new(f->len);

    copy->len = f->len;
    copy->gso_size = f->gso_size;
    copy->partial = f->partial;
    memcpy(copy->data, f->data, f->len);
    return copy;
}

struct frame *frame_from_packet(const struct braid_packet *p)
{
    struct frame *f = frame_new(p->header_len + p->payload_len);

    memcpy(f->data, p->header, p->header_len);
    f->len = p->header_len;
    for (unsigned i = 0; i < p->n_payload; i++) {
        if (p->payload[i].iov_len > f->cap - f->len)
            abort();
        memcpy(f->data + f->len, p->payload[i].iov_base, p->payload[i].iov_len);
        f->len += (uint32_t)p->payload[i].iov_len;
    }
    if (f->len != f->cap)
        abort();
    f->gso_size = p->gso_size;
    f->partial = p->csum_start != 0;
    return f;
}

struct frame_view frame_look(const struct frame *f)
{
    struct frame_view v = {.v6 = f->data[0] >> 4 == 6};

    v.l4 = v.v6 ? 40 : (f->data[0] & 15u) * 4;
    v.tcp = f->data[v.v6 ? 6 : 9] == PROTO_TCP;
    v.payload = v.tcp ? v.l4 + (f->data[v.l4 + 12] >> 4) * 4u : f->len;
    return v;
}

void frame_addrs(const struct frame *f, struct braid_ip *src, struct braid_ip *dst)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (f->data[0] >> 4 == 6) {
        memcpy(src->b, f->data + 8, 16);
        memcpy(dst->b, f->data + 24, 16);
        return;
    }
    memcpy(src->b, mapped, 12);
    memcpy(dst->b, mapped, 12);
    memcpy(src->b + 12, f->data + 12, 4);
    memcpy(dst->b + 12, f->data + 16, 4);
}

/* ---- checksums --------------------------------------------------------------------- */

static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(p + i);
    if (len & 1)
        sum += (uint32_t)p[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint32_t pseudo_sum(const struct frame *f, const struct frame_view *v)
{
    uint32_t proto = f->data[v->v6 ? 6 : 9];

    return sum_bytes(proto + (f->len - v->l4), f->data + (v->v6 ? 8 : 12), v->v6 ? 32 : 8);
}

static void complete_ip(struct frame *f, const struct frame_view *v)
{
    if (v->v6) {
        put16(f->data + 4, (uint16_t)(f->len - 40));
        return;
    }
    put16(f->data + 2, (uint16_t)f->len);
    put16(f->data + 10, 0);
    put16(f->data + 10, (uint16_t)~fold(sum_bytes(0, f->data, v->l4)));
}

/* Fills in the TCP checksum, or only the pseudo-header sum if the frame is to stay partial. */
static void complete_tcp(struct frame *f, const struct frame_view *v)
{
    uint8_t *field = f->data + v->l4 + 16;
    uint32_t sum = pseudo_sum(f, v);

    put16(field, 0);
    put16(field, f->partial ? fold(sum) : (uint16_t)~fold(sum_bytes(sum, f->data + v->l4, f->len - v->l4)));
}

void frame_refresh(struct frame *f)
{
    struct frame_view v = frame_look(f);

    complete_ip(f, &v);
    if (v.tcp)
        complete_tcp(f, &v);
}

void frame_complete(struct frame *f)
{
    f->partial = false;
    frame_refresh(f);
}

bool frame_valid(const struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint32_t sum;

    if (v.payload > f->len || (v.v6 ? get16(f->data + 4) + 40u : get16(f->data + 2)) != f->len)
        return false;
    if (!v.v6 && fold(sum_bytes(0, f->data, v.l4)) != 0xffff)
        return false;
    if (!v.v6 && !v.tcp)
        return fold(sum_bytes(0, f->data + v.l4, f->len - v.l4)) == 0xffff;
    sum = pseudo_sum(f, &v);
    if (f->partial)
        return get16(f->data + v.l4 + 16) == fold(sum);
    return fold(sum_bytes(sum, f->data + v.l4, f->len - v.l4)) == 0xffff;
}

/* ---- segmentation ------------------------------------------------------------------ */

static struct frame *cut(const struct frame *f, const struct frame_view *v, uint32_t off, uint32_t size)
{
    uint32_t left = f->len - v->payload - off, n = left < size ? left : size;
    struct frame *s = frame_new(v->payload + n);
    uint8_t *tcp = s->data + v->l4;

    memcpy(s->data, f->data, v->payload);
    memcpy(s->data + v->payload, f->data + v->payload + off, n);
    s->len = v->payload + n;
    put32(tcp + 4, get32(tcp + 4) + off);
    if (off > 0)
        tcp[13] &= (uint8_t)~FLAG_CWR;
    if (n < left)
        tcp[13] &= (uint8_t) ~(FLAG_FIN | FLAG_PSH);
    if (!v->v6)
        put16(s->data + 4, (uint16_t)(get16(s->data + 4) + off / size));
    frame_complete(s);
    return s;
}

struct frame *frame_split(const struct frame *f, uint32_t size)
{
    struct frame_view v = frame_look(f);
    struct frame *list = NULL, **tail = &list;
    uint32_t off = 0;

    do {
        *tail = cut(f, &v, off, size);
        tail = &(*tail)->next;
        off += size;
    } while (v.payload + off < f->len);
    return list;
}

/* ---- merging ----------------------------------------------------------------------- */

static bool same_flow(const struct frame *a, const struct frame *b)
{
    struct frame_view v = frame_look(a), w = frame_look(b);

    if (!v.tcp || !w.tcp || v.v6 != w.v6)
        return false;
    return memcmp(a->data + (v.v6 ? 8 : 12), b->data + (v.v6 ? 8 : 12), v.v6 ? 32 : 8) == 0 &&
           memcmp(a->data + v.l4, b->data + w.l4, 4) == 0;
}

/* Whether b continues a as tcp_gro_receive() of Linux sees it: it does not compare the windows. */
static bool continues(const struct frame *a, const struct frame *b)
{
    struct frame_view v = frame_look(a), w = frame_look(b);
    uint32_t a_len = a->len - v.payload, b_len = b->len - w.payload, size = a->gso_size ? a->gso_size : a_len;
    const uint8_t *x = a->data + v.l4, *y = b->data + w.l4;

    if (a_len == 0 || b_len == 0 || b->gso_size || b_len > size || a_len % size || a->len + b_len > FRAME_MAX)
        return false;
    if (get32(x + 4) + a_len != get32(y + 4) || get32(x + 8) != get32(y + 8) || x[12] != y[12])
        return false;
    if ((x[13] & (FLAG_FIN | FLAG_PSH)) || ((x[13] ^ y[13]) & ~(FLAG_FIN | FLAG_PSH)))
        return false;
    return memcmp(x + 20, y + 20, v.payload - v.l4 - 20) == 0;
}

static struct frame *append(struct frame *a, struct frame *b)
{
    struct frame_view v = frame_look(a), w = frame_look(b);
    uint32_t n = b->len - w.payload;

    if (a->cap < FRAME_MAX) {
        struct frame *big = frame_new(FRAME_MAX);

        memcpy(big->data, a->data, a->len);
        big->len = a->len;
        big->gso_size = a->gso_size;
        frame_free(a);
        a = big;
    }
    if (!a->gso_size)
        a->gso_size = (uint16_t)(a->len - v.payload);
    a->partial = false;
    memcpy(a->data + a->len, b->data + w.payload, n);
    a->len += n;
    a->data[v.l4 + 13] |= b->data[w.l4 + 13];
    frame_free(b);
    return a;
}

static void finish_merged(struct frame *list)
{
    for (struct frame *f = list; f; f = f->next) {
        struct frame_view v = frame_look(f);

        if (!v.tcp || !f->gso_size || f->partial)
            continue;
        f->partial = true;
        complete_ip(f, &v);
        complete_tcp(f, &v);
    }
}

struct frame *frame_gro(struct frame *list)
{
    struct frame *out = NULL, **tail = &out;

    while (list) {
        struct frame *f = list, **last = NULL;

        list = f->next;
        f->next = NULL;
        for (struct frame **p = &out; *p; p = &(*p)->next)
            if (same_flow(*p, f))
                last = p;
        if (last && continues(*last, f) && frame_valid(f) && ((*last)->gso_size || frame_valid(*last))) {
            struct frame *after = (*last)->next, *merged = append(*last, f);

            merged->next = after;
            *last = merged;
            tail = &out;
            while (*tail)
                tail = &(*tail)->next;
        } else {
            *tail = f;
            tail = &f->next;
        }
    }
    finish_merged(out);
    return out;
}

/* ---- ICMP -------------------------------------------------------------------------- */

static struct frame *icmp4_too_big(const struct frame *f, uint32_t mtu)
{
    uint32_t quote = f->len < 548 ? f->len : 548;
    struct frame *e = frame_new(28 + quote);
    uint8_t *d = e->data;

    memset(d, 0, 28);
    d[0] = 0x45;
    d[8] = 64;
    d[9] = PROTO_ICMP;
    memcpy(d + 12, f->data + 16, 4);
    memcpy(d + 16, f->data + 12, 4);
    d[20] = 3;
    d[21] = 4;
    put16(d + 26, (uint16_t)mtu);
    memcpy(d + 28, f->data, quote);
    e->len = 28 + quote;
    frame_complete(e);
    put16(d + 22, (uint16_t)~fold(sum_bytes(0, d + 20, e->len - 20)));
    return e;
}

static struct frame *icmp6_too_big(const struct frame *f, uint32_t mtu)
{
    uint32_t quote = f->len < 1232 ? f->len : 1232;
    struct frame *e = frame_new(48 + quote);
    struct frame_view v = {.v6 = true, .l4 = 40};
    uint8_t *d = e->data;

    memset(d, 0, 48);
    d[0] = 0x60;
    d[6] = PROTO_ICMP6;
    d[7] = 64;
    memcpy(d + 8, f->data + 24, 16);
    memcpy(d + 24, f->data + 8, 16);
    d[40] = 2;
    put32(d + 44, mtu);
    memcpy(d + 48, f->data, quote);
    e->len = 48 + quote;
    frame_complete(e);
    put16(d + 42, (uint16_t)~fold(sum_bytes(pseudo_sum(e, &v), d + 40, e->len - 40)));
    return e;
}

struct frame *frame_too_big(const struct frame *f, uint32_t mtu)
{
    return f->data[0] >> 4 == 6 ? icmp6_too_big(f, mtu) : icmp4_too_big(f, mtu);
}
