/* The codec against captures of Linux: every TCP packet of every file is parsed, encoded again and compared
 * byte for byte, and all checksums that are in the files are recomputed. Reads tests/captures, or
 * $BRAID_CAPTURES. */
#include <check.h>
#include <glob.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "pcap.h"
#include "wire/checksum.h"
#include "wire/packet.h"
#include "suite.h"

#define FILES   55
#define PACKETS 1497

static struct pcap capture;
static glob_t files;

static void find_files(void)
{
    const char *folder = getenv("BRAID_CAPTURES");
    char pattern[4096];

    snprintf(pattern, sizeof(pattern), "%s/*.pcap", folder ? folder : "tests/captures");
    ck_assert_msg(glob(pattern, 0, NULL, &files) == 0, "no captures: %s", pattern);
}

static void forget_files(void)
{
    globfree(&files);
}

struct seen {
    const char *file;
    unsigned number; /* of the packet in its file, from 1 as tcpdump counts */
    uint8_t *data;
    size_t len, cut;
    struct wire_packet packet;
};

/* Super-packets seen before segmentation, larger than an IPv4 header can say, carry a total length of 0. */
static bool mend_length(uint8_t *ip, size_t len)
{
    if (ip[0] >> 4 != 4 || get16(ip + 2) != 0 || len > UINT16_MAX)
        return false;
    put16(ip + 2, (uint16_t)len);
    put16(ip + 10, 0);
    put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, (ip[0] & 15) * 4u)));
    return true;
}

/* Calls visit for each packet of the files whose names contain part; all of them must parse. */
static unsigned for_each_packet(const char *part, void (*visit)(const struct seen *s, void *arg), void *arg)
{
    unsigned total = 0;

    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct seen s = {.file = files.gl_pathv[i]};

        if (!strstr(s.file, part))
            continue;
        ck_assert_msg(pcap_open(&capture, s.file), "%s", s.file);
        while ((s.data = pcap_next(&capture, &s.len, &s.cut)) != NULL) {
            enum wire_status status;

            s.number++;
            mend_length(s.data, s.len);
            status = packet_parse(s.data, s.len, false, &s.packet);
            ck_assert_msg(status == WIRE_OK, "%s:%u: status %d", s.file, s.number, status);
            visit(&s, arg);
        }
        pcap_close(&capture);
        total += s.number;
    }
    return total;
}

static unsigned ip_header(const struct seen *s)
{
    return s->data[0] >> 4 == 4 ? (s->data[0] & 15) * 4u : 40;
}

static unsigned tcp_header(const struct seen *s)
{
    return (s->data[ip_header(s) + 12] >> 4) * 4u;
}

struct roundtrip {
    unsigned same;
    unsigned
        nops; /* other bytes, but only in the number of NOPs: a middlebox overwrote an option with them */
    unsigned with[MPTCP_SUBTYPES];
    unsigned malformed;
};

static size_t without_nops(const uint8_t *options, size_t len, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        size_t size = options[i] <= 1 ? 1 : options[i + 1];

        if (options[i] > 1) {
            memcpy(out + n, options + i, size);
            n += size;
        }
        i += size;
    }
    return n;
}

static void check_roundtrip(const struct seen *s, void *arg)
{
    struct roundtrip *r = arg;
    const uint8_t *original = s->data + ip_header(s);
    uint8_t again[TCP_HEADER_MAX], a[TCP_HEADER_MAX], b[TCP_HEADER_MAX];
    int len = tcp_header_encode(&s->packet.tcp, again);
    size_t n;

    ck_assert_msg(len > 0, "%s:%u does not encode", s->file, s->number);
    memcpy(again + 16, original + 16, 2); /* the checksum has its own test */
    r->malformed += s->packet.tcp.mp.malformed;
    for (unsigned i = 0; i < MPTCP_SUBTYPES; i++)
        r->with[i] += s->packet.tcp.mp.has >> i & 1;
    if (len == (int)tcp_header(s) && memcmp(again, original, (size_t)len) == 0) {
        r->same++;
        return;
    }
    again[12] = original[12]; /* the data offset counts the NOPs */
    ck_assert_msg(memcmp(again, original, TCP_HEADER_MIN) == 0, "%s:%u: fixed part", s->file, s->number);
    n = without_nops(original + TCP_HEADER_MIN, tcp_header(s) - TCP_HEADER_MIN, a);
    ck_assert_msg(without_nops(again + TCP_HEADER_MIN, (size_t)len - TCP_HEADER_MIN, b) == n &&
                      memcmp(a, b, n) == 0,
                  "%s:%u: options differ", s->file, s->number);
    r->nops++;
}

