/* io/tun: the device, its routes, and super-packets both ways, against the kernel's own TCP in a network
 * namespace of the test's. Skipped where namespaces or /dev/net/tun may not be used. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/tun.h"
#include "io/tun_queue.h"
#include "io/upstream.h"
#include "wire/packet.h"
#include "suite.h"

#define WAIT_MS 3000
#define BULK    40000
#define MSS     1440

static struct tun tun;
static const struct tun_params params = {.name = "tun-test", .mtu = 1500, .routes_auto = true};
static char error[TUN_ERROR];
static uint8_t buffer[TUN_BUFFER];

/* One side of a TCP connection, played by the test, of which the kernel plays the other. */
struct peer {
    struct braid_addr local, remote; /* local: our side */
    uint32_t snd, rcv;               /* sequence numbers: next to send, next expected */
};

static void shell(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s failed", command);
}

static void open_tun(void)
{
    ck_assert_msg(tun_open(&tun, &params, 2, error) == 0, "%s", error);
}

/* The kernel gets round to an IPv6 address by and by; until then its route is not there, and what is sent to
 * it is dropped. */
static void add_local(const char *ip)
{
    char command[256];
    snprintf(command, sizeof(command),
             "ip -6 addr add %s/128 dev lo nodad && for i in $(seq 300); do "
             "ip -6 route show table local %s | grep -q local && exit 0; sleep 0.01; done; exit 1",
             ip, ip);
    shell(command);
}

/* Addresses for the kernel's side: a TUN of ours has none. */
static void enter_namespace(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    shell("ip link set lo up && ip addr add 10.77.0.1/32 dev lo");
    add_local("fd77::1");
}

static void setup(void)
{
    enter_namespace();
    open_tun();
}

static void teardown(void)
{
    tun_close(&tun);
}

static struct braid_addr address(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

static void route(const struct braid_addr *a)
{
    ck_assert_msg(tun_route(&tun, &a->ip, error) == 0, "%s", error);
}

/* Waits for a TCP packet from either queue; other traffic (router solicitations) is passed over. */
static void next_packet(struct wire_packet *out, struct braid_input *in)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = tun.fds[0], .events = POLLIN}, {.fd = tun.fds[1], .events = POLLIN}};
        ck_assert_int_gt(poll(fds, 2, WAIT_MS), 0);
        ssize_t n = tun_read(fds[0].revents ? fds[0].fd : fds[1].fd, buffer, in);
        ck_assert_int_ge(n, 0);
        if (n > 0 && packet_parse(buffer + TUN_VNET_BYTES, (size_t)n, !in->csum_ok, out) == WIRE_OK &&
            out->kind == WIRE_TCP)
            return;
    }
}

static void send_segment(const struct peer *p, uint8_t flags, const void *data, size_t len, uint16_t gso_size)
{
    struct wire_tcp tcp = {.flags = flags, .seq = p->snd, .ack = p->rcv, .window = 65535};
    if (flags & TCP_SYN) {
        tcp.has_mss = true;
        tcp.mss = MSS;
    }
    struct packet_spec spec = {
        .src = p->local, .dst = p->remote, .tcp = &tcp, .payload_len = (uint32_t)len, .hop_limit = 64};
    struct packet_header h;
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    /* Several pieces, as a send buffer of several chunks gives. */
    struct iovec iov[2] = {{.iov_base = (void *)data, .iov_len = len / 3},
                           {.iov_base = (char *)data + len / 3, .iov_len = len - len / 3}};
    struct braid_packet packet = {.header = h.bytes,
                                  .header_len = h.len,
                                  .payload = iov,
                                  .n_payload = len ? 2 : 0,
                                  .payload_len = (uint32_t)len,
                                  .gso_size = gso_size,
                                  .csum_start = h.csum_start,
                                  .v6 = h.v6};
    ck_assert_msg(tun_write(tun.fds[0], &packet) == 0, "%s", strerror(errno));
}

