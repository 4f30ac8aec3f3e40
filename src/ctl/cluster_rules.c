/* See cluster.h: nftables rules, and the routes that go with them.
 *
 * Only a join's SYN has the token that tells its machine (RFC 8684 section 3.2), so what follows it is found
 * by its addresses and ports: in a map from the flow to the machine's mark or, of IPv6, in a set for each
 * machine, since nft 1.0.6, that of Debian 12, has no room for such a long key beside a value. Connection
 * tracking would not do: where answers take another way it sees half of each connection, and calls what it
 * has not seen begin invalid.
 *
 * A router remembers where each flow went, whoever chose the way, so that a hash that changes moves no flow.
 * A machine passes on joins of others, and what follows them. With strangers=pass it remembers its own flows
 * as well, so that it knows what it has not seen begin: when a hash changes, flows come to machines that know
 * nothing of them. That goes from machine to machine, as it does from worker to worker in each of them
 * (src/core/directory.c), until one knows it. How many there are still to be asked is in the DSCP, which
 * nobody needs any more where a packet has arrived; when all have been, it is back where it came from, whose
 * daemon answers it. */
#include "base/addr.h"
#include "ctl/cluster.h"

#define SYN   "tcp flags & (syn | ack) == syn"
#define FLOW4 "ip saddr . tcp sport . ip daddr . tcp dport"
#define FLOW6 "ip6 saddr . tcp sport . ip6 daddr . tcp dport"
#define TYPE4 "ipv4_addr . inet_service . ipv4_addr . inet_service"
#define TYPE6 "ipv6_addr . inet_service . ipv6_addr . inet_service"
#define JOIN  "tcp option mptcp subtype 1"
#define TOKEN "tcp option @30,32,16" /* its first 16 bits */

/* Packets of others' flows are remembered, and marked, by number. */
static bool is_other(const struct cluster *c, unsigned i)
{
    return c->machines[i].known && i != c->self;
}

/* Of its own flows a machine takes a note only to know what is a stranger's. */
static bool is_remembered(const struct cluster *c, unsigned i)
{
    return is_other(c, i) || (c->ring && i == c->self);
}

static bool has_family(const struct cluster *c, bool v6)
{
    for (unsigned i = 0; i < c->n_services; i++)
        if (ip_is_v4(&c->services[i]) != v6)
            return true;
    return false;
}

static void print_services(const struct cluster *c, bool v6, FILE *out)
{
    char text[ADDR_TEXT];
    const char *before = "";
    fprintf(out, "    set services%d {\n        type ipv%d_addr\n        elements = {", v6 ? 6 : 4,
            v6 ? 6 : 4);
    for (unsigned i = 0; i < c->n_services; i++) {
        if (ip_is_v4(&c->services[i]) == v6)
            continue;
        fprintf(out, "%s %s", before, ip_text(&c->services[i], text));
        before = ",";
    }
    fputs(" }\n    }\n", out);
}

static void print_memory(const struct cluster *c, const char *kind, const char *name, const char *type,
                         FILE *out)
{
    fprintf(out,
            "    %s %s {\n        type %s\n        flags dynamic, timeout\n        timeout %us\n"
            "        size 16777216\n    }\n",
            kind, name, type, c->timeout);
}

static void print_memories(const struct cluster *c, FILE *out)
{
    char name[16];
    if (has_family(c, false)) {
        print_services(c, false, out);
        print_memory(c, "map", "flows4", TYPE4 " : mark", out);
    }
    if (!has_family(c, true))
        return;
    print_services(c, true, out);
    for (unsigned i = 1; i <= c->of; i++) {
        snprintf(name, sizeof(name), "flows6_%u", i);
        if (is_remembered(c, i))
            print_memory(c, "set", name, TYPE6, out);
    }
}

