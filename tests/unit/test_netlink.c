/* io/netlink, io/rtnetlink and io/policy_rules: answers with every flaw that a message can have, and the
 * kernel's own, in a network namespace of the test's. That part is skipped where namespaces may not be used.
 */
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io/policy_rules.h"
#include "io/rtnetlink.h"
#include "io/steer.h"
#include "property.h"
#include "suite.h"

#define HEADER     8 /* bytes of a message's own header in these tests */
#define MANY_RULES 800

/* ---- attributes ------------------------------------------------------------------------------ */

static struct nlmsghdr *begin(char bytes[NETLINK_REQUEST_BYTES])
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
    mnl_nlmsg_put_extra_header(m, HEADER);
    return m;
}

/* In memory that ends where the message does, so that the address sanitizer sees a read past it. */
static int numbers_of(const struct nlmsghdr *m, struct netlink_number *numbers, unsigned n)
{
    struct nlmsghdr *copy = malloc(m->nlmsg_len);
    memcpy(copy, m, m->nlmsg_len);
    int result = netlink_numbers(copy, HEADER, numbers, n);
    free(copy);
    return result;
}

START_TEST(numbers_are_found_among_other_attributes)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *m = begin(bytes);
    mnl_attr_put_strz(m, 7, "a name");
    mnl_attr_put_u32(m, 2, 70000);
    mnl_attr_put(m, 8, 0, NULL);
    mnl_attr_put_u8(m, 3, 1);
    struct netlink_number numbers[] = {
        {.type = 3, .bytes = 1}, {.type = 2, .bytes = 4}, {.type = 4, .bytes = 4, .value = 17}};
    ck_assert_int_eq(numbers_of(m, numbers, 3), 0);
    ck_assert(numbers[0].there && numbers[1].there && !numbers[2].there);
    ck_assert_uint_eq(numbers[0].value, 1);
    ck_assert_uint_eq(numbers[1].value, 70000);
    ck_assert_uint_eq(numbers[2].value, 17);
}
END_TEST

START_TEST(a_number_that_is_too_short_is_refused)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct netlink_number four = {.type = 2, .bytes = 4}, one = {.type = 3, .bytes = 1};
    struct nlmsghdr *m = begin(bytes);
    mnl_attr_put_u16(m, 2, 1);
    ck_assert_int_eq(numbers_of(m, &four, 1), -1);
    m = begin(bytes);
    mnl_attr_put(m, 3, 0, NULL);
    ck_assert_int_eq(numbers_of(m, &one, 1), -1);
    ck_assert(!four.there && !one.there);
}
END_TEST

START_TEST(a_message_shorter_than_its_header_is_refused)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct netlink_number number = {.type = 2, .bytes = 4};
    struct nlmsghdr *m = begin(bytes);
    for (; m->nlmsg_len > NLMSG_HDRLEN; m->nlmsg_len--, errno = 0) {
        if (m->nlmsg_len == NLMSG_HDRLEN + HEADER)
            continue;
        ck_assert_int_eq(numbers_of(m, &number, 1), -1);
        ck_assert_int_eq(errno, EBADMSG);
    }
}
END_TEST

START_TEST(an_attribute_that_claims_more_or_less_than_there_is_ends_the_search)
{
    static const uint16_t lengths[] = {0, 1, 3, 9, 12, 4096, UINT16_MAX};
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
        struct netlink_number number = {.type = 2, .bytes = 4};
        struct nlmsghdr *m = begin(bytes);
        mnl_attr_put_u32(m, 2, 5);
        struct nlattr *a = mnl_nlmsg_get_payload_offset(m, HEADER);
        a->nla_len = lengths[i];
        numbers_of(m, &number, 1);
        ck_assert(!number.there);
    }
}
END_TEST

START_TEST(any_bytes_are_read_within_their_bounds)
{
    uint64_t seed = 4711;
    for (unsigned i = 0; i < 100000; i++) {
        _Alignas(struct nlmsghdr) uint8_t bytes[64];
        for (unsigned j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)(rng_below(&seed, 3) ? rng_below(&seed, 16) : rng_next(&seed));
        struct nlmsghdr *m = (struct nlmsghdr *)bytes;
        m->nlmsg_len = NLMSG_HDRLEN + (uint32_t)rng_below(&seed, sizeof(bytes) - NLMSG_HDRLEN + 1);
        struct netlink_number numbers[] = {{.type = 1, .bytes = 1}, {.type = 2, .bytes = 4}};
        if (numbers_of(m, numbers, 2) == 0)
            must(m->nlmsg_len >= NLMSG_HDRLEN + HEADER);
        must(numbers[0].there || numbers[0].value == 0);
        must(numbers[0].value <= UINT8_MAX);
    }
}
END_TEST

/* ---- the kernel's answers -------------------------------------------------------------------- */

static struct netlink *nl;

static void shell(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s failed", command);
}

static void setup(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    nl = rtnetlink_open();
    ck_assert_ptr_nonnull(nl);
}