/* Lets the kernel connect to us and plays the handshake; returns the kernel's socket. */
static int handshake(const struct braid_addr *to, struct peer *p)
{
    bool connected;
    int fd = upstream_connect(to, NULL, &connected);
    ck_assert_int_ge(fd, 0);
    ck_assert(!connected);
    struct wire_packet syn, ack;
    struct braid_input in;
    next_packet(&syn, &in);
    ck_assert_uint_eq(syn.tcp.flags & (TCP_SYN | TCP_ACK), TCP_SYN);
    ck_assert(in.csum_ok);
    ck_assert_uint_eq(in.gso_size, 0);
    ck_assert(addr_equal(&syn.dst, to));
    *p = (struct peer){.local = syn.dst, .remote = syn.src, .snd = 1000, .rcv = syn.tcp.seq + 1};
    send_segment(p, TCP_SYN | TCP_ACK, NULL, 0, 0);
    p->snd++;
    do {
        next_packet(&ack, &in);
    } while (ack.tcp.flags == TCP_SYN); /* the machine was slow, and the kernel has asked again */
    ck_assert_uint_eq(ack.tcp.flags, TCP_ACK);
    ck_assert_uint_eq(ack.tcp.ack, p->snd);
    ck_assert_int_eq(upstream_error(fd), 0);
    return fd;
}

static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + i / 251);
}

/* The kernel's bytes come to us in super-packets, with checksums vouched for. */
static void check_upload(int fd, struct peer *p)
{
    static uint8_t data[BULK];
    fill(data, BULK);
    ck_assert_int_eq(send(fd, data, BULK, MSG_DONTWAIT), BULK);
    size_t got = 0;
    bool super = false;
    while (got < BULK) {
        struct wire_packet packet;
        struct braid_input in;
        next_packet(&packet, &in);
        ck_assert(in.csum_ok);
        ck_assert_uint_eq(packet.tcp.seq, p->rcv); /* one flow, one queue: in order */
        if (packet.payload_len > MSS) {
            super = true;
            ck_assert_uint_eq(in.gso_size, MSS);
        }
        ck_assert_uint_le(packet.payload_len, BULK - got);
        ck_assert_mem_eq(packet.payload, data + got, packet.payload_len);
        got += packet.payload_len;
        p->rcv += packet.payload_len;
        send_segment(p, TCP_ACK, NULL, 0, 0);
    }
    ck_assert(super);
}

/* One super-packet of ours becomes the same bytes in the kernel's socket, and is counted as many segments. */
static void check_download(int fd, struct peer *p)
{
    static uint8_t data[BULK], received[BULK];
    fill(data, BULK);
    send_segment(p, TCP_ACK | TCP_PSH, data, BULK, MSS);
    p->snd += BULK;
    size_t got = 0;
    while (got < BULK) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        ck_assert_int_gt(poll(&readable, 1, WAIT_MS), 0);
        ssize_t n = recv(fd, received + got, BULK - got, 0);
        ck_assert_int_gt(n, 0);
        got += (size_t)n;
    }
    ck_assert_mem_eq(received, data, BULK);
}

static void check_both_ways(const char *service)
{
    struct braid_addr to = address(service);
    struct peer p;
    route(&to);
    int fd = handshake(&to, &p);
    check_upload(fd, &p);
    check_download(fd, &p);
    close(fd);
}

START_TEST(super_packets_go_both_ways_over_ipv4)
{
    check_both_ways("10.99.9.1:80");
}
END_TEST

START_TEST(super_packets_go_both_ways_over_ipv6)
{
    check_both_ways("[2001:db8::1]:80");
}
END_TEST

static void switch_off_tso(const char *device)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STSO};
    struct ifreq ifr = {.ifr_data = (char *)&off};
    strcpy(ifr.ifr_name, device);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(ioctl(s, SIOCETHTOOL, &ifr), 0);
    close(s);
}

