/* Connections to anybody: wildcard listeners, and what becomes of packets that were routed here but are no
 * concern of ours. They go out again, and the kernel takes them to their destination. What would come back
 * for ever, packets to addresses of our own, is told apart here. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "core/passing.h"
#include "wire/checksum.h"
#include "wire/ip.h"

#define PASSED_HEADER_MAX 512 /* IP with its extension headers, and TCP */
#define TCP_CSUM_OFFSET   16

/* ---- addresses of our own ---- */

struct own_ip {
    struct hnode hash;
    struct braid_ip ip;
};

uint64_t core_hash_ip(const struct braid_core *core, const struct braid_ip *ip)
{
    return siphash(&core->env.hash_key, ip->b, sizeof(ip->b));
}

bool core_owns(const struct braid_core *core, const struct braid_ip *ip)
{
    struct hnode *n = htable_first(&core->own, core_hash_ip(core, ip));
    for (; n; n = htable_next(n)) {
        if (ip_equal(&list_entry(n, struct own_ip, hash)->ip, ip))
            return true;
    }
    return false;
}

int core_own_add(struct braid_core *core, const struct braid_ip *ip)
{
    if (ip_is_unspecified(ip) || core_owns(core, ip))
        return 0;
    struct own_ip *o = calloc(1, sizeof(*o));
    if (!o)
        return -1;
    o->ip = *ip;
    htable_insert(&core->own, &o->hash, core_hash_ip(core, ip));
    return 0;
}

void core_own_free(struct braid_core *core)
{
    for (size_t i = 0; i <= core->own.mask; i++) {
        while (core->own.buckets[i]) {
            struct own_ip *o = list_entry(core->own.buckets[i], struct own_ip, hash);
            htable_remove(&core->own, &o->hash);
            free(o);
        }
    }
    htable_free(&core->own);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct braid_ip));
}

/* In an order that does not depend on the table: the same state is written in the same way. */
void core_freeze_own(const struct braid_core *core, struct freezer *f, unsigned tag)
{
    struct braid_ip *v = malloc((core->own.count + 1) * sizeof(*v));
    size_t n = 0;
    f->failed |= !v;
    for (size_t i = 0; v && i <= core->own.mask; i++)
        for (const struct hnode *h = core->own.buckets[i]; h; h = h->next)
            v[n++] = list_entry(h, struct own_ip, hash)->ip;
    if (n > 0)
        qsort(v, n, sizeof(*v), by_bytes);
    for (size_t i = 0; i < n; i++)
        freeze_bytes(f, tag, v[i].b, sizeof(v[i].b));
    free(v);
}

void core_thaw_own(struct braid_core *core, const struct thaw_item *i)
{
    struct braid_ip ip = {.b = {0}};
    thaw_bytes(i, ip.b, sizeof(ip.b));
    if (thaw_fine(i->all) && core_own_add(core, &ip) < 0)
        thaw_fail(i->all, THAW_MEMORY);
}

void core_rehash_own(struct braid_core *core)
{
    struct hnode *n = htable_take_all(&core->own), *next;
    for (; n; n = next) {
        next = n->next;
        htable_insert(&core->own, n, core_hash_ip(core, &list_entry(n, struct own_ip, hash)->ip));
    }
}

/* ---- wildcard listeners ---- */

static bool same_family(const struct braid_ip *a, const struct braid_ip *b)
{
    return ip_is_v4(a) == ip_is_v4(b);
}

int core_wildcard_add(struct braid_core *core, struct braid_listener *l)
{
    struct braid_listen_params *p = &l->params;
    if (p->addr.port)
        p->port_first = p->port_last = p->addr.port;
    else if (p->port_last == 0)
        p->port_last = 65535;
    list_each (n, tmp, &core->wildcards) {
        const struct braid_listen_params *other = &list_entry(n, struct braid_listener, wildcard)->params;
        if (same_family(&other->addr.ip, &p->addr.ip) && other->port_first <= p->port_last &&
            p->port_first <= other->port_last)
            return -1;
    }
    l->any_address = true;
    list_append(&core->wildcards, &l->wildcard);
    /* for good: what was steered here once goes on coming when the listener has gone */
    core->passing[!ip_is_v4(&p->addr.ip)] = true;
    return 0;
}

