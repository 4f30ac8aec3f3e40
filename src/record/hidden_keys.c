/* See hidden_keys.h. */
#include "record/hidden_keys.h"

#include <string.h>
#include <braid/tap.h>
#include "base/bytes.h"

#define OPTION_MPTCP      30
#define SUBTYPE_CAPABLE   0
#define SUBTYPE_DSS       2
#define SUBTYPE_FASTCLOSE 7
#define DSS_DATA_ACK      0x01
#define DSS_ACK64         0x02
#define DSS_MAP           0x04
#define DSS_DSN64         0x08

uint64_t key_stand_in(uint64_t key, uint64_t local, uint64_t remote)
{
    if (key == local || key == BRAID_TAP_KEY_LOCAL)
        return BRAID_TAP_KEY_LOCAL;
    return key == remote || remote == 0 || key == BRAID_TAP_KEY_REMOTE ? BRAID_TAP_KEY_REMOTE : 0;
}

static void hide_key(uint8_t *at, uint64_t local, uint64_t remote)
{
    put64(at, key_stand_in(get64(at), local, remote));
}

/* MP_CAPABLE: 12 bytes with one key, more with two, in front of a length and a checksum (RFC 8684
 * section 3.1). */
static void hide_in_option(uint8_t *o, size_t len, uint64_t local, uint64_t remote)
{
    unsigned subtype = o[2] >> 4;
    if ((subtype == SUBTYPE_CAPABLE || subtype == SUBTYPE_FASTCLOSE) && len >= 12)
        hide_key(o + 4, local, remote);
    if (subtype == SUBTYPE_CAPABLE && len >= 20)
        hide_key(o + 12, local, remote);
}

/* Behind the mapping's length; that of MP_CAPABLE with data is at its end, too (section 3.1). */
static void hide_checksum(uint8_t *o, size_t len)
{
    unsigned subtype = o[2] >> 4, flags = len > 3 ? o[3] : 0;
    size_t plain = 4;
    if (subtype == SUBTYPE_CAPABLE && len == 24)
        memset(o + 22, 0, 2);
    if (subtype != SUBTYPE_DSS || !(flags & DSS_MAP))
        return;
    plain += flags & DSS_DATA_ACK ? flags & DSS_ACK64 ? 8 : 4 : 0;
    plain += (flags & DSS_DSN64 ? 8 : 4) + 4 + 2;
    if (len == plain + 2)
        memset(o + plain, 0, 2);
}

/* The next MPTCP option behind *at; NULL: there is none. */
static uint8_t *next_option(uint8_t *p, size_t *at, size_t end, size_t *len)
{
    while (*at < end && p[*at] != 0) {
        uint8_t *o = p + *at;
        *len = o[0] == 1 ? 1 : *at + 1 < end ? o[1] : 0;
        if (*len == 0 || (o[0] != 1 && *len < 2) || *len > end - *at)
            return NULL;
        *at += *len;
        if (o[0] == OPTION_MPTCP && *len >= 3)
            return o;
    }
    return NULL;
}

static size_t options_end(const uint8_t *p, size_t tcp, size_t len)
{
    size_t end = tcp + (size_t)(p[tcp + 12] >> 4) * 4;
    return end < len ? end : len;
}

/* What an ICMP error quotes beyond addresses, ports and sequence number may have options; its checksum stays
 * right (RFC 1624). */
static void cut_quotation(uint8_t *p, size_t len)
{
    size_t icmp = len > 0 && p[0] >> 4 == 4 ? (size_t)(p[0] & 15) * 4 : 40, quoted = icmp + 8;
    if (quoted >= len)
        return;
    size_t from = quoted + (p[quoted] >> 4 == 4 ? (size_t)(p[quoted] & 15) * 4 : 40) + 8;
    uint32_t sum = (uint16_t)~get16(p + icmp + 2);
    for (size_t at = from; at < len; at += 2) {
        uint16_t word = (uint16_t)(p[at] << 8 | (at + 1 < len ? p[at + 1] : 0));
        sum += (uint16_t)~word;
        memset(p + at, 0, at + 1 < len ? 2 : 1);
    }
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(p + icmp + 2, (uint16_t)~sum);
}

void keys_hide(uint8_t *header, size_t len, size_t tcp, uint64_t local, uint64_t remote)
{
    size_t at = tcp + 20, n;
    uint8_t *o;
    if (tcp == 0)
        cut_quotation(header, len);
    while (tcp > 0 && tcp + 20 <= len && (o = next_option(header, &at, options_end(header, tcp, len), &n)))
        hide_in_option(o, n, local, remote);
}

void checksums_hide(uint8_t *header, size_t len, size_t tcp)
{
    size_t at = tcp + 20, n;
    uint8_t *o;
    if (tcp < 20 || tcp + 20 > len)
        return;
    if (header[0] >> 4 == 4)
        memset(header + 10, 0, 2);
    memset(header + tcp + 16, 0, 2);
    while ((o = next_option(header, &at, options_end(header, tcp, len), &n)))
        hide_checksum(o, n);
}
