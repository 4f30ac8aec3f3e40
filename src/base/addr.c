/* Addresses as text (RFC 5952) and back, without the C library's resolver or stdio. */
#include <string.h>

#include "base/addr.h"

#define NETWORK_V4 (96 + 24) /* bits of the v4-mapped address */
#define NETWORK_V6 56

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_is_v4(const struct braid_ip *ip)
{
    uint64_t high;
    uint32_t low, prefix;

    memcpy(&high, ip->b, 8);
    memcpy(&low, ip->b + 8, 4);
    memcpy(&prefix, v4_prefix + 8, 4);
    return high == 0 && low == prefix;
}

bool ip_is_unspecified(const struct braid_ip *ip)
{
    static const uint8_t zero[16];
    return ip_is_v4(ip) ? memcmp(ip->b + 12, zero, 4) == 0 : memcmp(ip->b, zero, 16) == 0;
}

bool ip_is_loopback(const struct braid_ip *ip)
{
    static const struct braid_ip v6 = {.b = {[15] = 1}};
    return ip_is_v4(ip) ? ip->b[12] == 127 : memcmp(ip->b, v6.b, sizeof(v6.b)) == 0;
}

bool ip_is_multicast(const struct braid_ip *ip)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    if (!ip_is_v4(ip))
        return ip->b[0] == 0xff;
    return (ip->b[12] & 0xf0) == 0xe0 || memcmp(ip->b + 12, broadcast, 4) == 0;
}

static bool is_host(const struct braid_ip *ip)
{
    return !ip_is_multicast(ip) && !ip_is_unspecified(ip);
}

bool ip_is_pair(const struct braid_ip *a, const struct braid_ip *b)
{
    return ip_is_v4(a) == ip_is_v4(b) && is_host(a) && is_host(b);
}

bool ip_equal(const struct braid_ip *a, const struct braid_ip *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool ip_in_prefix(const struct braid_ip *ip, const struct braid_ip *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(ip->b, prefix->b, whole) != 0)
        return false;
    return rest == 0 || (ip->b[whole] ^ prefix->b[whole]) >> (8 - rest) == 0;
}

struct braid_ip ip_prefix(const struct braid_ip *ip, unsigned bits)
{
    struct braid_ip prefix = {.b = {0}};
    unsigned whole = bits / 8, rest = bits % 8;
    memcpy(prefix.b, ip->b, whole);
    if (rest > 0)
        prefix.b[whole] = (uint8_t)(ip->b[whole] & (0xff00 >> rest));
    return prefix;
}

struct braid_ip ip_network(const struct braid_ip *ip)
{
    return ip_prefix(ip, ip_is_v4(ip) ? NETWORK_V4 : NETWORK_V6);
}

bool addr_equal(const struct braid_addr *a, const struct braid_addr *b)
{
    return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

struct braid_ip ip_from_v4(const uint8_t b[4])
{
    struct braid_ip ip;

    memcpy(ip.b, v4_prefix, sizeof(v4_prefix));
    memcpy(ip.b + 12, b, 4);
    return ip;
}

static char *put_decimal(char *p, unsigned v)
{
    if (v >= 10)
        p = put_decimal(p, v / 10);
    *p = (char)('0' + v % 10);
    return p + 1;
}

static char *put_hex(char *p, unsigned v)
{
    if (v >= 16)
        p = put_hex(p, v / 16);
    *p = "0123456789abcdef"[v % 16];
    return p + 1;
}

static char *put_v4(char *p, const uint8_t b[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_decimal(p, b[i]);
    }
    return p;
}

/* The first longest run of at least two zero groups (RFC 5952 section 4.2), as [start, start + length). */
static int longest_zeros(const uint16_t g[8], int *length)
{
    int best = 0, best_len = 1;

    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && g[i + n] == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
    }
    *length = best_len > 1 ? best_len : 0;
    return best;
}

