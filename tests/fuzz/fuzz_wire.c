/* Feeds the codecs with arbitrary bytes. Whatever parses must stay inside the input, and must come back the
 * same after being encoded and parsed again. The input is an IP packet; it is tried as it is, with its
 * checksums mended, since mutation breaks them, and as a bare TCP header and a bare MPTCP option. */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/packet.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_same_capable(const struct mptcp_capable *a, const struct mptcp_capable *b)
{
    MUST(a->version == b->version && a->flags == b->flags && a->n_keys == b->n_keys);
    MUST(a->has_len == b->has_len && a->has_csum == b->has_csum);
    MUST(a->sender_key == b->sender_key && a->receiver_key == b->receiver_key);
    MUST(a->data_len == b->data_len && a->csum == b->csum);
}

static void must_be_same_join(const struct mptcp_join *a, const struct mptcp_join *b)
{
    MUST(a->kind == b->kind && a->backup == b->backup && a->addr_id == b->addr_id);
    MUST(a->token == b->token && a->nonce == b->nonce);
    MUST(memcmp(a->hmac, b->hmac, sizeof(a->hmac)) == 0);
}

static void must_be_same_dss(const struct mptcp_dss *a, const struct mptcp_dss *b)
{
    MUST(a->data_fin == b->data_fin && a->has_ack == b->has_ack && a->ack64 == b->ack64);
    MUST(a->has_map == b->has_map && a->dsn64 == b->dsn64 && a->has_csum == b->has_csum);
    MUST(a->data_ack == b->data_ack && a->dsn == b->dsn && a->ssn == b->ssn);
    MUST(a->len == b->len && a->csum == b->csum);
}

static void must_be_same_add_addr(const struct mptcp_add_addr *a, const struct mptcp_add_addr *b)
{
    MUST(a->echo == b->echo && a->bare == b->bare && a->has_port == b->has_port && a->id == b->id);
    MUST(addr_equal(&a->addr, &b->addr));
    MUST(memcmp(a->hmac, b->hmac, sizeof(a->hmac)) == 0);
}

static void must_be_same_mptcp(const struct wire_mptcp *a, const struct wire_mptcp *b)
{
    MUST(a->has == b->has && !b->malformed);
    if (a->has & MPTCP_HAS(MPTCP_CAPABLE))
        must_be_same_capable(&a->capable, &b->capable);
    if (a->has & MPTCP_HAS(MPTCP_JOIN))
        must_be_same_join(&a->join, &b->join);
    if (a->has & MPTCP_HAS(MPTCP_DSS))
        must_be_same_dss(&a->dss, &b->dss);
    if (a->has & MPTCP_HAS(MPTCP_ADD_ADDR))
        must_be_same_add_addr(&a->add_addr, &b->add_addr);
    if (a->has & MPTCP_HAS(MPTCP_REMOVE_ADDR)) {
        MUST(a->remove_addr.n == b->remove_addr.n);
        MUST(memcmp(a->remove_addr.ids, b->remove_addr.ids, a->remove_addr.n) == 0);
    }
    if (a->has & MPTCP_HAS(MPTCP_PRIO))
        MUST(a->prio_backup == b->prio_backup && a->prio_has_id == b->prio_has_id &&
             a->prio_id == b->prio_id);
    if (a->has & MPTCP_HAS(MPTCP_FAIL))
        MUST(a->fail_dsn == b->fail_dsn);
    if (a->has & MPTCP_HAS(MPTCP_FASTCLOSE))
        MUST(a->fastclose.key == b->fastclose.key);
    if (a->has & MPTCP_HAS(MPTCP_TCPRST))
        MUST(a->rst_flags == b->rst_flags && a->rst_reason == b->rst_reason);
}

static void must_be_same_tcp(const struct wire_tcp *a, const struct wire_tcp *b)
{
    MUST(a->src_port == b->src_port && a->dst_port == b->dst_port);
    MUST(a->seq == b->seq && a->ack == b->ack && a->window == b->window && a->urgent == b->urgent);
    MUST(a->flags == b->flags && a->has_mss == b->has_mss && a->has_wscale == b->has_wscale);
    MUST(a->sack_ok == b->sack_ok && a->has_ts == b->has_ts && a->n_sack == b->n_sack);
    MUST(!a->has_mss || a->mss == b->mss);
    MUST(!a->has_wscale || a->wscale == b->wscale);
    MUST(!a->has_ts || (a->tsval == b->tsval && a->tsecr == b->tsecr));
    for (unsigned i = 0; i < a->n_sack; i++)
        MUST(a->sack[i].start == b->sack[i].start && a->sack[i].end == b->sack[i].end);
    must_be_same_mptcp(&a->mp, &b->mp);
}