struct braid_listener *core_find_wildcard(const struct braid_core *core, const struct braid_addr *addr)
{
    if (core_owns(core, &addr->ip))
        return NULL;
    list_each (n, tmp, &core->wildcards) {
        struct braid_listener *l = list_entry(n, struct braid_listener, wildcard);
        const struct braid_listen_params *p = &l->params;
        if (same_family(&p->addr.ip, &addr->ip) && p->port_first <= addr->port && addr->port <= p->port_last)
            return l;
    }
    return NULL;
}

/* ---- passing back ---- */

bool core_passes(const struct braid_core *core, const struct braid_ip *dst)
{
    return core->passing[!ip_is_v4(dst)] && !core_owns(core, dst);
}

/* It goes as it came: a router on the way may not be able to do with the whole, and nobody would tell the
 * sender. */
static void pass_fragments(struct braid_core *core, const struct wire_packet *p, const uint8_t *data,
                           const struct braid_input *in)
{
    struct tcp_env *tcp = &core->env.tcp;
    uint8_t header[FRAGMENT_HEADER_MAX + 8];
    unsigned at = (unsigned)(p->header - data), offset = 0, header_len, n;
    size_t len = (size_t)(p->payload - data) + p->payload_len;
    assert(at <= FRAGMENT_HEADER_MAX);
    while (at + offset < len) {
        const uint8_t *piece = data + at + offset;
        n = fragment_next(data, len, at, in->fragment_id, in->fragment_size, &offset, header, &header_len);
        if (n == 0)
            break;
        struct iovec payload = {.iov_base = (void *)piece, .iov_len = n};
        struct braid_packet out = {.header = header,
                                   .header_len = header_len,
                                   .payload = &payload,
                                   .n_payload = 1,
                                   .payload_len = n,
                                   .v6 = !ip_is_v4(&p->dst.ip)};
        tcp->count.v[COUNT_IP_FRAG_CREATES]++;
        tcp->host.output(tcp->host.ctx, &out);
    }
}

static void pass_whole(struct braid_core *core, const struct wire_packet *p, const uint8_t *data,
                       const struct braid_input *in)
{
    uint8_t header[PASSED_HEADER_MAX];
    size_t header_len = (size_t)(p->payload - data), tcp_at = (size_t)(p->header - data);
    /* of extension headers only a forger has so many */
    if (header_len > sizeof(header)) {
        core->env.tcp.count.v[COUNT_TCP_IN_ERRS]++;
        return;
    }
    memcpy(header, data, header_len);
    struct iovec payload = {.iov_base = (void *)p->payload, .iov_len = p->payload_len};
    struct braid_packet out = {.header = header,
                               .header_len = (uint32_t)header_len,
                               .payload = &payload,
                               .n_payload = p->payload_len > 0,
                               .payload_len = p->payload_len,
                               .gso_size = in->gso_size,
                               .v6 = !ip_is_v4(&p->dst.ip)};
    /* It may have come with the sum of the pseudo header only, so it goes so, too. */
    if (in->csum_ok) {
        uint32_t len = (uint32_t)(header_len - tcp_at) + p->payload_len;
        put16(header + tcp_at + TCP_CSUM_OFFSET,
              checksum_fold(checksum_pseudo(&p->src.ip, &p->dst.ip, PROTO_TCP, len)));
        out.csum_start = (uint16_t)tcp_at;
    }
    core->env.tcp.host.output(core->env.tcp.host.ctx, &out);
}

void core_pass_back(struct braid_core *core, const struct wire_packet *p, const uint8_t *data,
                    const struct braid_input *in)
{
    struct tcp_env *tcp = &core->env.tcp;
    tcp->count.v[COUNT_PASSED_BACK]++;
    if (tcp->host.passing)
        tcp->host.passing(tcp->host.ctx, &p->src, &p->dst, (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN);
    if (in->fragment_size)
        pass_fragments(core, p, data, in);
    else
        pass_whole(core, p, data, in);
}