/* A SYN begins a flow, whatever was remembered of its addresses and ports. */
static void print_begin(const struct cluster *c, bool v6, FILE *out)
{
    fprintf(out, "    chain begin%d {\n", v6 ? 6 : 4);
    if (!v6)
        fputs("        delete @flows4 { " FLOW4 " : 0x0 }\n", out);
    for (unsigned i = 1; v6 && i <= c->of; i++)
        if (is_remembered(c, i))
            fprintf(out, "        delete @flows6_%u { " FLOW6 " }\n", i);
    fputs("        " JOIN " goto join\n", out);
    if (c->ring && v6)
        fprintf(out, "        update @flows6_%u { " FLOW6 " }\n", c->self);
    else if (c->ring)
        fprintf(out, "        update @flows4 { " FLOW4 " : 0x%x }\n", CLUSTER_MARK + c->self);
    fputs("    }\n", out);
}

/* A router remembers the flow when it sees which way it goes (chain gone): a machine may be down. */
static void print_join(const struct cluster *c, unsigned i, FILE *out)
{
    unsigned first = token_share_first(i - 1, c->of), last = token_share_first(i, c->of) - 1;
    if (c->self && has_family(c, false))
        fprintf(out, "        " TOKEN " 0x%04x-0x%04x update @flows4 { " FLOW4 " : 0x%x }\n", first, last,
                CLUSTER_MARK + i);
    if (c->self && has_family(c, true))
        fprintf(out, "        " TOKEN " 0x%04x-0x%04x update @flows6_%u { " FLOW6 " }\n", first, last, i);
    if (i != c->self)
        fprintf(out, "        " TOKEN " 0x%04x-0x%04x meta mark set 0x%x\n", first, last, CLUSTER_MARK + i);
}

static void print_joins(const struct cluster *c, FILE *out)
{
    fputs("    chain join {\n", out);
    for (unsigned i = 1; i <= c->of; i++)
        if (is_remembered(c, i))
            print_join(c, i, out);
    fputs("    }\n", out);
}

/* Of the codepoints for local use (RFC 2474 section 6), by how many machines are still to be asked. */
static unsigned dscp_of(unsigned hops)
{
    return hops << 2 | 3;
}

/* A packet that comes from outside may have any codepoint: it is asked about by one round at most, too. */
static void print_stranger(const struct cluster *c, bool v6, FILE *out)
{
    const char *dscp = v6 ? "ip6 dscp" : "ip dscp";
    unsigned hops = 0, ring = CLUSTER_MARK + CLUSTER_RING;
    for (unsigned i = 1; i <= c->of; i++)
        hops += is_other(c, i);
    fprintf(out, "    chain stranger%d {\n        %s %u accept\n", v6 ? 6 : 4, dscp, dscp_of(0));
    for (unsigned h = 1; h <= hops; h++)
        fprintf(out, "        %s %u %s set %u meta mark set 0x%x accept\n", dscp, dscp_of(h), dscp,
                dscp_of(h - 1), ring);
    fprintf(out, "        %s set %u meta mark set 0x%x\n    }\n", dscp, dscp_of(hops), ring);
}

/* What is remembered is so from its last packet on. */
static void print_follow(const struct cluster *c, bool v6, FILE *out)
{
    fprintf(out, "    chain follow%d {\n", v6 ? 6 : 4);
    if (!v6)
        fputs("        meta mark set " FLOW4 " map @flows4 update @flows4 { " FLOW4 " : meta mark } accept\n",
              out);
    for (unsigned i = 1; v6 && i <= c->of; i++)
        if (is_remembered(c, i))
            fprintf(out,
                    "        " FLOW6 " @flows6_%u meta mark set 0x%x update @flows6_%u { " FLOW6
                    " } accept\n",
                    i, CLUSTER_MARK + i, i);
    if (c->ring)
        fprintf(out, "        goto stranger%d\n", v6 ? 6 : 4);
    fputs("    }\n", out);
}

static void print_prerouting(const struct cluster *c, FILE *out)
{
    fputs("    chain prerouting {\n        type filter hook prerouting priority mangle; policy accept;\n",
          out);
    for (int v6 = 0; v6 < 2; v6++) {
        int family = v6 ? 6 : 4;
        const char *daddr = v6 ? "ip6 daddr" : "ip daddr";
        if (!has_family(c, v6))
            continue;
        fprintf(out, "        meta l4proto tcp %s @services%d " SYN " goto begin%d\n", daddr, family, family);
        fprintf(out, "        meta l4proto tcp %s @services%d goto follow%d\n", daddr, family, family);
    }
    fputs("    }\n", out);
}

