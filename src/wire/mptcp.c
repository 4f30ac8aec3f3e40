/* MPTCP option codec (RFC 8684 section 3; RFC 6824 section 3). Parsing is strict about lengths, because Linux
 * is, and lenient about reserved bits, because RFC 8684 says that receivers ignore them. */
#include <assert.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/mptcp.h"

#define KIND       30
#define NOP        1
#define OPTION_MAX 40 /* all the room that a TCP header has */

#define DSS_DATA_ACK  0x01 /* A */
#define DSS_ACK64     0x02 /* a */
#define DSS_MAP       0x04 /* M */
#define DSS_DSN64     0x08 /* m */
#define DSS_DATA_FIN  0x10 /* F */
#define ADD_ADDR_ECHO 0x01 /* E */
#define BACKUP        0x01 /* B, of MP_JOIN and MP_PRIO */

/* Version 0 has a key in the SYN, and never anything behind the keys (RFC 6824 section 3.1). */
static bool capable_fits(uint8_t version, unsigned len, bool syn, bool ack)
{
    if (syn)
        return len == (ack ? 12 : 4) || (version == 0 && len == 12);
    return len == 20 || (version > 0 && (len == 22 || len == 24));
}

static bool parse_capable(const uint8_t *opt, unsigned len, bool syn, bool ack, struct mptcp_capable *c)
{
    uint8_t version = opt[2] & 0x0f;

    if (!capable_fits(version, len, syn, ack))
        return false;
    *c = (struct mptcp_capable){.version = version, .flags = opt[3]};
    c->n_keys = (uint8_t)(syn ? len == 12 : 2);
    if (c->n_keys >= 1)
        c->sender_key = get64(opt + 4);
    if (c->n_keys == 2)
        c->receiver_key = get64(opt + 12);
    c->has_len = len >= 22;
    c->has_csum = len == 24;
    if (c->has_len)
        c->data_len = get16(opt + 20);
    if (c->has_csum)
        c->csum = get16(opt + 22);
    return true;
}

static bool parse_join(const uint8_t *opt, unsigned len, bool syn, bool ack, struct mptcp_join *j)
{
    if (len != (syn ? (ack ? 16u : 12u) : 24u))
        return false;
    *j = (struct mptcp_join){.kind = MPTCP_JOIN_ACK};
    if (!syn) {
        memcpy(j->hmac, opt + 4, 20);
        return true;
    }
    j->backup = opt[2] & BACKUP;
    j->addr_id = opt[3];
    if (ack) {
        j->kind = MPTCP_JOIN_SYNACK;
        memcpy(j->hmac, opt + 4, 8);
        j->nonce = get32(opt + 12);
    } else {
        j->kind = MPTCP_JOIN_SYN;
        j->token = get32(opt + 4);
        j->nonce = get32(opt + 8);
    }
    return true;
}

static unsigned dss_size(uint8_t flags)
{
    unsigned size = 4;

    if (flags & DSS_DATA_ACK)
        size += flags & DSS_ACK64 ? 8 : 4;
    if (flags & DSS_MAP)
        size += (flags & DSS_DSN64 ? 8 : 4) + 6;
    return size;
}

/* a and m mean nothing without A and M (RFC 8684 section 3.3), nor does F without the mapping it ends. */
static bool parse_dss(const uint8_t *opt, unsigned len, struct mptcp_dss *d)
{
    uint8_t flags = opt[3];
    unsigned size = dss_size(flags);
    const uint8_t *p = opt + 4;

    if (len != size && !(flags & DSS_MAP && len == size + 2))
        return false;
    *d = (struct mptcp_dss){.has_ack = flags & DSS_DATA_ACK, .has_map = flags & DSS_MAP};
    if (d->has_ack) {
        d->ack64 = flags & DSS_ACK64;
        d->data_ack = d->ack64 ? get64(p) : get32(p);
        p += d->ack64 ? 8 : 4;
    }
    if (d->has_map) {
        d->data_fin = flags & DSS_DATA_FIN;
        d->dsn64 = flags & DSS_DSN64;
        d->dsn = d->dsn64 ? get64(p) : get32(p);
        p += d->dsn64 ? 8 : 4;
        d->ssn = get32(p);
        d->len = get16(p + 4);
        d->has_csum = len == size + 2;
        d->csum = d->has_csum ? get16(p + 6) : 0;
    }
    return true;
}