static void try_tcp_header(const uint8_t *data, size_t len)
{
    struct wire_tcp first, second;
    uint8_t header[TCP_HEADER_MAX];
    int parsed = tcp_header_parse(data, len, &first), encoded;

    if (parsed < 0)
        return;
    MUST(parsed >= TCP_HEADER_MIN && (size_t)parsed <= len);
    encoded = tcp_header_encode(&first, header);
    if (encoded < 0)
        return; /* options of odd sizes can need more padding than there is room */
    MUST((unsigned)encoded == TCP_HEADER_MIN + tcp_options_size(&first) + mptcp_options_size(&first.mp));
    MUST(tcp_header_parse(header, (size_t)encoded, &second) == encoded);
    must_be_same_tcp(&first, &second);
}

/* All options of the input, one after the other, as options of one segment. */
static void try_mptcp_options(const uint8_t *data, size_t len, bool syn, bool ack)
{
    struct wire_mptcp first = {0}, second = {0};
    uint8_t bytes[256];
    unsigned n;

    while (len >= 2 && data[1] >= 2 && data[1] <= len) {
        mptcp_option_parse(data, data[1], syn, ack, &first);
        len -= data[1];
        data += data[1];
    }
    n = mptcp_options_encode(&first, bytes, sizeof(bytes));
    MUST(n == mptcp_options_size(&first) && n % 4 == 0);
    for (unsigned i = 0; i < n; i += bytes[i] == 1 ? 1 : bytes[i + 1]) {
        if (bytes[i] != 1)
            MUST(mptcp_option_parse(bytes + i, bytes[i + 1], syn, ack, &second) == 0);
    }
    must_be_same_mptcp(&first, &second);
}

/* Builds the packet anew from what was parsed, with a checksum, and parses it with verification. */
static void try_rebuild(const struct wire_packet *p)
{
    static uint8_t packet[PACKET_HEADER_MAX + 65536];
    struct packet_spec spec = {p->src, p->dst, &p->tcp, p->payload_len, p->hop_limit, 0, 0};
    struct iovec halves[2] = {
        {(void *)p->payload, p->payload_len / 2},
        {(void *)(p->payload + p->payload_len / 2), p->payload_len - p->payload_len / 2}};
    struct packet_header h;
    struct wire_packet again;

    if (packet_header_build(&spec, &h) < 0)
        return;
    packet_checksum_fill(&h, halves, 2);
    memcpy(packet, h.bytes, h.len);
    memcpy(packet + h.len, p->payload, p->payload_len);
    MUST(packet_parse(packet, h.len + p->payload_len, true, &again) == WIRE_OK);
    MUST(again.kind == WIRE_TCP && addr_equal(&p->src, &again.src) && addr_equal(&p->dst, &again.dst));
    MUST(again.payload_len == p->payload_len && again.hop_limit == p->hop_limit);
    must_be_same_tcp(&p->tcp, &again.tcp);
}

/* The ICMP message about a TCP packet must name that packet, unless extension headers crowd its ports out. */
static void try_unreachable(const uint8_t *data, size_t len, const struct wire_packet *p)
{
    struct braid_ip from = {{0x20, 1, 0x0d, 0xb8}};
    uint8_t icmp[ICMP_ERROR_MAX];
    struct wire_packet about;
    enum wire_status status;
    size_t n;

    if (p ? ip_is_v4(&p->src.ip) : len > 0 && data[0] >> 4 == 4)
        from = ip_from_v4((const uint8_t[]){192, 0, 2, 1});
    n = icmp_error_build(ICMP_ERROR_HOST, data, len, &from, 0, icmp);
    MUST(n <= sizeof(icmp));
    if (n == 0)
        return;
    status = packet_parse(icmp, n, true, &about);
    if (!p || (status == WIRE_TRUNCATED && n == sizeof(icmp)))
        return;
    MUST(status == WIRE_OK && about.kind == WIRE_ICMP_ERROR && about.quoted_seq == p->tcp.seq);
    MUST(addr_equal(&about.src, &p->src) && addr_equal(&about.dst, &p->dst));
}