START_TEST(every_header_is_encoded_as_linux_did)
{
    static const unsigned expected[MPTCP_SUBTYPES] = {203, 84, 1053, 48, 4, 2, 3, 5, 18};
    struct roundtrip r = {0};

    ck_assert_uint_eq(files.gl_pathc, FILES);
    ck_assert_uint_eq(for_each_packet("", check_roundtrip, &r), PACKETS);
    ck_assert_uint_eq(r.malformed, 0);
    ck_assert_uint_eq(r.same + r.nops, PACKETS);
    /* In five segments a middlebox of the test overwrote the MPTCP option with NOPs, which we do not send. */
    ck_assert_uint_eq(r.nops, 5);
    for (unsigned i = 0; i < MPTCP_SUBTYPES; i++)
        ck_assert_uint_eq(r.with[i], expected[i]);
}
END_TEST

struct sums {
    unsigned full, partial, corrupt, cut;
};

/* A packet captured on the host that sends it, with offload, holds the sum of its pseudo header only. */
static void check_tcp_checksum(const struct seen *s, void *arg)
{
    struct sums *sums = arg;
    uint32_t segment = tcp_header(s) + s->packet.payload_len;
    uint16_t field = get16(s->data + ip_header(s) + 16);
    struct wire_packet again;

    if (s->cut) {
        sums->cut++;
    } else if (packet_parse(s->data, s->len, true, &again) == WIRE_OK) {
        sums->full++;
    } else if (checksum_fold(checksum_pseudo(&s->packet.src.ip, &s->packet.dst.ip, 6, segment)) == field) {
        sums->partial++;
    } else {
        sums->corrupt++;
    }
}

START_TEST(every_tcp_checksum_is_right_or_that_of_the_pseudo_header)
{
    struct sums sums = {0};

    for_each_packet("", check_tcp_checksum, &sums);
    ck_assert_uint_eq(sums.corrupt, 0);
    ck_assert_uint_eq(sums.cut, 0);
    ck_assert_uint_eq(sums.partial, 119);
    ck_assert_uint_eq(sums.full, PACKETS - 119);
}
END_TEST

/* Builds the whole header anew and fills the checksum in; that must be the one of the packet. */
static void check_build(const struct seen *s, void *arg)
{
    const struct wire_packet *p = &s->packet;
    struct packet_spec spec = {p->src, p->dst, &p->tcp, p->payload_len, p->hop_limit, 0, 0};
    struct iovec parts[2] = {
        {(void *)p->payload, p->payload_len / 3},
        {(void *)(p->payload + p->payload_len / 3), p->payload_len - p->payload_len / 3}};
    struct wire_packet again;
    struct packet_header h;

    if (packet_parse(s->data, s->len, true, &again) != WIRE_OK)
        return;
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    ck_assert_uint_eq(h.csum_start, ip_header(s));
    if (h.len != ip_header(s) + tcp_header(s))
        return; /* the NOPs of a middlebox */
    packet_checksum_fill(&h, parts, 2);
    ck_assert_int_eq(memcmp(h.bytes + h.csum_start, s->data + h.csum_start, tcp_header(s)), 0);
    *(unsigned *)arg += 1;
}

START_TEST(headers_built_anew_carry_the_same_checksums)
{
    unsigned built = 0;

    for_each_packet("", check_build, &built);
    ck_assert_uint_eq(built, PACKETS - 119 - 5);
}
END_TEST

