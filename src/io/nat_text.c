/* The text of the ruleset.
 *
 * Connection tracking is not used: who flushes it, as firewalls do when they are reloaded, would have this
 * machine's own kernel answer the servers' data with RSTs. Instead what leaves notes its 4-tuple in a set,
 * and what arrives is turned back, untracked, if it is in there: other connections of the same ports, such as
 * those that the kernel masquerades, are left to it. A segment of our ports that neither the set nor the
 * kernel knows, since the set was flushed or its entry timed out, is turned back as well (chain "strays"):
 * whoever of both is wrong, only we can tell. A SYN never is a stray: nobody connects to these ports.
 *
 * ICMP errors are told by the segment that they quote: its header follows 8 bytes of theirs. All numbers of a
 * key are read at their offsets, since nft (1.0.6) has it that a port is no number of 16 bits; so a segment
 * with IP options is a stray. */
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "io/nat_rules.h"
#include "io/nat_writer.h"

#define FLOWS_MAX     262144
#define FLOWS_TIMEOUT "10m"

/* What differs between the families. Keys: our port, the peer's address and port, our address, ... */
struct family {
    const char *ip, *flows;
    unsigned subnet_bits, inner_bits; /* the uplinks' addresses are the first ones of the subnet */
    const char *out;                  /* ... of a packet that leaves ... */
    const char *in;                   /* ... that arrives ... */
    const char *quoted; /* ... and of one that an ICMP error quotes; with a check that it is TCP */
    const char *icmp;
};

static const struct family families[] = {
    {.ip = "ip",
     .flows = "flows4",
     .subnet_bits = 24,
     .inner_bits = 28,
     .out = "@nh,160,16 . @nh,128,32 . @nh,176,16 . @nh,96,32",
     .in = "@nh,176,16 . @nh,96,32 . @nh,160,16 . @nh,128,32",
     .quoted = "@th,64,8 0x45 @th,136,8 6 @th,224,16 . @th,192,32 . @th,240,16 . @th,160,32",
     .icmp = "icmp type { 3, 11, 12 }"},
    {.ip = "ip6",
     .flows = "flows6",
     .subnet_bits = 64,
     .inner_bits = 124,
     .out = "@nh,320,16 . @nh,192,128 . @nh,336,16 . @nh,64,128",
     .in = "@nh,336,16 . @nh,64,128 . @nh,320,16 . @nh,192,128",
     .quoted = "@th,112,8 6 @th,384,16 . @th,256,128 . @th,400,16 . @th,128,128",
     .icmp = "icmpv6 type { 1, 2, 3, 4 }"},
};

static void put_frame(struct nat_writer *w)
{
    static const char *const chains[][2] = {{"arrivals", "prerouting priority raw"},
                                            {"strays", "prerouting priority mangle - 40"},
                                            {"departures", "postrouting priority srcnat - 10"}};
    nat_put(w, "add table " NAT_TABLE "\n");
    for (unsigned f = 0; f < 2; f++)
        nat_put(w,
                "add set " NAT_TABLE " %s { typeof %s; size %u; flags dynamic,timeout; timeout " FLOWS_TIMEOUT
                "; }\n",
                families[f].flows, families[f].out, FLOWS_MAX);
    for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        nat_put(w, "add chain " NAT_TABLE " %s { type filter hook %s; policy accept; }\n", chains[i][0],
                chains[i][1]);
        nat_put(w, "flush chain " NAT_TABLE " %s\n", chains[i][0]);
    }
}

/* What comes out of the TUN is no business of connection tracking's, except what is passed back of this
 * machine's own connections, which have the TUN's address; and nobody else has inner addresses. */
static void put_subnets(struct nat_writer *w, const struct nat_rules *r)
{
    char subnet[ADDR_TEXT];
    for (unsigned f = 0; f < 2; f++) {
        const char *ip = families[f].ip;
        ip_text(&r->subnets[f], subnet);
        nat_put(w, "add rule " NAT_TABLE " arrivals iifname \"%s\" %s saddr %s/%u notrack\n", r->tun, ip,
                subnet, families[f].inner_bits);
        nat_put(w, "add rule " NAT_TABLE " arrivals iifname != { \"lo\", \"%s\" } %s saddr %s/%u drop\n",
                r->tun, ip, subnet, families[f].subnet_bits);
    }
}

static void put_pair(struct nat_writer *w, const struct nat_rules *r, const struct nat_pair *p)
{
    const struct family *f = &families[ip_is_v4(&p->inner) ? 0 : 1];
    char inner[ADDR_TEXT], outer[ADDR_TEXT], here[128], ports[32];
    ip_text(&p->inner, inner);
    ip_text(&p->outer, outer);
    snprintf(here, sizeof(here), "iifname \"%s\" %s daddr %s", p->interface, f->ip, outer);
    snprintf(ports, sizeof(ports), "tcp dport %u-%u", r->port_first, r->port_last);
    nat_put(w, "add rule " NAT_TABLE " arrivals %s %s %s @%s notrack %s daddr set %s\n", here, ports, f->in,
            f->flows, f->ip, inner);
    nat_put(w, "add rule " NAT_TABLE " arrivals %s %s %s @%s notrack %s daddr set %s\n", here, f->icmp,
            f->quoted, f->flows, f->ip, inner);
    /* Known to the kernel is what has an entry that is not new, or is to be translated. */
    nat_put(w, "add rule " NAT_TABLE " strays %s %s tcp flags & syn == 0 ct state invalid %s daddr set %s\n",
            here, ports, f->ip, inner);
    nat_put(w,
            "add rule " NAT_TABLE
            " strays %s %s tcp flags & syn == 0 ct state new ct status & (snat | dnat) == 0 "
            "%s daddr set %s\n",
            here, ports, f->ip, inner);
    /* First the address, which is then part of the key; a set that is full only makes strays. */
    nat_put(w,
            "add rule " NAT_TABLE
            " departures oifname \"%s\" %s saddr %s %s saddr set %s update @%s { %s timeout " FLOWS_TIMEOUT
            " }\n",
            p->interface, f->ip, inner, f->ip, outer, f->flows, f->out);
}

const char *nat_text(const struct nat_rules *rules, char text[NAT_TEXT])
{
    struct nat_writer w = {.text = text};
    put_frame(&w);
    put_subnets(&w, rules);
    for (unsigned i = 0; i < rules->n; i++)
        put_pair(&w, rules, &rules->pairs[i]);
    return text;
}
