/* A dump of all rules of a family: several messages, in several datagrams, up to the one that says that this
 * is all. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "io/netlink.h"
#include "io/policy_rules.h"
#include "io/steer.h"

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