/* The form of RFC 6824 section 3.4.1: the IP version where RFC 8684 has flags, E among them, and no HMAC.
 * None of RFC 8684's is as short without being an echo, which an even number is not. */
static bool is_bare(uint8_t low, unsigned len)
{
    return (low == 4 && (len == 8 || len == 10)) || (low == 6 && (len == 20 || len == 22));
}

/* The length tells the family, whether there is a port, and must agree with E about the HMAC. A v4-mapped
 * address in an IPv6 ADD_ADDR names no host on the wire, and would be taken for an IPv4 one here. */
static bool parse_add_addr(const uint8_t *opt, unsigned len, struct mptcp_add_addr *a)
{
    bool echo = opt[2] & ADD_ADDR_ECHO, bare = is_bare(opt[2] & 0x0f, len), v6, port;
    unsigned rest = echo || bare ? len : len - 8; /* wraps, and then matches nothing */
    const uint8_t *p = opt + 4;

    if (rest != 8 && rest != 10 && rest != 20 && rest != 22)
        return false;
    v6 = rest >= 20;
    port = rest == 10 || rest == 22;
    *a = (struct mptcp_add_addr){.echo = echo, .bare = bare, .has_port = port, .id = opt[3]};
    if (v6)
        memcpy(a->addr.ip.b, p, 16);
    else
        a->addr.ip = ip_from_v4(p);
    if (v6 && ip_is_v4(&a->addr.ip))
        return false;
    p += v6 ? 16 : 4;
    if (port)
        a->addr.port = get16(p);
    if (!echo && !bare)
        memcpy(a->hmac, opt + len - 8, 8);
    return true;
}

static bool parse_remove_addr(const uint8_t *opt, unsigned len, struct mptcp_remove_addr *r)
{
    if (len < 4 || len > 3 + sizeof(r->ids))
        return false;
    r->n = (uint8_t)(len - 3);
    memcpy(r->ids, opt + 3, r->n);
    return true;
}

/* RFC 6824 section 3.3.8 has room for an address ID. */
static bool parse_prio(const uint8_t *opt, unsigned len, struct wire_mptcp *out)
{
    if (len != 3 && len != 4)
        return false;
    out->prio_backup = opt[2] & BACKUP;
    out->prio_has_id = len == 4;
    out->prio_id = len == 4 ? opt[3] : 0;
    return true;
}

static bool parse_subtype(const uint8_t *opt, unsigned len, bool syn, bool ack, struct wire_mptcp *out)
{
    switch (opt[2] >> 4) {
    case MPTCP_CAPABLE:
        return parse_capable(opt, len, syn, ack, &out->capable);
    case MPTCP_JOIN:
        return parse_join(opt, len, syn, ack, &out->join);
    case MPTCP_DSS:
        return len >= 4 && parse_dss(opt, len, &out->dss);
    case MPTCP_ADD_ADDR:
        return len >= 8 && parse_add_addr(opt, len, &out->add_addr);
    case MPTCP_REMOVE_ADDR:
        return parse_remove_addr(opt, len, &out->remove_addr);
    case MPTCP_PRIO:
        return parse_prio(opt, len, out);
    case MPTCP_FAIL:
        if (len == 12)
            out->fail_dsn = get64(opt + 4);
        return len == 12;
    case MPTCP_FASTCLOSE:
        if (len == 12)
            out->fastclose.key = get64(opt + 4);
        return len == 12;
    case MPTCP_TCPRST:
        if (len != 4)
            return false;
        out->rst_flags = opt[2] & 0x0f;
        out->rst_reason = opt[3];
        return true;
    default:
        return false;
    }
}

static unsigned option_size(const struct wire_mptcp *m, enum mptcp_subtype subtype);
static void option_put(const struct wire_mptcp *m, enum mptcp_subtype subtype, unsigned size, uint8_t *p);

/* Whether an option says the same as the one of its subtype that is in out already. Compares encodings, since
 * these leave out whatever carries no meaning. */
