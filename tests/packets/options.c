/* Options of the segments that a script sends: one by one and in the script's order, so that nothing keeps a
 * script from sending what no decent host would. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "mptcp/crypto.h"
#include "mptcp/versions.h"
#include "pkt.h"
#include "wire/checksum.h"

/* Whom an option is built for. */
struct place {
    struct script *s;
    struct flow *f;
    struct segment *g;
    uint8_t *out;
    unsigned room;
};

const char *option_value(struct option *o, const char *name)
{
    for (unsigned i = 0; i < o->n; i++)
        if (!o->f[i].used && strcmp(o->f[i].name, name) == 0) {
            o->f[i].used = true;
            return o->f[i].value;
        }
    return NULL;
}

static uint64_t number_of(struct script *s, struct option *o, const char *name, uint64_t otherwise)
{
    const char *value = option_value(o, name);

    return value ? (uint64_t)parse_number(s, value) : otherwise;
}

static uint8_t hex_byte(struct script *s, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 16);

    if (end == text || *end || n > 255)
        fail(s, "\"%s\" is not a byte in hexadecimal", text);
    return (uint8_t)n;
}

static uint64_t key_of(struct script *s, const char *name)
{
    if (strcmp(name, "core") == 0)
        return s->core_key;
    if (strcmp(name, "peer") == 0)
        return s->peer_key;
    if (strcmp(name, "bad") == 0)
        return ~s->core_key;
    return (uint64_t)parse_number(s, name);
}

/* True for "good", false for "bad". */
static bool is_good(struct script *s, const char *value)
{
    if (!value || (strcmp(value, "good") != 0 && strcmp(value, "bad") != 0))
        fail(s, "\"good\" or \"bad\" expected");
    return strcmp(value, "good") == 0;
}

/* "good", "bad" or a number. len counts a DATA_FIN, which has no payload. */
static uint16_t csum_of(const struct place *p, const char *value, uint64_t dsn, uint32_t ssn, uint16_t len,
                        bool fin)
{
    static uint8_t payload[65536];
    uint64_t at = dsn - p->s->peer_idsn - 1;
    uint16_t csum;
    int64_t n;

    if (number_ok(value, &n))
        return (uint16_t)n;
    if (p->g->has_data)
        at = p->g->data - 1;
    for (unsigned i = 0; i < len; i++)
        payload[i] = stream_byte(at + i);
    csum = checksum_dss(checksum_add(0, payload, (size_t)(len ? len - fin : 0)), dsn, ssn, len);
    return is_good(p->s, value) ? csum : (uint16_t)(csum ^ 0x5a5a);
}

static unsigned put_mptcp(const struct place *p, const struct wire_mptcp *m)
{
    unsigned n = mptcp_options_encode(m, p->out, p->room);

    if (n == 0)
        fail(p->s, "the options need more than 40 bytes");
    return n;
}

static unsigned put_capable(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_CAPABLE)};
    struct mptcp_capable *k = &m.capable;
    const char *flags, *key, *csum;

    k->version = (uint8_t)number_of(p->s, o, "v", p->s->version);
    flags = option_value(o, "flags");
    k->flags = flags ? hex_byte(p->s, flags) : MPTCP_CAPABLE_SHA256;
    if ((key = option_value(o, "key")) != NULL) {
        k->n_keys++;
        k->sender_key = key_of(p->s, key);
    }
    if ((key = option_value(o, "key")) != NULL) {
        k->n_keys++;
        k->receiver_key = key_of(p->s, key);
    }
    k->data_len = (uint16_t)number_of(p->s, o, "len", UINT16_MAX);
    k->has_len = k->data_len != UINT16_MAX;
    csum = option_value(o, "csum");
    k->has_csum = csum != NULL;
    if (csum)
        k->csum = csum_of(p, csum, p->s->peer_idsn + 1, 1, k->data_len, false);
    if (k->n_keys < 2 && (k->has_len || k->has_csum))
        fail(p->s, "mp_capable: a length goes with two keys only");
    if (k->has_csum && !k->has_len)
        fail(p->s, "mp_capable: a checksum goes with a length only");
    return put_mptcp(p, &m);
}

