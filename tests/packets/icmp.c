/* ICMP errors that a script sends: "too-big MTU quoting SEQ [as ADDRESS]", "unreachable quoting SEQ [as
 * ADDRESS]".
 */
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "pkt.h"
#include "wire/checksum.h"
#include "wire/ip.h"

struct error {
    bool too_big;
    uint32_t mtu, seq;
    struct braid_ip quoted; /* source of the packet that it quotes */
};

static void error_parse(struct script *s, const struct flow *f, char **words, unsigned n, struct error *e)
{
    unsigned i = 1;

    *e = (struct error){.too_big = n > 1 && strcmp(words[0], "too-big") == 0, .quoted = f->core.ip};
    if (n == 0 || (!e->too_big && strcmp(words[0], "unreachable") != 0))
        fail(s, "icmp too-big MTU or icmp unreachable expected");
    if (e->too_big)
        e->mtu = (uint32_t)parse_number(s, words[i++]);
    if (i + 1 >= n || strcmp(words[i], "quoting") != 0)
        fail(s, "\"quoting SEQ\" is missing");
    e->seq = f->core_iss + (uint32_t)parse_number(s, words[i + 1]);
    i += 2;
    if (i < n && (i + 2 != n || strcmp(words[i], "as") != 0 || ip_parse(words[i + 1], &e->quoted) != 0 ||
                  ip_is_v4(&e->quoted) != ip_is_v4(&f->core.ip)))
        fail(s, "\"as ADDRESS\" of the flow's family is all that may follow");
}

/* The start of a segment from the core: headers without options. */
static unsigned quote(const struct flow *f, const struct error *e, uint8_t *out)
{
    struct wire_tcp t = {.seq = e->seq, .flags = TCP_ACK};
    struct packet_spec spec = {
        .src = {.ip = e->quoted, .port = f->core.port}, .dst = f->peer, .tcp = &t, .hop_limit = 60};
    struct packet_header h;

    packet_header_build(&spec, &h);
    memcpy(out, h.bytes, h.len);
    return h.len;
}

size_t icmp_build(struct script *s, const struct flow *f, char **words, unsigned n,
                  uint8_t out[ICMP_PACKET_MAX])
{
    bool v6 = !ip_is_v4(&f->core.ip);
    uint8_t *icmp = out + (v6 ? IP6_HEADER : IP4_HEADER);
    struct error e;
    uint64_t sum = 0;
    unsigned len;

    error_parse(s, f, words, n, &e);
    len = ICMP_HEADER + quote(f, &e, icmp + ICMP_HEADER);
    memset(icmp, 0, ICMP_HEADER);
    put32(icmp + 4, e.mtu);
    if (v6) {
        icmp[0] = e.too_big ? ICMP6_TOO_BIG : ICMP6_UNREACHABLE;
        ip6_put(&f->peer.ip, &f->core.ip, PROTO_ICMP6, 64, len, out);
        sum = checksum_pseudo(&f->peer.ip, &f->core.ip, PROTO_ICMP6, len);
    } else {
        icmp[0] = ICMP4_UNREACHABLE;
        icmp[1] = e.too_big ? ICMP4_TOO_BIG : ICMP4_HOST;
        ip4_put(&f->peer.ip, &f->core.ip, PROTO_ICMP4, 64, IP4_HEADER + len, 0, out);
    }
    put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(sum, icmp, len)));
    return (size_t)(icmp - out) + len;
}