static bool repeats(const uint8_t *opt, unsigned len, bool syn, bool ack, const struct wire_mptcp *out)
{
    enum mptcp_subtype subtype = opt[2] >> 4;
    struct wire_mptcp again = {0};
    uint8_t first_bytes[OPTION_MAX], again_bytes[OPTION_MAX];
    unsigned size = option_size(out, subtype);

    if (!parse_subtype(opt, len, syn, ack, &again) || option_size(&again, subtype) != size)
        return false;
    option_put(out, subtype, size, first_bytes);
    option_put(&again, subtype, size, again_bytes);
    return memcmp(first_bytes, again_bytes, size) == 0;
}

int mptcp_option_parse(const uint8_t *opt, unsigned len, bool syn, bool ack, struct wire_mptcp *out)
{
    unsigned subtype;
    bool good;

    if (len < 3 || len > OPTION_MAX) {
        out->malformed = true;
        return -1;
    }
    subtype = opt[2] >> 4;
    good = out->has & MPTCP_HAS(subtype) ? repeats(opt, len, syn, ack, out)
                                         : parse_subtype(opt, len, syn, ack, out);
    if (!good) {
        out->malformed = true;
        return -1;
    }
    out->has |= MPTCP_HAS(subtype);
    return 0;
}

static uint8_t dss_flags(const struct mptcp_dss *d)
{
    uint8_t flags = 0;

    if (d->has_ack)
        flags |= DSS_DATA_ACK | (d->ack64 ? DSS_ACK64 : 0);
    if (d->has_map)
        flags |= DSS_MAP | (d->dsn64 ? DSS_DSN64 : 0) | (d->data_fin ? DSS_DATA_FIN : 0);
    return flags;
}

static unsigned add_addr_size(const struct mptcp_add_addr *a)
{
    bool short_form = a->echo || a->bare;

    return 4u + (ip_is_v4(&a->addr.ip) ? 4 : 16) + (a->has_port ? 2 : 0) + (short_form ? 0 : 8);
}

static unsigned join_size(enum mptcp_join_kind kind)
{
    return kind == MPTCP_JOIN_SYN ? 12 : kind == MPTCP_JOIN_SYNACK ? 16 : 24;
}

/* The option's length byte. */
static unsigned option_size(const struct wire_mptcp *m, enum mptcp_subtype subtype)
{
    const struct mptcp_capable *c = &m->capable;

    switch (subtype) {
    case MPTCP_CAPABLE:
        return 4u + 8u * c->n_keys + (c->has_len ? 2 : 0) + (c->has_csum ? 2 : 0);
    case MPTCP_JOIN:
        return join_size(m->join.kind);
    case MPTCP_DSS:
        return dss_size(dss_flags(&m->dss)) + (m->dss.has_map && m->dss.has_csum ? 2 : 0);
    case MPTCP_ADD_ADDR:
        return add_addr_size(&m->add_addr);
    case MPTCP_REMOVE_ADDR:
        return 3u + m->remove_addr.n;
    case MPTCP_PRIO:
        return 3u + m->prio_has_id;
    case MPTCP_FAIL:
    case MPTCP_FASTCLOSE:
        return 12;
    case MPTCP_TCPRST:
        return 4;
    default:
        assert(!"a subtype of our own");
        return 0;
    }
}

static void put_capable(const struct mptcp_capable *c, uint8_t *p)
{
    assert(c->n_keys == 2 || (c->n_keys < 2 && !c->has_len));
    assert(c->has_len || !c->has_csum);
    p[2] = (uint8_t)(MPTCP_CAPABLE << 4 | (c->version & 0x0f));
    p[3] = c->flags;
    if (c->n_keys >= 1)
        put64(p + 4, c->sender_key);
    if (c->n_keys == 2)
        put64(p + 12, c->receiver_key);
    if (c->has_len)
        put16(p + 20, c->data_len);
    if (c->has_csum)
        put16(p + 22, c->csum);
}

static void put_join(const struct mptcp_join *j, uint8_t *p)
{
    p[2] = MPTCP_JOIN << 4;
    p[3] = 0;
    if (j->kind == MPTCP_JOIN_ACK) {
        memcpy(p + 4, j->hmac, 20);
        return;
    }
    if (j->backup)
        p[2] |= BACKUP;
    p[3] = j->addr_id;
    if (j->kind == MPTCP_JOIN_SYNACK) {
        memcpy(p + 4, j->hmac, 8);
        put32(p + 12, j->nonce);
    } else {
        put32(p + 4, j->token);
        put32(p + 8, j->nonce);
    }
}

