/* See reach.h. */
#include "base/addr.h"
#include "role/reach.h"

#define IDENTITY_BITS 28
#define V4_BITS       96 /* of a v4-mapped address, before the 32 */

struct prefix {
    struct braid_ip ip;
    unsigned bits;
};

#define V4(a, b, c, d, n)                                                                                    \
    {                                                                                                        \
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}, V4_BITS + (n)                              \
    }

/* RFC 6890: what is not another host's for everybody. What is private (RFC 1918, RFC 4193) is what edges are
 * for. */
static const struct prefix special[] = {
    V4(0, 0, 0, 0, 8),          /* this network */
    V4(127, 0, 0, 0, 8),        /* loopback */
    V4(169, 254, 0, 0, 16),     /* link-local, and metadata */
    V4(100, 100, 100, 200, 32), /* metadata */
    V4(224, 0, 0, 0, 3),        /* multicast, reserved, broadcast */
    {{{0}}, V4_BITS},           /* ::, ::1, and what embeds IPv4 */
    {{{0xfe, 0x80}}, 10},       /* link-local */
    {{{0xff}}, 8},              /* multicast */
    {{{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54}}, 128}, /* metadata */
};

bool reach_is_identity(const struct braid_ip *ip)
{
    static const struct prefix identities[] = {{{{0x20, 0x01, 0, 0x10}}, IDENTITY_BITS},
                                               {{{0x20, 0x01, 0, 0x20}}, IDENTITY_BITS}};
    return ip_in_prefix(ip, &identities[0].ip, identities[0].bits) ||
           ip_in_prefix(ip, &identities[1].ip, identities[1].bits);
}

/* How long the prefix of a rule has to be that allows this address. */
static unsigned bits_needed(const struct braid_ip *ip, bool local)
{
    if (local)
        return 128;
    for (unsigned i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (ip_in_prefix(ip, &special[i].ip, special[i].bits))
            return special[i].bits;
    return reach_is_identity(ip) ? IDENTITY_BITS : 0;
}

bool reach_allows(const struct reach_rule *rules, unsigned n, const struct braid_ip *ip, bool local)
{
    unsigned needed = bits_needed(ip, local);
    bool otherwise = needed == 0;
    for (unsigned i = 0; i < n; i++) {
        if (rules[i].allow)
            otherwise = false;
        if (ip_in_prefix(ip, &rules[i].prefix, rules[i].bits) && (!rules[i].allow || rules[i].bits >= needed))
            return rules[i].allow;
    }
    return otherwise;
}

bool reach_is_special(const struct braid_ip *ip, bool local)
{
    return bits_needed(ip, local) > 0;
}

bool reach_first(const struct reach_rule *rules, unsigned n, const struct braid_ip *ip, bool otherwise)
{
    for (unsigned i = 0; i < n; i++)
        if (ip_in_prefix(ip, &rules[i].prefix, rules[i].bits))
            return rules[i].allow;
    return otherwise;
}
