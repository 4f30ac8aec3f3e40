/* The search is a dump of all rules of a family: several messages, in several datagrams, up to the one that
 * says that this is all. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "base/addr.h"
#include "io/netlink.h"
#include "io/policy_rules.h"
#include "io/steer.h"

#define RULES_MAX 64 /* of one priority that are removed at once */

struct search {
    uint32_t mark, table;
    bool found;
};

static int take_rule(const struct nlmsghdr *message, void *arg)
{
    struct search *s = arg;
    const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
    enum { MARK, MASK, TABLE, NUMBERS };
    struct netlink_number numbers[NUMBERS] = {[MARK] = {.type = FRA_FWMARK, .bytes = 4},
                                              [MASK] = {.type = FRA_FWMASK, .bytes = 4},
                                              [TABLE] = {.type = FRA_TABLE, .bytes = 4}};
    if (netlink_numbers(message, sizeof(*rule), numbers, NUMBERS) < 0)
        return -1;
    uint32_t table = numbers[TABLE].there ? numbers[TABLE].value : rule->table;
    if (numbers[MARK].value == s->mark && numbers[MASK].value == STEER_MASK && table == s->table)
        s->found = true;
    return 1;
}

int policy_rules_find(bool v6, uint32_t mark, uint32_t table)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETRULE;
    request->nlmsg_flags = NLM_F_DUMP;
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = v6 ? AF_INET6 : AF_INET;
    struct search s = {.mark = mark, .table = table};
    struct netlink *nl = netlink_open(NETLINK_ROUTE, 0);
    if (!nl)
        return -1;
    int result = netlink_ask(nl, request, take_rule, &s), why = errno;
    netlink_close(nl);
    errno = why;
    return result < 0 ? -1 : s.found;
}

/* bytes: NETLINK_REQUEST_BYTES. */
static struct nlmsghdr *put_rule(char *bytes, uint16_t type, uint16_t flags, bool v6, uint32_t priority)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_ACK | flags;
    struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
    rule->family = v6 ? AF_INET6 : AF_INET;
    mnl_attr_put_u32(request, FRA_PRIORITY, priority);
    return request;
}

int policy_rules_add(struct netlink *nl, const struct braid_ip *source, uint32_t priority, uint32_t table)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    bool v4 = ip_is_v4(source);
    struct nlmsghdr *request = put_rule(bytes, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, !v4, priority);
    struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(request);
    rule->src_len = v4 ? 32 : 128;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put(request, FRA_SRC, v4 ? 4 : 16, source->b + (v4 ? 12 : 0));
    mnl_attr_put_u32(request, FRA_TABLE, table);
    return netlink_ask(nl, request, NULL, NULL);
}

/* One by one, as long as there are any. */
void policy_rules_flush(struct netlink *nl, bool v6, uint32_t priority)
{
    for (unsigned i = 0; i < RULES_MAX; i++) {
        _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
        if (netlink_ask(nl, put_rule(bytes, RTM_DELRULE, 0, v6, priority), NULL, NULL) < 0)
            return;
    }
}
