/* See proxy_protocol.h; sections are those of doc/proxy-protocol.txt. */
#include "wire/proxy_protocol.h"
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "wire/crc32c.h"

#define SIGNATURE_LEN 12
#define TLV_HEADER    3 /* type and length */
#define V4_LEN        4
#define V6_LEN        16
#define UNIX_BLOCK    216

static const uint8_t signature[SIGNATURE_LEN] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const char v1_begin[] = "PROXY ";
#define V1_BEGIN (sizeof(v1_begin) - 1)

enum command { COMMAND_LOCAL, COMMAND_PROXY };
enum family { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };
enum transport { TRANSPORT_UNSPEC, TRANSPORT_STREAM, TRANSPORT_DGRAM };

/* ---- version 1 (section 2.1) -----------------------------------------------------------------------------
 */

/* Cuts the next word off *rest, which ends at its NUL. Exactly one space is between two. NULL: there is none.
 */
static char *next_word(char **rest)
{
    char *word = *rest;
    if (!word)
        return NULL;
    char *space = strchr(word, ' ');
    if (space)
        *space++ = '\0';
    *rest = space;
    return *word ? word : NULL;
}

/* No sign, no space, and no zero in front. */
static bool read_port(const char *word, uint16_t *port)
{
    unsigned value = 0;
    size_t n = word ? strlen(word) : 0;
    if (n == 0 || n > 5 || (n > 1 && word[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (word[i] < '0' || word[i] > '9')
            return false;
        value = value * 10 + (unsigned)(word[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

/* Written as one of that family. */
static bool read_ip(const char *word, bool v6, struct braid_ip *ip)
{
    return word && (strchr(word, ':') != NULL) == v6 && ip_parse(word, ip) == 0;
}

static bool read_addresses(char *rest, bool v6, struct proxy_header *out)
{
    out->has_addresses = read_ip(next_word(&rest), v6, &out->source.ip) &&
                         read_ip(next_word(&rest), v6, &out->destination.ip) &&
                         read_port(next_word(&rest), &out->source.port) &&
                         read_port(next_word(&rest), &out->destination.port);
    return out->has_addresses && !rest;
}

/* Of a line without its CRLF, behind "PROXY ". */
static bool read_line(char *rest, struct proxy_header *out)
{
    char *family = next_word(&rest);
    if (!family)
        return false;
    if (strcmp(family, "UNKNOWN") == 0)
        return true; /* whatever follows */
    bool v6 = strcmp(family, "TCP6") == 0;
    return (v6 || strcmp(family, "TCP4") == 0) && read_addresses(rest, v6, out);
}

static enum proxy_status parse_v1(const uint8_t *bytes, size_t len, struct proxy_header *out)
{
    char line[PROXY_V1_MAX + 1];
    size_t most = len < PROXY_V1_MAX ? len : PROXY_V1_MAX;
    const uint8_t *end = memchr(bytes, '\n', most);
    if (!end)
        return len < PROXY_V1_MAX ? PROXY_MORE : PROXY_BAD;
    size_t n = (size_t)(end - bytes);
    if (bytes[n - 1] != '\r' || memchr(bytes, '\0', n) || memchr(bytes, '\r', n - 1))
        return PROXY_BAD;
    memcpy(line, bytes, n - 1);
    line[n - 1] = '\0';
    *out = (struct proxy_header){.len = n + 1, .version = PROXY_V1};
    return read_line(line + V1_BEGIN, out) ? PROXY_COMPLETE : PROXY_BAD;
}

size_t proxy_write_v1(uint8_t *out, size_t room, const struct braid_addr *source,
                      const struct braid_addr *destination)
{
    char from[ADDR_TEXT], to[ADDR_TEXT], line[PROXY_V1_MAX + 1];
    bool v4 = ip_is_v4(&source->ip);
    int n = v4 != ip_is_v4(&destination->ip)
                ? snprintf(line, sizeof(line), "PROXY UNKNOWN\r\n")
                : snprintf(line, sizeof(line), "PROXY %s %s %s %u %u\r\n", v4 ? "TCP4" : "TCP6",
                           ip_text(&source->ip, from), ip_text(&destination->ip, to), source->port,
                           destination->port);
    if (n < 0 || (size_t)n >= sizeof(line) || (size_t)n > room)
        return 0;
    memcpy(out, line, (size_t)n);
    return (size_t)n;
}

/* ---- version 2 (section 2.2) -----------------------------------------------------------------------------
 */

static struct braid_ip ip_of(const uint8_t *at, size_t n)
{
    struct braid_ip ip;
    if (n == V4_LEN)
        return ip_from_v4(at);
    memcpy(ip.b, at, V6_LEN);
    return ip;
}

/* Bytes of addresses and ports that this family has in front of the TLVs. -1: there is no such family. */
static int block_len(unsigned family)
{
    static const int lens[] = {[FAMILY_UNSPEC] = 0,
                               [FAMILY_INET] = 2 * V4_LEN + 4,
                               [FAMILY_INET6] = 2 * V6_LEN + 4,
                               [FAMILY_UNIX] = UNIX_BLOCK};
    return family < sizeof(lens) / sizeof(lens[0]) ? lens[family] : -1;
}

static void read_block(const uint8_t *at, size_t n, struct proxy_header *out)
{
    out->source = (struct braid_addr){.ip = ip_of(at, n), .port = get16(at + 2 * n)};
    out->destination = (struct braid_addr){.ip = ip_of(at + n, n), .port = get16(at + 2 * n + 2)};
    out->has_addresses = true;
}

/* Whether they are whole, and which one has the checksum. */
static bool look_through(const struct proxy_header *h, const uint8_t **checksum)
{
    size_t at = 0;
    *checksum = NULL;
    while (h->n_tlvs - at >= TLV_HEADER) {
        const uint8_t *tlv = h->tlvs + at;
        size_t n = get16(tlv + 1);
        if (n > h->n_tlvs - at - TLV_HEADER)
            return false;
        if (tlv[0] == PROXY_TLV_CRC32C) {
            if (n != 4 || *checksum)
                return false;
            *checksum = tlv + TLV_HEADER;
        }
        at += TLV_HEADER + n;
    }
    return at == h->n_tlvs;
}

/* Of all of the header, with zeros in place of the checksum (section 2.2.3). */
static uint32_t checksum_of(const uint8_t *bytes, size_t len, const uint8_t *checksum)
{
    static const uint8_t zeros[4];
    size_t before = (size_t)(checksum - bytes);
    uint32_t crc = crc32c(CRC32C_BEGIN, bytes, before);
    crc = crc32c(crc, zeros, sizeof(zeros));
    return ~crc32c(crc, checksum + sizeof(zeros), len - before - sizeof(zeros));
}

static enum proxy_status parse_whole(const uint8_t *bytes, struct proxy_header *out)
{
    unsigned command = bytes[12] & 0xf, family = bytes[13] >> 4, transport = bytes[13] & 0xf;
    int block = block_len(family);
    size_t body = out->len - PROXY_V2_MIN;
    const uint8_t *checksum;
    if (command ==
        COMMAND_LOCAL) /* the family, too, is to be ignored, and so is what it would have in front */
        return PROXY_COMPLETE;
    if (command != COMMAND_PROXY || block < 0 || transport > TRANSPORT_DGRAM)
        return PROXY_BAD;
    if (family == FAMILY_UNSPEC) /* what has no format in front of TLVs has none that could be read */
        return PROXY_COMPLETE;
    if (body < (size_t)block)
        return PROXY_BAD;
    out->tlvs = bytes + PROXY_V2_MIN + block;
    out->n_tlvs = body - (size_t)block;
    if (!look_through(out, &checksum) ||
        (checksum && checksum_of(bytes, out->len, checksum) != get32(checksum)))
        return PROXY_BAD;
    if (transport == TRANSPORT_STREAM && family != FAMILY_UNIX)
        read_block(bytes + PROXY_V2_MIN, family == FAMILY_INET ? V4_LEN : V6_LEN, out);
    return PROXY_COMPLETE;
}

static enum proxy_status parse_v2(const uint8_t *bytes, size_t len, struct proxy_header *out)
{
    if (len > SIGNATURE_LEN && bytes[12] >> 4 != 2)
        return PROXY_BAD;
    if (len < PROXY_V2_MIN)
        return PROXY_MORE;
    *out = (struct proxy_header){.version = PROXY_V2, .len = PROXY_V2_MIN + (size_t)get16(bytes + 14)};
    if (out->len > PROXY_READ_MAX)
        return PROXY_BAD;
    return len < out->len ? PROXY_MORE : parse_whole(bytes, out);
}

/* ---- either ----------------------------------------------------------------------------------------------
 */

/* The stream begins so, as far as it is here. */
static bool begins_with(const uint8_t *bytes, size_t len, const void *what, size_t n)
{
    return memcmp(bytes, what, len < n ? len : n) == 0;
}

enum proxy_status proxy_parse(const uint8_t *bytes, size_t len, struct proxy_header *out)
{
    if (len == 0)
        return PROXY_MORE;
    if (begins_with(bytes, len, signature, SIGNATURE_LEN))
        return parse_v2(bytes, len, out);
    if (begins_with(bytes, len, v1_begin, V1_BEGIN))
        return len < V1_BEGIN ? PROXY_MORE : parse_v1(bytes, len, out);
    return PROXY_BAD;
}

const uint8_t *proxy_tlv(const struct proxy_header *h, uint8_t type, size_t *n)
{
    for (size_t at = 0; at < h->n_tlvs; at += TLV_HEADER + *n) {
        *n = get16(h->tlvs + at + 1);
        if (h->tlvs[at] == type)
            return h->tlvs + at + TLV_HEADER;
    }
    return NULL;
}

static void append(struct proxy_writer *w, const void *bytes, size_t n)
{
    if (w->full || n > w->room - w->len) {
        w->full = true;
        return;
    }
    if (n > 0)
        memcpy(w->out + w->len, bytes, n);
    w->len += n;
}

size_t proxy_write_local(uint8_t *out, size_t room)
{
    static const uint8_t head[] = {2 << 4 | COMMAND_LOCAL, FAMILY_UNSPEC, 0, 0};
    struct proxy_writer w = {.out = out, .room = room};
    append(&w, signature, SIGNATURE_LEN);
    append(&w, head, sizeof(head));
    return w.full ? 0 : w.len;
}

void proxy_begin(struct proxy_writer *w, uint8_t *out, size_t room, const struct braid_addr *source,
                 const struct braid_addr *destination)
{
    bool v4 = ip_is_v4(&source->ip) && ip_is_v4(&destination->ip);
    size_t skip = v4 ? V6_LEN - V4_LEN : 0;
    const uint8_t head[] = {2 << 4 | COMMAND_PROXY,
                            (uint8_t)((v4 ? FAMILY_INET : FAMILY_INET6) << 4 | TRANSPORT_STREAM), 0, 0};
    uint8_t ports[4];
    put16(ports, source->port);
    put16(ports + 2, destination->port);
    *w = (struct proxy_writer){.out = out, .room = room};
    append(w, signature, SIGNATURE_LEN);
    append(w, head, sizeof(head));
    append(w, source->ip.b + skip, V6_LEN - skip);
    append(w, destination->ip.b + skip, V6_LEN - skip);
    append(w, ports, sizeof(ports));
}

void proxy_put(struct proxy_writer *w, uint8_t type, const void *value, size_t n)
{
    uint8_t head[TLV_HEADER] = {type};
    w->full |= n > UINT16_MAX;
    put16(head + 1, (uint16_t)n);
    append(w, head, sizeof(head));
    append(w, value, n);
}

size_t proxy_end(struct proxy_writer *w)
{
    static const uint8_t zeros[4];
    proxy_put(w, PROXY_TLV_CRC32C, zeros, sizeof(zeros));
    if (w->full || w->len - PROXY_V2_MIN > UINT16_MAX)
        return 0;
    put16(w->out + 14, (uint16_t)(w->len - PROXY_V2_MIN));
    uint8_t *checksum = w->out + w->len - sizeof(zeros);
    put32(checksum, checksum_of(w->out, w->len, checksum));
    return w->len;
}