struct dss_sums {
    unsigned alone;     /* mappings within one packet */
    unsigned assembled; /* from the packets that a mapping spans */
    unsigned incomplete;
    unsigned wrong;
    struct mapping {
        const char *file;
        struct braid_addr src;
        uint64_t dsn, sum;
        uint32_t next_seq, have;
        bool done;
    } open;
};

static uint64_t idsn_of(uint64_t key)
{
    uint8_t bytes[8], digest[SHA256_DIGEST_LENGTH];

    put64(bytes, key);
    SHA256(bytes, sizeof(bytes), digest);
    return get64(digest + SHA256_DIGEST_LENGTH - 8);
}

/* The mapping that a packet declares, as a DSS; Linux writes it into MP_CAPABLE on the first data. */
static bool declared_mapping(const struct wire_mptcp *mp, struct mptcp_dss *d)
{
    if (mp->has & MPTCP_HAS(MPTCP_DSS)) {
        *d = mp->dss;
    } else if (mp->has & MPTCP_HAS(MPTCP_CAPABLE) && mp->capable.has_csum) {
        *d = (struct mptcp_dss){.has_map = true, .dsn64 = true, .has_csum = true, .ssn = 1};
        d->dsn = idsn_of(mp->capable.sender_key) + 1;
        d->len = mp->capable.data_len;
        d->csum = mp->capable.csum;
    } else {
        return false;
    }
    ck_assert(!d->has_map || d->dsn64);
    return d->has_map && d->has_csum && d->len > 0;
}

/* Adds the payload of one of several packets that carry the same mapping, and judges at the last one. */
static void assemble(const struct seen *s, const struct mptcp_dss *d, struct dss_sums *sums)
{
    const struct wire_packet *p = &s->packet;
    struct mapping *m = &sums->open;

    if (m->file != s->file || m->dsn != d->dsn || !addr_equal(&m->src, &p->src)) {
        sums->incomplete += m->file && !m->done;
        *m = (struct mapping){.file = s->file, .src = p->src, .dsn = d->dsn, .next_seq = p->tcp.seq};
    }
    if (m->next_seq != p->tcp.seq)
        return;
    m->sum = checksum_add_at(m->sum, p->payload, p->payload_len, m->have);
    m->have += p->payload_len;
    m->next_seq += p->payload_len;
    if (m->have + d->data_fin != d->len)
        return;
    m->done = true;
    if (checksum_dss(m->sum, d->dsn, d->ssn, d->len) == d->csum)
        sums->assembled++;
    else
        sums->wrong++;
}

static void check_dss_checksum(const struct seen *s, void *arg)
{
    const struct wire_packet *p = &s->packet;
    struct dss_sums *sums = arg;
    struct mptcp_dss d;

    if (!declared_mapping(&p->tcp.mp, &d))
        return;
    if (p->payload_len + d.data_fin != d.len)
        assemble(s, &d, sums);
    else if (checksum_dss(checksum_add(0, p->payload, p->payload_len), d.dsn, d.ssn, d.len) == d.csum)
        sums->alone++;
    else
        sums->wrong++;
}

START_TEST(dss_checksums_of_linux_are_ours)
{
    struct dss_sums sums = {0};

    for_each_packet("", check_dss_checksum, &sums);
    ck_assert_uint_eq(sums.wrong, 0);
    ck_assert_uint_eq(sums.alone, 20);
    ck_assert_uint_eq(sums.assembled, 4);
    ck_assert_uint_eq(sums.incomplete, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("captures");
    TCase *t = tcase_create("captures");

    tcase_add_checked_fixture(t, find_files, forget_files);
    tcase_add_test(t, every_header_is_encoded_as_linux_did);
    tcase_add_test(t, every_tcp_checksum_is_right_or_that_of_the_pseudo_header);
    tcase_add_test(t, headers_built_anew_carry_the_same_checksums);
    tcase_add_test(t, dss_checksums_of_linux_are_ours);
    suite_add_tcase(s, t);
    return run_suite(s);
}