/* Forwarded through a link without TSO, a super-packet of ours arrives as segments of gso_size. */
START_TEST(the_kernel_cuts_a_super_packet_into_segments)
{
    shell("ip link add v0 type veth peer name v1 && ip addr add 10.78.0.1/24 dev v0 && ip link set v0 up && "
          "ip link set v1 up && ip neigh add 10.78.0.2 lladdr 02:00:00:00:00:02 dev v0 && "
          "echo 1 > /proc/sys/net/ipv4/ip_forward");
    /* Until the kernel has got round to noticing the carrier, v0 drops what is sent. */
    shell("for i in $(seq 300); do ip -br link show v0 | grep -q ' UP ' && exit 0; sleep 0.01; done; exit 1");
    switch_off_tso("v0");
    int tap = socket(AF_PACKET, SOCK_DGRAM, 0x0008 /* ETH_P_IP, big-endian */);
    ck_assert_int_ge(tap, 0);
    struct peer p = {
        .local = address("10.99.9.1:80"), .remote = address("10.78.0.2:5000"), .snd = 7, .rcv = 9};
    static uint8_t data[10 * MSS];
    fill(data, sizeof(data));
    route(&p.local);
    send_segment(&p, TCP_ACK, data, sizeof(data), MSS);
    for (unsigned i = 0; i < 10;) {
        struct pollfd readable = {.fd = tap, .events = POLLIN};
        ck_assert_int_gt(poll(&readable, 1, WAIT_MS), 0);
        struct wire_packet packet;
        ssize_t n = recv(tap, buffer, sizeof(buffer), 0);
        if (n <= 0 || packet_parse(buffer, (size_t)n, false, &packet) != WIRE_OK || packet.payload_len > MSS)
            continue; /* the super-packet itself, as it came in */
        ck_assert_uint_eq(packet.tcp.seq, 7 + i * MSS);
        ck_assert_uint_eq(packet.payload_len, MSS);
        ck_assert_mem_eq(packet.payload, data + i * MSS, MSS);
        i++;
    }
    close(tap);
}
END_TEST

START_TEST(the_device_is_up_and_vanishes_with_its_routes)
{
    struct braid_addr v4 = address("10.99.9.1:80"), v6 = address("[2001:db8::1]:80");
    route(&v4);
    route(&v6);
    shell("ip route show 10.99.9.1 | grep -q 'dev tun-test'");
    shell("ip -6 route show 2001:db8::1 | grep -q 'dev tun-test'");
    shell("ip link show tun-test | grep -q 'mtu 1500'");
    shell("ip link show tun-test | grep -q 'UP'");
    shell("[ $(cat /proc/sys/net/ipv4/conf/tun-test/rp_filter) = 0 ]");
    tun_close(&tun);
    shell("! ip link show tun-test 2>/dev/null");
    shell("[ -z \"$(ip route show 10.99.9.1)\" ]");
    open_tun();
}
END_TEST

static void check_polled(void)
{
    for (unsigned i = 0; i < tun.n_queues; i++) {
        struct ifreq ifr = {0};
        ck_assert_int_eq(ioctl(tun.fds[i], TUNGETIFF, &ifr), 0);
        ck_assert(ifr.ifr_flags & IFF_NAPI);
    }
}

START_TEST(the_kernel_puts_nothing_together_that_is_written)
{
    struct ethtool_value gro = {.cmd = ETHTOOL_GGRO, .data = 1};
    struct ifreq ifr = {.ifr_name = "tun-test", .ifr_data = (char *)&gro};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(ioctl(s, SIOCETHTOOL, &ifr), 0);
    ck_assert_uint_eq(gro.data, 0);
    close(s);
}
END_TEST

START_TEST(the_kernel_polls_what_is_written)
{
    check_polled();
    shell("ip link del tun-test");
    enum tun_state was;
    ck_assert_msg(tun_restore(&tun, &was, error) == 0, "%s", error);
    check_polled();
    tun_close(&tun);
    shell("ip tuntap add tun-test mode tun multi_queue vnet_hdr");
    open_tun();
    check_polled();
}
END_TEST

START_TEST(a_second_user_is_told_that_the_device_is_busy)
{
    struct tun second;
    ck_assert_int_eq(tun_open(&second, &params, 1, error), -1);
    ck_assert_msg(strstr(error, "busy") != NULL, "%s", error);
}
END_TEST