static unsigned put_join(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_JOIN)};
    struct mptcp_join *j = &m.join;
    bool syn = strchr(p->g->flags, 'S'), ack = strchr(p->g->flags, '.');
    uint8_t mac[MPTCP_HMAC_LEN];

    j->kind = !syn ? MPTCP_JOIN_ACK : ack ? MPTCP_JOIN_SYNACK : MPTCP_JOIN_SYN;
    j->backup = option_value(o, "backup") != NULL;
    j->addr_id = (uint8_t)number_of(p->s, o, "id", 0);
    if (j->kind == MPTCP_JOIN_SYN)
        j->token = is_good(p->s, option_value(o, "token")) ? p->s->core_token : ~p->s->core_token;
    if (syn)
        p->f->peer_nonce = j->nonce = (uint32_t)number_of(p->s, o, "nonce", 0x11223344);
    if (j->kind != MPTCP_JOIN_SYN) {
        bool good = is_good(p->s, option_value(o, "hmac"));

        mptcp_versions[p->s->version].join_hmac(p->s->peer_key, p->s->core_key, p->f->peer_nonce,
                                                p->f->core_nonce, mac);
        memcpy(j->hmac, mac, sizeof(j->hmac));
        j->hmac[7] ^= good ? 0 : 1;
    }
    return put_mptcp(p, &m);
}

static unsigned put_dss(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_DSS)};
    struct mptcp_dss *d = &m.dss;
    const char *value;

    d->data_fin = option_value(o, "fin") != NULL;
    if ((value = option_value(o, "ack")) != NULL || (value = option_value(o, "ack4")) != NULL) {
        d->has_ack = true;
        d->data_ack = p->s->core_idsn + (uint64_t)parse_number(p->s, value);
    }
    if ((value = option_value(o, "dsn")) != NULL || (value = option_value(o, "dsn4")) != NULL) {
        d->has_map = true;
        d->dsn = p->s->peer_idsn + (uint64_t)parse_number(p->s, value);
        d->ssn = (uint32_t)number_of(p->s, o, "ssn", (uint32_t)p->g->seq);
        d->len = (uint16_t)number_of(p->s, o, "len", p->g->len + d->data_fin);
    }
    for (unsigned i = 0; i < o->n; i++) {
        d->ack64 |= strcmp(o->f[i].name, "ack") == 0;
        d->dsn64 |= strcmp(o->f[i].name, "dsn") == 0;
    }
    value = option_value(o, "csum");
    d->has_csum = value != NULL;
    if (value)
        d->csum = csum_of(p, value, d->dsn, d->ssn, d->len, d->data_fin);
    return put_mptcp(p, &m);
}

static unsigned put_add_addr(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_ADD_ADDR)};
    struct mptcp_add_addr *a = &m.add_addr;
    const char *addr = option_value(o, "addr");

    a->echo = option_value(o, "echo") != NULL;
    a->bare = option_value(o, "bare") != NULL;
    a->id = (uint8_t)number_of(p->s, o, "id", 0);
    if (!addr)
        fail(p->s, "add_addr: needs an address");
    if (ip_parse(addr, &a->addr.ip) != 0) {
        a->has_port = true;
        if (addr_parse(addr, &a->addr) != 0)
            fail(p->s, "\"%s\" is not an address", addr);
    }
    if (!a->echo && !a->bare) {
        bool good = is_good(p->s, option_value(o, "hmac"));

        mptcp_add_addr_hmac(p->s->peer_key, p->s->core_key, a->id, &a->addr, a->hmac);
        a->hmac[7] ^= good ? 0 : 1;
    }
    return put_mptcp(p, &m);
}

static unsigned put_rm_addr(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_REMOVE_ADDR)};
    const char *id;

    while ((id = option_value(o, "id")) != NULL && m.remove_addr.n < sizeof(m.remove_addr.ids))
        m.remove_addr.ids[m.remove_addr.n++] = (uint8_t)parse_number(p->s, id);
    if (m.remove_addr.n == 0)
        fail(p->s, "rm_addr: needs an id");
    return put_mptcp(p, &m);
}

static unsigned put_prio(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_PRIO), .prio_backup = option_value(o, "backup") != NULL};
    const char *id = option_value(o, "id");

    m.prio_has_id = id != NULL;
    m.prio_id = id ? (uint8_t)parse_number(p->s, id) : 0;

    return put_mptcp(p, &m);
}

static unsigned put_fail(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_FAIL)};

    m.fail_dsn = p->s->core_idsn + number_of(p->s, o, "dsn", 0);
    return put_mptcp(p, &m);
}

static unsigned put_fastclose(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_FASTCLOSE)};
    const char *key = option_value(o, "key");

    m.fastclose.key = key_of(p->s, key ? key : "core");
    return put_mptcp(p, &m);
}

static unsigned put_tcprst(const struct place *p, struct option *o)
{
    struct wire_mptcp m = {.has = MPTCP_HAS(MPTCP_TCPRST)};
    const char *flags = option_value(o, "flags");

    m.rst_flags = flags ? hex_byte(p->s, flags) : 0;
    m.rst_reason = (uint8_t)number_of(p->s, o, "reason", 0);
    return put_mptcp(p, &m);
}