/* The reply to an echo request has the right sums and length, and asks for no reply itself. */
static void try_echo(const uint8_t *data, const struct wire_packet *p)
{
    static uint8_t reply[PACKET_HEADER_MAX + 65536];
    struct packet_header h;
    size_t len;
    struct wire_packet again;

    MUST(p->payload > data && p->payload - p->header == 8);
    if (icmp_echo_reply(data, p, &h) < 0)
        return;
    len = h.len + p->payload_len;
    memcpy(reply, h.bytes, h.len);
    memcpy(reply + h.len, p->payload, p->payload_len);
    MUST(packet_parse(reply, len, true, &again) == WIRE_UNSUPPORTED);
    reply[h.len - 8] = p->header[0]; /* as a request it would be right */
    put16(reply + h.len - 6, get16(p->header + 2));
    MUST(packet_parse(reply, len, true, &again) == WIRE_OK && again.kind == WIRE_ECHO);
    MUST(ip_equal(&again.src.ip, &p->dst.ip) && again.payload_len == p->payload_len);
}

static void try_other(const uint8_t *data, size_t len, const struct wire_packet *p)
{
    uint8_t icmp[ICMP_ERROR_MAX];

    MUST(p->protocol_at < len && data[p->protocol_at] == p->protocol);
    MUST(icmp_error_build(ICMP_ERROR_PROTOCOL, data, len, &p->dst.ip, p->protocol_at, icmp) <= sizeof(icmp));
}

static void try_packet(const uint8_t *data, size_t len, bool verify)
{
    struct wire_packet p;
    enum wire_status status = packet_parse(data, len, verify, &p);
    size_t total;

    if (status != WIRE_OK) {
        try_unreachable(data, len, NULL);
        return;
    }
    MUST(ip_is_v4(&p.src.ip) == ip_is_v4(&p.dst.ip));
    if (p.kind == WIRE_ECHO)
        try_echo(data, &p);
    if (p.kind == WIRE_OTHER)
        try_other(data, len, &p);
    if (p.kind != WIRE_TCP)
        return;
    total = data[0] >> 4 == 4 ? get16(data + 2) : 40u + get16(data + 4);
    MUST(total <= len && p.payload > data && p.payload + p.payload_len == data + total);
    MUST(p.src.port == p.tcp.src_port && p.dst.port == p.tcp.dst_port);
    try_rebuild(&p);
    try_unreachable(data, len, &p);
}

static void mend_sum(uint8_t *p, size_t len, size_t at, uint64_t sum)
{
    if (at + 2 > len)
        return;
    put16(p + at, 0);
    put16(p + at, (uint16_t)~checksum_fold(checksum_add(sum, p, len)));
}

/* Gives an IP packet without extension headers, or with IPv4 options, the checksums that it should have. */
static void mend_checksums(uint8_t *p, size_t len)
{
    bool v4 = len > 0 && p[0] >> 4 == 4;
    size_t header = v4 ? (p[0] & 15) * 4u : 40, total;
    struct braid_ip src, dst;
    uint8_t proto;

    if (len < 40 || header < 20 || header > len)
        return;
    total = v4 ? get16(p + 2) : 40u + get16(p + 4);
    if (total < header || total > len)
        return;
    proto = v4 ? p[9] : p[6];
    if (v4) {
        mend_sum(p, header, 10, 0);
        src = ip_from_v4(p + 12);
        dst = ip_from_v4(p + 16);
    } else {
        memcpy(src.b, p + 8, 16);
        memcpy(dst.b, p + 24, 16);
    }
    if (proto == 6)
        mend_sum(p + header, total - header, 16, checksum_pseudo(&src, &dst, 6, (uint32_t)(total - header)));
    else if (proto == 1 && v4)
        mend_sum(p + header, total - header, 2, 0);
    else if (proto == 58 && !v4)
        mend_sum(p + header, total - header, 2, checksum_pseudo(&src, &dst, 58, (uint32_t)(total - header)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *mended = malloc(len + 1); /* used to its very end, which ASan guards */

    try_packet(data, len, false);
    try_packet(data, len, true);
    try_tcp_header(data, len);
    for (unsigned form = 0; form < 3; form++)
        try_mptcp_options(data, len, form<2, form> 0);
    if (!mended)
        return 0;
    memcpy(mended + 1, data, len);
    mend_checksums(mended + 1, len);
    try_packet(mended + 1, len, false);
    try_packet(mended + 1, len, true);
    free(mended);
    return 0;
}