START_TEST(a_device_made_beforehand_is_used_and_kept)
{
    tun_close(&tun);
    shell("ip tuntap add tun-test mode tun multi_queue vnet_hdr");
    struct braid_addr a = address("10.99.9.1:80");
    for (unsigned run = 0; run < 2; run++) { /* the second one finds the first one's route */
        open_tun();
        ck_assert(tun.existed);
        route(&a);
        tun_close(&tun);
        shell("ip route show 10.99.9.1 | grep -q 'dev tun-test'");
    }
    open_tun();
    tun_unroute(&tun, &a.ip);
    shell("[ -z \"$(ip route show 10.99.9.1)\" ]");
}
END_TEST

#define STEERED(ip, test) "[ " test " \"$(" ip " route show table 8684 2>/dev/null)\" ]"

START_TEST(steered_traffic_has_a_route_that_vanishes_with_the_device)
{
    shell("ip route add default dev lo table 8684"); /* of whoever had it before */
    for (unsigned again = 0; again < 2; again++)
        ck_assert_msg(tun_steer(&tun, error) == 0, "%s", error);
    shell("[ $(ip route show table 8684 | grep -c '^default dev tun-test') = 1 ]");
    shell("[ $(ip -6 route show table 8684 | grep -c '^default dev tun-test') = 1 ]");
    shell("[ -z \"$(ip route show default)\" ]"); /* the main table is not touched */
    tun_close(&tun);
    shell(STEERED("ip", "-z"));
    shell(STEERED("ip -6", "-z"));
}
END_TEST

START_TEST(a_kept_device_loses_the_route_when_the_daemon_ends)
{
    tun_close(&tun);
    shell("ip tuntap add tun-test mode tun multi_queue vnet_hdr");
    open_tun();
    ck_assert_int_eq(tun_steer(&tun, error), 0);
    tun_unsteer(&tun);
    shell(STEERED("ip", "-z"));
    shell(STEERED("ip -6", "-z"));
}
END_TEST

START_TEST(without_ipv6_only_ipv4_is_steered)
{
    shell("echo 1 >/proc/sys/net/ipv6/conf/tun-test/disable_ipv6");
    ck_assert_msg(tun_steer(&tun, error) == 0, "%s", error);
    shell(STEERED("ip", "-n"));
}
END_TEST

START_TEST(another_kind_of_device_is_refused)
{
    tun_close(&tun);
    shell("ip tuntap add tun-test mode tun");
    ck_assert_int_eq(tun_open(&tun, &params, 1, error), -1);
    ck_assert_msg(strstr(error, "multi_queue") != NULL, "%s", error);
}
END_TEST

START_TEST(an_address_that_is_taken_is_refused)
{
    struct braid_addr own = address("10.77.0.1:80"), other = address("10.99.9.1:80");
    ck_assert_int_eq(tun_route(&tun, &own.ip, error), -1);
    ck_assert_msg(strstr(error, "this machine") != NULL, "%s", error);
    shell("ip route add 10.99.9.1/32 dev lo");
    ck_assert_int_eq(tun_route(&tun, &other.ip, error), -1);
    ck_assert_msg(strstr(error, "another route") != NULL, "%s", error);
}
END_TEST

static enum tun_state restored(void)
{
    enum tun_state was;
    ck_assert_msg(tun_restore(&tun, &was, error) == 0, "%s", error);
    return was;
}

START_TEST(a_device_that_was_set_down_or_deleted_is_restored_under_the_same_descriptors)
{
    struct braid_addr a = address("10.99.9.1:80");
    route(&a);
    ck_assert_int_eq(restored(), TUN_UP);
    ck_assert_int_eq(tun_route_restore(&tun, &a.ip), TUN_ROUTE_THERE);
    shell("ip link set tun-test down");
    ck_assert_int_eq(restored(), TUN_DOWN);
    ck_assert_int_eq(tun_route_restore(&tun, &a.ip), TUN_ROUTE_PUT_BACK);
    shell("ip link del tun-test");
    struct braid_input in;
    ck_assert_int_eq(tun_read(tun.fds[0], buffer, &in), -1);
    ck_assert_int_eq(errno, EBADFD);
    ck_assert_int_eq(restored(), TUN_GONE);
    ck_assert_int_eq(tun_route_restore(&tun, &a.ip), TUN_ROUTE_PUT_BACK);
    shell("ip link show tun-test | grep -q 'mtu 1500.*qlen 4096'");
    check_both_ways("10.99.9.1:80");
}
END_TEST