/* ---- TCP's own ---- */

static unsigned put_bytes(const struct place *p, const void *bytes, unsigned n)
{
    if (n > p->room)
        fail(p->s, "the options need more than 40 bytes");
    memcpy(p->out, bytes, n);
    return n;
}

static unsigned put_mss(const struct place *p, struct option *o)
{
    uint8_t b[4] = {2, 4};

    put16(b + 2, (uint16_t)number_of(p->s, o, "", 1460));
    return put_bytes(p, b, 4);
}

static unsigned put_wscale(const struct place *p, struct option *o)
{
    uint8_t b[3] = {3, 3, (uint8_t)number_of(p->s, o, "", 0)};

    return put_bytes(p, b, 3);
}

static unsigned put_sack_ok(const struct place *p, struct option *o)
{
    (void)o;
    return put_bytes(p, "\x04\x02", 2);
}

static unsigned put_nop(const struct place *p, struct option *o)
{
    (void)o;
    return put_bytes(p, "\x01", 1);
}

/* ecr: by default the last TSval that the core sent. */
static unsigned put_ts(const struct place *p, struct option *o)
{
    uint8_t b[10] = {8, 10};

    put32(b + 2, (uint32_t)number_of(p->s, o, "val", 0));
    put32(b + 6, (uint32_t)number_of(p->s, o, "ecr", p->f->core_tsval));
    return put_bytes(p, b, 10);
}

static unsigned put_sack(const struct place *p, struct option *o)
{
    uint8_t b[34] = {5};
    unsigned n = 2;
    const char *range;

    while ((range = option_value(o, "")) != NULL && n + 8 <= sizeof(b)) {
        char *end;
        long from = strtol(range, &end, 10), to = *end == ':' ? strtol(end + 1, &end, 10) : 0;

        if (*end)
            fail(p->s, "\"%s\" is not START:END", range);
        put32(b + n, p->f->core_iss + (uint32_t)from);
        put32(b + n + 4, p->f->core_iss + (uint32_t)to);
        n += 8;
    }
    b[1] = (uint8_t)n;
    return put_bytes(p, b, n);
}

/* "raw 1e 03 50": these bytes. */
static unsigned put_raw(const struct place *p, struct option *o)
{
    uint8_t b[TCP_OPTIONS_MAX];
    unsigned n = 0;
    const char *byte;

    while ((byte = option_value(o, "")) != NULL && n < sizeof(b))
        b[n++] = hex_byte(p->s, byte);
    return put_bytes(p, b, n);
}

/* "mptcp len 7 30 01": kind 30, length 7, these bytes and then zeros. */
static unsigned put_sized(const struct place *p, struct option *o)
{
    uint8_t b[TCP_OPTIONS_MAX] = {30};
    uint64_t len = number_of(p->s, o, "len", 0);
    unsigned n = 2;
    const char *byte;

    if (len < 2 || len > sizeof(b))
        fail(p->s, "mptcp: a length from 2 to 40 expected");
    b[1] = (uint8_t)len;
    while ((byte = option_value(o, "")) != NULL)
        if (n < len)
            b[n++] = hex_byte(p->s, byte);
    return put_bytes(p, b, (unsigned)len);
}

static const struct {
    const char *name;
    unsigned (*put)(const struct place *p, struct option *o);
} builders[] = {
    {"mss", put_mss},
    {"wscale", put_wscale},
    {"sackOK", put_sack_ok},
    {"nop", put_nop},
    {"TS", put_ts},
    {"sack", put_sack},
    {"raw", put_raw},
    {"mptcp", put_sized},
    {"mp_capable", put_capable},
    {"mp_join", put_join},
    {"dss", put_dss},
    {"add_addr", put_add_addr},
    {"rm_addr", put_rm_addr},
    {"mp_prio", put_prio},
    {"mp_fail", put_fail},
    {"mp_tcprst", put_tcprst},
    {"mp_fastclose", put_fastclose},
};

unsigned option_build(struct script *s, struct flow *f, struct segment *g, struct option *o, uint8_t *out,
                      unsigned room)
{
    struct place p = {.s = s, .f = f, .g = g, .out = out, .room = room};
    unsigned n;

    for (size_t i = 0; i < sizeof(builders) / sizeof(builders[0]); i++) {
        if (strcmp(o->name, builders[i].name) != 0)
            continue;
        n = builders[i].put(&p, o);
        for (unsigned k = 0; k < o->n; k++)
            if (!o->f[k].used)
                fail(s, "%s: \"%s\" has no meaning here", o->name,
                     o->f[k].name[0] ? o->f[k].name : o->f[k].value);
        return n;
    }
    fail(s, "there is no option \"%s\"", o->name);
}
