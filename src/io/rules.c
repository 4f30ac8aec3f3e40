/* A dump of all rules of a family: several messages, in several datagrams, up to the one that says that this
 * is all. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/netlink.h"
#include "io/rules.h"
#include "io/steer.h"

#define ANSWER_BYTES 32768 /* as iproute2 has it: the kernel fits its datagrams to it */

struct request {
    struct nlmsghdr head;
    struct fib_rule_hdr rule;
};

static bool matches(struct nlmsghdr *head, uint32_t mark, uint32_t table)
{
    const struct fib_rule_hdr *rule = NLMSG_DATA(head);
    uint32_t seen_mark = 0, seen_mask = 0, seen_table = rule->table;
    int left = (int)head->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*rule));
    struct rtattr *a = (struct rtattr *)((char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(*rule)));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (RTA_PAYLOAD(a) < sizeof(uint32_t))
            continue;
        uint32_t value = *(const uint32_t *)RTA_DATA(a);
        if (a->rta_type == FRA_FWMARK)
            seen_mark = value;
        else if (a->rta_type == FRA_FWMASK)
            seen_mask = value;
        else if (a->rta_type == FRA_TABLE)
            seen_table = value;
    }
    return seen_mark == mark && seen_mask == STEER_MASK && seen_table == table;
}

/* Reads the answer to its end. */
static int look(int nl, uint32_t mark, uint32_t table)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    int found = 0;
    for (;;) {
        ssize_t n = recv(nl, answer, sizeof(answer), 0);
        if (n < 0)
            return -1;
        struct nlmsghdr *head = (struct nlmsghdr *)answer;
        for (; NLMSG_OK(head, (size_t)n); head = NLMSG_NEXT(head, n)) {
            if (head->nlmsg_type == NLMSG_DONE)
                return found;
            if (head->nlmsg_type == NLMSG_ERROR) {
                errno = -((const struct nlmsgerr *)NLMSG_DATA(head))->error;
                return -1;
            }
            if (matches(head, mark, table))
                found = 1;
        }
    }
}

int rules_find(bool v6, uint32_t mark, uint32_t table)
{
    struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.rule)),
                                 .nlmsg_type = RTM_GETRULE,
                                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                        .rule = {.family = v6 ? AF_INET6 : AF_INET}};
    int nl = netlink_open();
    if (nl < 0)
        return -1;
    int result = send(nl, &r, r.head.nlmsg_len, 0) < 0 ? -1 : look(nl, mark, table), why = errno;
    close(nl);
    errno = why;
    return result;
}
