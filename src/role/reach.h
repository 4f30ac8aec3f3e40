/* Which servers a transparent edge connects to. Its connections are this machine's own, so that they reach
 * what no packet that is forwarded does: loopback, link-local addresses (a cloud's metadata among them), and
 * services on this machine that trust it. */
#ifndef BRAID_ROLE_REACH_H
#define BRAID_ROLE_REACH_H

#include <braid/types.h>

#define REACH_RULES_MAX 32

struct reach_rule {
    struct braid_ip prefix;
    uint8_t bits; /* of the 128, IPv4 as v4-mapped */
    bool allow;
};

/* The first rule that matches counts. Without one the address is allowed, unless any rule allows something.
 * Addresses that are special are only allowed by a rule that lies within their kind, such as 127.0.0.1 or
 * fe80::/10; one of this machine's (local) only by a rule for this single address. */
bool reach_allows(const struct reach_rule *rules, unsigned n, const struct braid_ip *ip, bool local);

/* Whether the address is special, or this machine's: nobody but it may be meant by it. */
bool reach_is_special(const struct braid_ip *ip, bool local);
/* Whether it is an identity of HIP instead of an address (ORCHID: RFC 4843, RFC 7343). */
bool reach_is_identity(const struct braid_ip *ip);
/* What the first rule that matches says; without one, otherwise. */
bool reach_first(const struct reach_rule *rules, unsigned n, const struct braid_ip *ip, bool otherwise);

#endif