static uint8_t *put_seq(uint8_t *p, bool is64, uint64_t seq)
{
    if (is64)
        put64(p, seq);
    else
        put32(p, (uint32_t)seq);
    return p + (is64 ? 8 : 4);
}

static void put_dss(const struct mptcp_dss *d, uint8_t *p)
{
    p[2] = MPTCP_DSS << 4;
    p[3] = dss_flags(d);
    p += 4;
    if (d->has_ack)
        p = put_seq(p, d->ack64, d->data_ack);
    if (!d->has_map)
        return;
    p = put_seq(p, d->dsn64, d->dsn);
    put32(p, d->ssn);
    put16(p + 4, d->len);
    if (d->has_csum)
        put16(p + 6, d->csum);
}

static void put_add_addr(const struct mptcp_add_addr *a, uint8_t *p)
{
    bool v4 = ip_is_v4(&a->addr.ip);

    p[2] = (uint8_t)(MPTCP_ADD_ADDR << 4 | (a->bare ? (v4 ? 4 : 6) : a->echo ? ADD_ADDR_ECHO : 0));
    p[3] = a->id;
    p += 4;
    memcpy(p, a->addr.ip.b + (v4 ? 12 : 0), v4 ? 4 : 16);
    p += v4 ? 4 : 16;
    if (a->has_port) {
        put16(p, a->addr.port);
        p += 2;
    }
    if (!a->echo && !a->bare)
        memcpy(p, a->hmac, 8);
}

static void put_subtype_dsn(enum mptcp_subtype subtype, uint64_t value, uint8_t *p)
{
    p[2] = (uint8_t)(subtype << 4);
    p[3] = 0;
    put64(p + 4, value);
}

static void option_put(const struct wire_mptcp *m, enum mptcp_subtype subtype, unsigned size, uint8_t *p)
{
    p[0] = KIND;
    p[1] = (uint8_t)size;
    switch (subtype) {
    case MPTCP_CAPABLE:
        put_capable(&m->capable, p);
        break;
    case MPTCP_JOIN:
        put_join(&m->join, p);
        break;
    case MPTCP_DSS:
        put_dss(&m->dss, p);
        break;
    case MPTCP_ADD_ADDR:
        put_add_addr(&m->add_addr, p);
        break;
    case MPTCP_REMOVE_ADDR:
        assert(m->remove_addr.n > 0 && m->remove_addr.n <= sizeof(m->remove_addr.ids));
        p[2] = MPTCP_REMOVE_ADDR << 4;
        memcpy(p + 3, m->remove_addr.ids, m->remove_addr.n);
        break;
    case MPTCP_PRIO:
        p[2] = MPTCP_PRIO << 4 | (m->prio_backup ? BACKUP : 0);
        if (m->prio_has_id)
            p[3] = m->prio_id;
        break;
    case MPTCP_FAIL:
        put_subtype_dsn(subtype, m->fail_dsn, p);
        break;
    case MPTCP_FASTCLOSE:
        put_subtype_dsn(subtype, m->fastclose.key, p);
        break;
    case MPTCP_TCPRST:
        p[2] = (uint8_t)(MPTCP_TCPRST << 4 | (m->rst_flags & 0x0f));
        p[3] = m->rst_reason;
        break;
    default:
        assert(!"a subtype of our own");
    }
}

unsigned mptcp_options_size(const struct wire_mptcp *m)
{
    unsigned size = 0;

    for (unsigned has = m->has; has; has &= has - 1)
        size += (option_size(m, (unsigned)__builtin_ctz(has)) + 3) & ~3u;
    return size;
}

/* Linux's order is that of the subtypes. */
unsigned mptcp_options_encode(const struct wire_mptcp *m, uint8_t *out, unsigned cap)
{
    unsigned at = 0;

    for (unsigned has = m->has; has; has &= has - 1) {
        enum mptcp_subtype subtype = (unsigned)__builtin_ctz(has);
        unsigned size = option_size(m, subtype), padded = (size + 3) & ~3u;

        if (padded > cap - at)
            return 0;
        option_put(m, subtype, size, out + at);
        memset(out + at + size, NOP, padded - size);
        at += padded;
    }
    return at;
}
