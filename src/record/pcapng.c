/* See pcapng.h. */
#include "record/pcapng.h"

#include <endian.h>
#include <string.h>

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define BLOCK_CUSTOM    0x00000badu /* to be copied by who rewrites the file */
#define BYTE_ORDER_MARK 0x1a2b3c4du
#define LINKTYPE_RAW    101
#define OPTION_END      0
#define OPTION_FLAGS    2    /* of a packet: 1 inbound, 2 outbound */
#define OPTION_CUSTOM   2989 /* binary, to be copied */
#define OPTION_NAME     2    /* of an interface */
#define OPTION_PROGRAM  4    /* of a section */
#define BLOCK_MOST      ((uint32_t)1 << 28)

static void put16le(struct blob *b, uint16_t v)
{
    v = htole16(v);
    blob_bytes(b, &v, sizeof(v));
}

static void put32le(struct blob *b, uint32_t v)
{
    v = htole32(v);
    blob_bytes(b, &v, sizeof(v));
}

/* Everything begins at a multiple of four bytes. */
static void pad(struct blob *b, size_t len)
{
    static const uint8_t zeros[3];
    blob_bytes(b, zeros, -len & 3);
}

/* Where its length stands is returned, for end. */
static size_t begin(struct blob *b, uint32_t type)
{
    put32le(b, type);
    put32le(b, 0);
    return b->len;
}

static void end(struct blob *b, size_t begun)
{
    uint32_t len = htole32((uint32_t)(b->len - begun + 12));
    if (b->failed)
        return;
    memcpy(b->data + begun - 4, &len, 4);
    blob_bytes(b, &len, 4);
}

static void option(struct blob *b, uint16_t code, const void *value, size_t len)
{
    put16le(b, code);
    put16le(b, (uint16_t)len);
    blob_bytes(b, value, len);
    pad(b, len);
}

void pcapng_begin(struct blob *b, const char *program, const char *interface, uint32_t snaplen)
{
    size_t g = begin(b, BLOCK_SECTION);
    put32le(b, BYTE_ORDER_MARK);
    put16le(b, 1);
    put16le(b, 0);
    put32le(b, UINT32_MAX); /* the section's length: not known */
    put32le(b, UINT32_MAX);
    option(b, OPTION_PROGRAM, program, strlen(program));
    option(b, OPTION_END, NULL, 0);
    end(b, g);
    g = begin(b, BLOCK_INTERFACE);
    put16le(b, LINKTYPE_RAW);
    put16le(b, 0);
    put32le(b, snaplen);
    option(b, OPTION_NAME, interface, strlen(interface));
    option(b, OPTION_END, NULL, 0);
    end(b, g);
}

static void custom_option(struct blob *b, const void *data, uint16_t len)
{
    put16le(b, OPTION_CUSTOM);
    put16le(b, (uint16_t)(len + 4));
    put32le(b, PCAPNG_NUMBER);
    blob_bytes(b, data, len);
    pad(b, len);
}

void pcapng_packet(struct blob *b, const struct pcapng_packet *p)
{
    size_t g = begin(b, BLOCK_PACKET), here = 0;
    uint32_t flags = htole32(p->out ? 2 : 1);
    for (unsigned i = 0; i < p->n_parts; i++)
        here += p->parts[i].iov_len;
    put32le(b, 0);
    put32le(b, (uint32_t)((uint64_t)p->at >> 32));
    put32le(b, (uint32_t)p->at);
    put32le(b, (uint32_t)here);
    put32le(b, p->len);
    for (unsigned i = 0; i < p->n_parts; i++)
        blob_bytes(b, p->parts[i].iov_base, p->parts[i].iov_len);
    pad(b, here);
    option(b, OPTION_FLAGS, &flags, sizeof(flags));
    custom_option(b, p->custom, p->custom_len);
    option(b, OPTION_END, NULL, 0);
    end(b, g);
}

void pcapng_custom(struct blob *b, const void *data, size_t len)
{
    size_t g = begin(b, BLOCK_CUSTOM);
    put32le(b, PCAPNG_NUMBER);
    /* the block's length has no place for how much of the last word is ours */
    put32le(b, (uint32_t)len);
    blob_bytes(b, data, len);
    pad(b, len);
    end(b, g);
}

/* ---- reading ---- */

static uint32_t get32le(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return le32toh(v);
}

static uint16_t get16le(const uint8_t *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof(v));
    return le16toh(v);
}

/* The first option of ours. */
static void find_option(const uint8_t *at, const uint8_t *end_at, struct pcapng_block *out)
{
    while (end_at - at >= 4 && get16le(at) != OPTION_END) {
        uint16_t code = get16le(at), len = get16le(at + 2);
        size_t padded = ((size_t)len + 3) & ~(size_t)3;
        at += 4;
        if ((size_t)(end_at - at) < padded)
            return;
        if (code == OPTION_CUSTOM && len >= 4 && get32le(at) == PCAPNG_NUMBER) {
            out->custom = at + 4;
            out->custom_len = len - 4u;
            return;
        }
        at += padded;
    }
}

/* A block without its type and lengths. False: it is not of interest. */
static bool read_block(uint32_t type, const uint8_t *body, size_t len, struct pcapng_block *out)
{
    *out = (struct pcapng_block){.kind = type == BLOCK_PACKET ? PCAPNG_PACKET : PCAPNG_CUSTOM};
    if (type == BLOCK_CUSTOM && len >= 8 && get32le(body) == PCAPNG_NUMBER) {
        out->data = body + 8;
        out->len = get32le(body + 4);
        return out->len <= len - 8;
    }
    if (type != BLOCK_PACKET || len < 20)
        return false;
    size_t padded = ((size_t)get32le(body + 12) + 3) & ~(size_t)3;
    if (padded > len - 20)
        return false;
    out->data = body + 20;
    out->len = get32le(body + 12);
    find_option(body + 20 + padded, body + len, out);
    return out->custom;
}

bool pcapng_next(struct scan *s, struct pcapng_block *out)
{
    while (s->end - s->at >= 12 && !s->torn) {
        uint32_t type = get32le(s->at), len = get32le(s->at + 4);
        const uint8_t *body = s->at + 8;
        if (len < 12 || len > BLOCK_MOST || len % 4 != 0 || len > (size_t)(s->end - s->at)) {
            s->torn = true;
            return false;
        }
        s->at += len;
        if (read_block(type, body, len - 12, out))
            return true;
    }
    s->torn = s->torn || s->at != s->end;
    return false;
}