static char *put_v6(char *p, const uint8_t b[16])
{
    uint16_t g[8];
    int gap, gap_len;

    for (int i = 0; i < 8; i++)
        g[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
    gap = longest_zeros(g, &gap_len);
    for (int i = 0; i < 8; i++) {
        if (gap_len > 0 && i == gap) {
            *p++ = ':';
            *p++ = ':';
            i += gap_len - 1;
            continue;
        }
        if (i > 0 && !(gap_len > 0 && i == gap + gap_len))
            *p++ = ':';
        p = put_hex(p, g[i]);
    }
    return p;
}

static char *put_ip(char *p, const struct braid_ip *ip)
{
    return ip_is_v4(ip) ? put_v4(p, ip->b + 12) : put_v6(p, ip->b);
}

const char *ip_text(const struct braid_ip *ip, char text[ADDR_TEXT])
{
    *put_ip(text, ip) = '\0';
    return text;
}

const char *addr_text(const struct braid_addr *a, char text[ADDR_TEXT])
{
    bool v4 = ip_is_v4(&a->ip);
    char *p = text;

    if (!v4)
        *p++ = '[';
    p = put_ip(p, &a->ip);
    if (!v4)
        *p++ = ']';
    *p++ = ':';
    *put_decimal(p, a->port) = '\0';
    return text;
}

/* A decimal number without superfluous zeros, at most max. Returns what follows it, or NULL. */
static const char *get_decimal(const char *p, const char *end, unsigned max, unsigned *v)
{
    const char *start = p;

    *v = 0;
    while (p < end && *p >= '0' && *p <= '9') {
        *v = *v * 10 + (unsigned)(*p++ - '0');
        if (*v > max)
            return NULL;
    }
    if (p == start || (*start == '0' && p - start > 1))
        return NULL;
    return p;
}

static bool get_v4(const char *p, const char *end, uint8_t b[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned v;

        if (i > 0 && (p == end || *p++ != '.'))
            return false;
        p = get_decimal(p, end, 255, &v);
        if (!p)
            return false;
        b[i] = (uint8_t)v;
    }
    return p == end;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads one to four hexadecimal digits. Returns what follows them, or NULL. */
static const char *get_group(const char *p, const char *end, uint8_t b[2])
{
    unsigned v = 0;
    int digits = 0;

    while (p < end && hex_digit(*p) >= 0) {
        if (++digits > 4)
            return NULL;
        v = v << 4 | (unsigned)hex_digit(*p++);
    }
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
    return digits > 0 ? p : NULL;
}

static bool get_v6(const char *p, const char *end, uint8_t b[16])
{
    int n = 0, gap = -1; /* bytes read; bytes before the "::" */

    while (p < end) {
        const char *next;

        if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
            if (gap >= 0)
                return false;
            gap = n;
            p += 2;
            if (p == end)
                break;
        } else if (n > 0 && *p++ != ':') {
            return false;
        }
        if (n <= 12 && get_v4(p, end, b + n)) {
            n += 4;
            break;
        }
        next = n <= 14 ? get_group(p, end, b + n) : NULL;
        if (!next)
            return false;
        n += 2;
        p = next;
    }
    if (gap < 0)
        return n == 16;
    if (n > 14)
        return false;
    memmove(b + 16 - (n - gap), b + gap, (size_t)(n - gap));
    memset(b + gap, 0, (size_t)(16 - n));
    return true;
}

int ip_parse(const char *text, struct braid_ip *ip)
{
    const char *end = text + strlen(text);
    uint8_t v4[4], v6[16];

    if (get_v4(text, end, v4)) {
        *ip = ip_from_v4(v4);
        return 0;
    }
    if (!get_v6(text, end, v6))
        return -1;
    memcpy(ip->b, v6, sizeof(v6));
    return 0;
}

int addr_parse(const char *text, struct braid_addr *a)
{
    const char *end = text + strlen(text), *colon = strrchr(text, ':'), *rest;
    struct braid_addr parsed = {0};
    uint8_t v4[4];
    unsigned port;

    if (!colon)
        return -1;
    rest = get_decimal(colon + 1, end, 65535, &port);
    if (rest != end)
        return -1;
    if (get_v4(text, colon, v4))
        parsed.ip = ip_from_v4(v4);
    else if (*text != '[' || colon[-1] != ']' || !get_v6(text + 1, colon - 1, parsed.ip.b))
        return -1;
    parsed.port = (uint16_t)port;
    *a = parsed;
    return 0;
}