/* The next hop that a new flow of this family has got, and so its machine. */
static void print_next_hop(const struct cluster *c, unsigned i, bool v6, FILE *out)
{
    const struct cluster_machine *m = &c->machines[i];
    char text[ADDR_TEXT];
    if (!is_other(c, i) || !(m->has[v6] || m->device[0]))
        return;
    fprintf(out, "        %s @services%d ", v6 ? "ip6 daddr" : "ip daddr", v6 ? 6 : 4);
    if (m->has[v6])
        fprintf(out, "rt %s nexthop %s ", v6 ? "ip6" : "ip", ip_text(&m->at[v6], text));
    else
        fprintf(out, "oifname \"%s\" ", m->device);
    if (v6)
        fprintf(out, "update @flows6_%u { " FLOW6 " } accept\n", i);
    else
        fprintf(out, "update @flows4 { " FLOW4 " : 0x%x } accept\n", CLUSTER_MARK + i);
}

static void print_gone(FILE *out)
{
    fputs("    chain gone {\n        type filter hook forward priority mangle; policy accept;\n        meta "
          "l4proto tcp " SYN " jump remember\n    }\n",
          out);
}

static void print_remember(const struct cluster *c, FILE *out)
{
    fputs("    chain remember {\n", out);
    for (unsigned i = 1; i <= c->of; i++)
        for (int v6 = 0; v6 < 2; v6++)
            if (has_family(c, v6))
                print_next_hop(c, i, v6, out);
    fputs("    }\n", out);
}

void cluster_print_rules(const struct cluster *c, FILE *out)
{
    /* anew, with nothing remembered, whatever there was; nft does all of it at once or nothing */
    fputs("table inet braid_cluster\ndelete table inet braid_cluster\ntable inet braid_cluster {\n", out);
    print_memories(c, out);
    print_joins(c, out);
    for (int v6 = 0; v6 < 2; v6++) {
        if (!has_family(c, v6))
            continue;
        print_begin(c, v6, out);
        if (c->ring)
            print_stranger(c, v6, out);
        print_follow(c, v6, out);
    }
    print_prerouting(c, out);
    if (c->self == 0) {
        print_remember(c, out);
        print_gone(out);
    }
    fputs("}\n", out);
}

/* Once, however often this is run. */
static void print_rule(int family, unsigned mark, unsigned table, unsigned priority, FILE *out)
{
    fprintf(out, "ip -%d rule del fwmark 0x%x/0x%x table %u priority %u 2>/dev/null\n", family,
            CLUSTER_MARK + mark, CLUSTER_MASK, table, priority);
    fprintf(out, "ip -%d rule add fwmark 0x%x/0x%x table %u priority %u\n", family, CLUSTER_MARK + mark,
            CLUSTER_MASK, table, priority);
}

static void print_route(const struct cluster *c, unsigned i, bool v6, FILE *out)
{
    const struct cluster_machine *m = &c->machines[i];
    char text[ADDR_TEXT];
    int family = v6 ? 6 : 4;
    unsigned table = CLUSTER_TABLE + i;
    if (!is_other(c, i) || !has_family(c, v6))
        return;
    print_rule(family, i, table, CLUSTER_PRIORITY, out);
    /* the next one behind us first, and so on: a table without a route is passed over */
    if (c->ring)
        print_rule(family, CLUSTER_RING, table, CLUSTER_PRIORITY + (i + c->of - c->self) % c->of, out);
    if (c->tables_kept)
        return;
    if (m->has[v6])
        fprintf(out, "ip -%d route replace default via %s%s%s table %u\n", family, ip_text(&m->at[v6], text),
                m->device[0] ? " dev " : "", m->device, table);
    else if (m->device[0])
        fprintf(out, "ip -%d route replace default dev %s table %u\n", family, m->device, table);
}

void cluster_print_routes(const struct cluster *c, FILE *out)
{
    for (unsigned i = 1; i <= c->of; i++)
        for (int v6 = 0; v6 < 2; v6++)
            print_route(c, i, v6, out);
}