START_TEST(a_device_whose_name_was_taken_cannot_be_restored)
{
    enum tun_state was;
    shell("ip link del tun-test && ip link add tun-test type veth peer name other");
    ck_assert_int_eq(tun_restore(&tun, &was, error), -1);
    ck_assert_msg(strstr(error, "tun-test") != NULL, "%s", error);
}
END_TEST

START_TEST(a_route_that_others_took_is_told_from_one_that_is_missing)
{
    struct braid_addr a = address("10.99.9.1:80"), b = address("[2001:db8::1]:80");
    route(&a);
    route(&b);
    shell("ip route replace 10.99.9.1/32 dev lo");
    add_local("2001:db8::1");
    ck_assert_int_eq(tun_route_restore(&tun, &a.ip), TUN_ROUTE_TAKEN);
    ck_assert_int_eq(tun_route_restore(&tun, &b.ip), TUN_ROUTE_LOCAL);
    shell("ip route del 10.99.9.1/32 dev lo");
    ck_assert_int_eq(tun_route_restore(&tun, &a.ip), TUN_ROUTE_PUT_BACK);
}
END_TEST

START_TEST(the_steering_route_is_put_back_where_it_is_missing)
{
    ck_assert_msg(tun_steer(&tun, error) == 0, "%s", error);
    ck_assert(!tun_steer_restore(&tun));
    shell("ip -6 route flush table 8684");
    ck_assert(tun_steer_restore(&tun));
    ck_assert(!tun_steer_restore(&tun));
    shell("ip -6 route show table 8684 | grep -q 'default dev tun-test'");
}
END_TEST

START_TEST(a_missing_capability_is_named)
{
    tun_close(&tun);
    ck_assert_int_eq(setresuid(65534, 65534, 65534), 0); /* drops all capabilities */
    ck_assert_int_eq(tun_open(&tun, &params, 1, error), -1);
    ck_assert_msg(strstr(error, "CAP_NET_ADMIN") != NULL, "%s", error);
}
END_TEST

static bool can_test(void)
{
    pid_t child = fork();
    if (child == 0) {
        int fd = unshare(CLONE_NEWNET) == 0 ? open("/dev/net/tun", O_RDWR) : -1;
        _exit(fd >= 0 ? 0 : 1);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
    if (!can_test()) {
        printf("test_tun: skipped, needs CAP_NET_ADMIN, CAP_SYS_ADMIN and /dev/net/tun\n");
        return EXIT_SUCCESS;
    }
    TCase *t = tcase_create("tun");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, super_packets_go_both_ways_over_ipv4);
    tcase_add_test(t, super_packets_go_both_ways_over_ipv6);
    tcase_add_test(t, the_kernel_cuts_a_super_packet_into_segments);
    tcase_add_test(t, the_device_is_up_and_vanishes_with_its_routes);
    tcase_add_test(t, the_kernel_puts_nothing_together_that_is_written);
    tcase_add_test(t, the_kernel_polls_what_is_written);
    tcase_add_test(t, a_second_user_is_told_that_the_device_is_busy);
    tcase_add_test(t, a_device_made_beforehand_is_used_and_kept);
    tcase_add_test(t, steered_traffic_has_a_route_that_vanishes_with_the_device);
    tcase_add_test(t, a_kept_device_loses_the_route_when_the_daemon_ends);
    tcase_add_test(t, without_ipv6_only_ipv4_is_steered);
    tcase_add_test(t, another_kind_of_device_is_refused);
    tcase_add_test(t, an_address_that_is_taken_is_refused);
    tcase_add_test(t, a_device_that_was_set_down_or_deleted_is_restored_under_the_same_descriptors);
    tcase_add_test(t, a_device_whose_name_was_taken_cannot_be_restored);
    tcase_add_test(t, a_route_that_others_took_is_told_from_one_that_is_missing);
    tcase_add_test(t, the_steering_route_is_put_back_where_it_is_missing);
    tcase_add_test(t,
                   a_missing_capability_is_named); /* last: without CK_FORK the others would miss it, too */
    Suite *s = suite_create("tun");
    suite_add_tcase(s, t);
    return run_suite(s);
}
