/* Packets for the tests of wire/packet.h: built in one buffer, damaged there, parsed from it. */
#ifndef BRAID_TESTS_PACKETS_H
#define BRAID_TESTS_PACKETS_H

#include <check.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/packet.h"

static struct wire_packet p;
static uint8_t raw[2048];
static size_t raw_len;
static struct wire_tcp syn;

static inline void setup(void)
{
    memset(&p, 0xa5, sizeof(p));
    memset(raw, 0, sizeof(raw));
    syn = (struct wire_tcp){.seq = 0x01020304, .flags = TCP_SYN, .has_mss = true, .mss = 1460};
}

static inline struct braid_addr addr(const char *text)
{
    struct braid_addr a;

    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* Puts a TCP packet with a correct checksum into raw. */
static inline void make_tcp(const char *src, const char *dst, unsigned payload_len)
{
    struct packet_spec spec = {addr(src), addr(dst), &syn, payload_len, 64, 0, 0};
    struct packet_header h;
    struct iovec body;

    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    for (unsigned i = 0; i < payload_len; i++)
        raw[h.len + i] = (uint8_t)i;
    body = (struct iovec){raw + h.len, payload_len};
    packet_checksum_fill(&h, &body, 1);
    memcpy(raw, h.bytes, h.len);
    raw_len = h.len + payload_len;
}

static inline void make_v4(unsigned payload_len)
{
    make_tcp("192.0.2.1:40000", "198.51.100.7:443", payload_len);
}

static inline void make_v6(unsigned payload_len)
{
    make_tcp("[2001:db8::1]:40000", "[2001:db8:1::7]:443", payload_len);
}

static inline void fix_ip4_checksum(void)
{
    put16(raw + 10, 0);
    put16(raw + 10, (uint16_t)~checksum_fold(checksum_add(0, raw, (raw[0] & 15) * 4u)));
}

static inline enum wire_status parse(void)
{
    return packet_parse(raw, raw_len, true, &p);
}

static inline void expect_text(const struct braid_addr *a, const char *expected)
{
    char text[ADDR_TEXT];

    ck_assert_str_eq(addr_text(a, text), expected);
}

/* Inserts an extension header of 8 * units bytes behind the IPv6 header. */
static inline void insert_extension(uint8_t proto, unsigned units, uint8_t third)
{
    uint8_t *x = raw + 40;

    memmove(x + 8 * units, x, raw_len - 40);
    memset(x, 0, 8 * units);
    x[0] = raw[6];
    x[1] = (uint8_t)(units - 1);
    x[3] = third;
    raw[6] = proto;
    raw_len += 8 * units;
    put16(raw + 4, (uint16_t)(raw_len - 40));
}

/* Wraps what is in raw into an ICMP error of the same family, cut to `quote` bytes. */
static inline void wrap_icmp(uint8_t type, uint8_t code, uint32_t rest, size_t quote)
{
    bool v6 = raw[0] >> 4 == 6;
    size_t ip = v6 ? 40 : 20;
    uint8_t quoted[1024];
    uint64_t sum = 0;

    memcpy(quoted, raw, quote);
    if (v6) {
        struct braid_ip src = addr("[2001:db8:ff::1]:0").ip, dst = addr("[2001:db8::1]:0").ip;

        memset(raw, 0, 40);
        raw[0] = 0x60;
        put16(raw + 4, (uint16_t)(8 + quote));
        raw[6] = 58;
        raw[7] = 99;
        memcpy(raw + 8, src.b, 16);
        memcpy(raw + 24, dst.b, 16);
        sum = checksum_pseudo(&src, &dst, 58, (uint32_t)(8 + quote));
    } else {
        memset(raw, 0, 20);
        raw[0] = 0x45;
        put16(raw + 2, (uint16_t)(28 + quote));
        raw[8] = 99;
        raw[9] = 1;
        memcpy(raw + 12, "\x0a\0\0\1\xc0\0\2\1", 8);
        fix_ip4_checksum();
    }
    raw[ip] = type;
    raw[ip + 1] = code;
    put16(raw + ip + 2, 0);
    put32(raw + ip + 4, rest);
    memcpy(raw + ip + 8, quoted, quote);
    put16(raw + ip + 2, (uint16_t)~checksum_fold(checksum_add(sum, raw + ip, 8 + quote)));
    raw_len = ip + 8 + quote;
}

#endif