static void teardown(void)
{
    netlink_close(nl);
}

START_TEST(a_link_is_up_down_or_not_there)
{
    int lo = (int)if_nametoindex("lo");
    ck_assert_int_eq(rtnetlink_link_is_up(nl, lo), 0);
    shell("ip link set lo up");
    ck_assert_int_eq(rtnetlink_link_is_up(nl, lo), 1);
    ck_assert_int_eq(rtnetlink_link_carrier(nl, lo), 1);
    ck_assert_int_eq(rtnetlink_link_is_up(nl, 4711), -1);
    ck_assert_int_eq(errno, ENODEV);
}
END_TEST

static int refuse(const struct nlmsghdr *message, void *arg)
{
    (void)message;
    (void)arg;
    errno = EDOM;
    return -1;
}

/* A dump that nobody reads to its end: what is left of it is on the socket when the next request is answered.
 */
START_TEST(what_an_earlier_request_has_left_unread_is_skipped)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    int lo = (int)if_nametoindex("lo");
    shell("ip link set lo up");
    for (unsigned i = 0; i < 3; i++) {
        struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
        request->nlmsg_type = RTM_GETLINK;
        request->nlmsg_flags = NLM_F_DUMP;
        mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
        ck_assert_int_eq(netlink_ask(nl, request, refuse, NULL), -1);
        ck_assert_int_eq(errno, EDOM);
        ck_assert_int_eq(rtnetlink_link_is_up(nl, lo), 1);
        ck_assert_int_eq(rtnetlink_link_is_up(nl, 4711), -1);
        ck_assert_int_eq(errno, ENODEV);
    }
}
END_TEST

START_TEST(a_request_that_nothing_answers_does_not_wait)
{
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = NLMSG_NOOP;
    ck_assert_int_eq(netlink_ask(nl, request, refuse, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(news_of_a_change_can_be_waited_for_and_forgotten)
{
    char byte;
    struct netlink *watch = rtnetlink_watch();
    ck_assert_ptr_nonnull(watch);
    netlink_drain(watch);
    shell("ip link set lo up");
    ck_assert_int_eq(recv(netlink_descriptor(watch), &byte, 1, MSG_PEEK), 1);
    netlink_drain(watch);
    ck_assert_int_eq(recv(netlink_descriptor(watch), &byte, 1, MSG_PEEK), -1);
    ck_assert_int_eq(errno, EAGAIN);
    netlink_close(watch);
}
END_TEST

/* The one that is looked for comes last, in another datagram than the first. */
START_TEST(a_rule_is_found_by_its_mark_mask_and_table)
{
    FILE *batch = popen("ip -batch -", "w");
    ck_assert_ptr_nonnull(batch);
    for (unsigned i = 0; i < MANY_RULES; i++)
        fprintf(batch, "rule add pref %u fwmark %#x/%#x table %u\n", 100 + i, STEER_MARK, STEER_MASK,
                9000 + i);
    fprintf(batch, "rule add pref 5000 fwmark %#x/%#x table 8684\n", STEER_MARK, STEER_MASK);
    fprintf(batch, "rule add pref 5001 fwmark %#x table 8685\n", STEER_MARK);
    ck_assert_int_eq(pclose(batch), 0);
    ck_assert_int_eq(policy_rules_find(false, STEER_MARK, 8684), 1);
    ck_assert_int_eq(policy_rules_find(false, STEER_MARK, 8685), 0); /* another mask */
    ck_assert_int_eq(policy_rules_find(false, RETURN_MARK, 8684), 0);
    ck_assert_int_eq(policy_rules_find(false, STEER_MARK, 8686), 0);
    ck_assert_int_eq(policy_rules_find(true, STEER_MARK, 8684), 0);
}
END_TEST

static bool can_test(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    Suite *s = suite_create("netlink");
    TCase *t = tcase_create("attributes");
    tcase_add_test(t, numbers_are_found_among_other_attributes);
    tcase_add_test(t, a_number_that_is_too_short_is_refused);
    tcase_add_test(t, a_message_shorter_than_its_header_is_refused);
    tcase_add_test(t, an_attribute_that_claims_more_or_less_than_there_is_ends_the_search);
    tcase_add_test(t, any_bytes_are_read_within_their_bounds);
    suite_add_tcase(s, t);
    if (can_test()) {
        t = tcase_create("kernel");
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, a_link_is_up_down_or_not_there);
        tcase_add_test(t, what_an_earlier_request_has_left_unread_is_skipped);
        tcase_add_test(t, a_request_that_nothing_answers_does_not_wait);
        tcase_add_test(t, news_of_a_change_can_be_waited_for_and_forgotten);
        tcase_add_test(t, a_rule_is_found_by_its_mark_mask_and_table);
        suite_add_tcase(s, t);
    } else {
        printf("test_netlink: partly skipped, needs CAP_SYS_ADMIN\n");
    }
    return run_suite(s);
}
