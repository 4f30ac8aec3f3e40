/* Opening and setting up the TUN device. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/heirlooms.h"
#include "io/log.h"
#include "io/rtnetlink.h"
#include "io/sysctl.h"
#include "io/tun.h"
#include "io/tun_queue.h"

/* IFF_NAPI: the kernel polls what we write, in the order of writing, instead of running each packet's way up
 * to its receiver within our write: a fifth of what a new connection costs (docs/benchmarks.md). Kernels that
 * do not know it, before 4.15, ignore it. */
#define TUN_FLAGS    (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_NAPI)
#define TUN_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define SYSCTL_PATH  128
#define TUN_CLONE    "/dev/net/tun"
/* Packets that may wait for a worker, per queue. The default of 500 loses packets when a worker has to wait
 * for its CPU, and a RST, of which a thousand clients send a thousand, is never repeated. */
#define TUN_QUEUE_LEN 4096

__attribute__((format(printf, 2, 3))) static int fail(char error[TUN_ERROR], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, TUN_ERROR, format, args);
    va_end(args);
    return -1;
}

/* What TUNSETIFF's errno means. */
static int fail_attach(const struct tun *t, char error[TUN_ERROR])
{
    switch (errno) {
    case EPERM:
    case EACCES:
        return fail(error, "tun: cannot create or use %s: this needs CAP_NET_ADMIN and /dev/net/tun",
                    t->name);
    case EBUSY:
        return fail(error, "tun: %s is busy: another program uses it", t->name);
    case EINVAL:
        return fail(error, "tun: %s exists and is not a TUN device with multi_queue and vnet_hdr", t->name);
    default:
        return fail(error, "tun: cannot attach to %s: %s", t->name, strerror(errno));
    }
}

/* Makes fd a queue of the device. 0, or -1 with errno. */
static int become_queue(const struct tun *t, int fd, short flags)
{
    struct ifreq ifr = {.ifr_flags = (short)(TUN_FLAGS | flags)};
    memcpy(ifr.ifr_name, t->name, IFNAMSIZ);
    int header = TUN_VNET_BYTES;
    if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
        ioctl(fd, TUNSETOFFLOAD, TUN_OFFLOADS) < 0)
        return -1;
    return 0;
}

/* Of tun_reserve. */
static struct {
    unsigned n;
    int fds[DAEMON_WORKERS_MAX + 1]; /* the first queue may take two (attach_first) */
} reserve;

static int open_clone(void)
{
    return reserve.n > 0 ? reserve.fds[--reserve.n] : open(TUN_CLONE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void tun_reserve(unsigned n_queues)
{
    while (reserve.n <= n_queues && reserve.n <= DAEMON_WORKERS_MAX) {
        int fd = open(TUN_CLONE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return;
        reserve.fds[reserve.n++] = fd;
    }
}

static void close_reserve(void)
{
    while (reserve.n > 0)
        close(reserve.fds[--reserve.n]);
}

/* Opens one more queue. A multi-queue device lets any number of programs attach, so the first queue asks for
 * a new device, and takes one that exists only if it has no carrier, which it has while somebody is attached.
 */
static int attach(struct tun *t, short flags)
{
    int fd = open_clone();
    if (fd < 0)
        return -1;
    if (become_queue(t, fd, flags) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    t->fds[t->n_queues++] = fd;
    return 0;
}

/* Other devices have other drivers, or, as lo has, none. */
static bool is_tun(const char *name)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq ifr = {.ifr_data = (char *)&info};
    memcpy(ifr.ifr_name, name, IFNAMSIZ);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool tun = fd >= 0 && ioctl(fd, SIOCETHTOOL, &ifr) == 0 && strcmp(info.driver, "tun") == 0 &&
               strcmp(info.bus_info, "tun") == 0;
    if (fd >= 0)
        close(fd);
    return tun;
}

static int attach_first(struct tun *t, char error[TUN_ERROR])
{
    if (attach(t, (short)IFF_TUN_EXCL) == 0)
        return 0;
    if (errno == ENOENT || errno == ENODEV)
        return fail(error, "tun: " TUN_CLONE ": %s; is the tun module loaded?", strerror(errno));
    if (errno != EBUSY)
        return fail_attach(t, error);
    unsigned index = if_nametoindex(t->name);
    if (index != 0 && !is_tun(t->name)) {
        errno = EINVAL;
        return fail_attach(t, error);
    }
    if (index == 0 || rtnetlink_link_carrier(t->nl, (int)index) != 0) {
        errno = EBUSY;
        return fail_attach(t, error);
    }
    t->existed = true;
    return attach(t, 0) == 0 ? 0 : fail_attach(t, error);
}

/* A polled queue looks in what we write for segments to put together (GRO). There are none: what can be one
 * packet leaves as one, and options differ. */
static void leave_packets_apart(const struct tun *t)
{
    struct ethtool_value off = {.cmd = ETHTOOL_SGRO, .data = 0};
    struct ifreq ifr = {.ifr_data = (char *)&off};
    memcpy(ifr.ifr_name, t->name, IFNAMSIZ);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr) < 0)
        log_info("tun: cannot switch off GRO of %s: %s", t->name, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* A router's side of a link: no address of its own, no reverse path filter, no neighbour chatter. */
static void quieten(const struct tun *t)
{
    char path[SYSCTL_PATH];
    snprintf(path, sizeof(path), "net/ipv4/conf/%s/rp_filter", t->name);
    if (sysctl_make(path, "0") < 0)
        log_warn("tun: cannot set net.ipv4.conf.%s.rp_filter to 0: %s", t->name, strerror(errno));
    snprintf(path, sizeof(path), "net/ipv6/conf/%s/addr_gen_mode", t->name);
    sysctl_write(path, "1");
    snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", t->name);
    sysctl_write(path, "0");
    leave_packets_apart(t);
}

static void spread(const struct tun *t, const char *mask)
{
    for (unsigned i = 0; i < t->n_queues && t->rps[0]; i++) {
        if (rps_set(t->name, i, mask) == 0)
            continue;
        log_warn("tun: cannot set the CPUs of rps for queue %u of %s: %s", i, t->name, strerror(errno));
        return;
    }
}

static int bring_up(const struct tun *t, char error[TUN_ERROR])
{
    struct ifreq ifr = {0};
    memcpy(ifr.ifr_name, t->name, IFNAMSIZ);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return fail(error, "tun: socket: %s", strerror(errno));
    int result = 0;
    ifr.ifr_mtu = t->mtu;
    if (ioctl(s, SIOCSIFMTU, &ifr) < 0)
        result = fail(error, "tun: cannot set the MTU of %s to %d: %s", t->name, t->mtu, strerror(errno));
    else if (ifr.ifr_qlen = TUN_QUEUE_LEN, ioctl(s, SIOCSIFTXQLEN, &ifr) < 0)
        result = fail(error, "tun: cannot set the queue length of %s: %s", t->name, strerror(errno));
    else if (ioctl(s, SIOCGIFFLAGS, &ifr) < 0 || (ifr.ifr_flags |= IFF_UP, ioctl(s, SIOCSIFFLAGS, &ifr)) < 0)
        result = fail(error, "tun: cannot bring %s up: %s", t->name, strerror(errno));
    close(s);
    return result;
}

/* Takes the queues of the daemon before us, as many as are needed of them. */
static void take_over(struct tun *t, const char *name, unsigned n_queues)
{
    struct ifreq ifr = {0};
    int fd;
    while (t->n_queues < n_queues && (fd = heirloom_take(name)) >= 0)
        t->fds[t->n_queues++] = fd;
    if (t->n_queues == 0 || ioctl(t->fds[0], TUNGETIFF, &ifr) < 0)
        return;
    memcpy(t->name, ifr.ifr_name, IFNAMSIZ); /* somebody may have renamed it */
    t->existed = ifr.ifr_flags & IFF_PERSIST;
}

/* A device that was there, and has been set up already, or a new one. */
static int open_first(struct tun *t, const char *name, unsigned n_queues, char error[TUN_ERROR])
{
    take_over(t, name, n_queues);
    t->taken_over = t->n_queues > 0;
    return t->taken_over ? 0 : attach_first(t, error);
}

int tun_open(struct tun *t, const struct tun_params *params, unsigned n_queues, char error[TUN_ERROR])
{
    *t = (struct tun){.nl = rtnetlink_open(), .mtu = params->mtu};
    memcpy(t->name, params->name, IFNAMSIZ);
    memcpy(t->rps, params->rps, RPS_TEXT);
    if (!t->nl)
        return fail(error, "tun: netlink: %s", strerror(errno));
    char name[HEIRLOOM_NAME];
    snprintf(name, sizeof(name), "tun:%s", params->name);
    if (open_first(t, name, n_queues, error) < 0)
        goto failed;
    unsigned taken = t->taken_over ? t->n_queues : 0;
    while (t->n_queues < n_queues) {
        if (attach(t, 0) < 0) {
            fail_attach(t, error);
            goto failed;
        }
    }
    close_reserve();
    for (unsigned i = taken; i < n_queues; i++)
        heirloom_keep(name, t->fds[i]);
    t->ifindex = (int)if_nametoindex(t->name);
    if (!t->taken_over)
        quieten(t);
    spread(t, t->rps);
    if (bring_up(t, error) == 0)
        return 0;
failed:
    close_reserve();
    tun_close(t);
    return -1;
}

/* The queues of a device that is deleted are left without one, but stay open. */
static int make_anew(struct tun *t, char error[TUN_ERROR])
{
    for (unsigned i = 0; i < t->n_queues; i++) {
        if (become_queue(t, t->fds[i], (short)(i == 0 ? IFF_TUN_EXCL : 0)) < 0)
            return fail_attach(t, error);
    }
    t->existed = false;
    t->ifindex = (int)if_nametoindex(t->name);
    quieten(t);
    spread(t, t->rps);
    return bring_up(t, error);
}

int tun_restore(struct tun *t, enum tun_state *was, char error[TUN_ERROR])
{
    int up = rtnetlink_link_is_up(t->nl, t->ifindex);
    if (up < 0 && errno != ENODEV)
        return fail(error, "tun: cannot ask for the state of %s: %s", t->name, strerror(errno));
    *was = up < 0 ? TUN_GONE : up ? TUN_UP : TUN_DOWN;
    if (*was != TUN_GONE)
        if_indextoname((unsigned)t->ifindex, t->name); /* somebody may have renamed it */
    switch (*was) {
    case TUN_GONE:
        return make_anew(t, error);
    case TUN_DOWN:
        return bring_up(t, error);
    case TUN_UP:
        break;
    }
    return 0;
}

int tun_route(struct tun *t, const struct braid_ip *ip, char error[TUN_ERROR])
{
    char text[ADDR_TEXT];
    if (rtnetlink_is_local(t->nl, ip))
        return fail(error,
                    "tun: %s is an address of this machine; listen and signal want addresses of their own",
                    ip_text(ip, text));
    if (rtnetlink_route_add(t->nl, ip, t->ifindex) == 0)
        return 0;
    if (errno == EEXIST && t->taken_over && rtnetlink_way(t->nl, ip) == t->ifindex)
        return 0;
    /* A device that outlived an earlier run may have kept the route. */
    if (errno == EEXIST && rtnetlink_route_del(t->nl, ip, t->ifindex) == 0 &&
        rtnetlink_route_add(t->nl, ip, t->ifindex) == 0)
        return 0;
    if (errno == EEXIST || errno == ESRCH)
        return fail(error, "tun: there is another route for %s already", ip_text(ip, text));
    return fail(error, "tun: cannot route %s to %s: %s", ip_text(ip, text), t->name, strerror(errno));
}

enum tun_route_state tun_route_restore(struct tun *t, const struct braid_ip *ip)
{
    if (rtnetlink_is_local(t->nl, ip))
        return TUN_ROUTE_LOCAL;
    if (rtnetlink_route_add(t->nl, ip, t->ifindex) == 0)
        return TUN_ROUTE_PUT_BACK;
    if (errno != EEXIST)
        return TUN_ROUTE_FAILED;
    return rtnetlink_way(t->nl, ip) == t->ifindex ? TUN_ROUTE_THERE : TUN_ROUTE_TAKEN;
}

void tun_unroute(struct tun *t, const struct braid_ip *ip)
{
    if (heirlooms_are_others())
        return;
    rtnetlink_route_del(t->nl, ip, t->ifindex);
}

int tun_steer(struct tun *t, char error[TUN_ERROR])
{
    if (rtnetlink_default_set(t->nl, false, TUN_TABLE, t->ifindex) < 0)
        return fail(error, "tun: cannot make %s the default route of table %d: %s", t->name, TUN_TABLE,
                    strerror(errno));
    if (rtnetlink_default_set(t->nl, true, TUN_TABLE, t->ifindex) < 0)
        log_warn("tun: cannot make %s the IPv6 default route of table %d: %s", t->name, TUN_TABLE,
                 strerror(errno));
    return 0;
}

bool tun_steer_restore(struct tun *t)
{
    bool v4 = rtnetlink_default_add(t->nl, false, TUN_TABLE, t->ifindex) == 0;
    bool v6 = rtnetlink_default_add(t->nl, true, TUN_TABLE, t->ifindex) == 0;
    return v4 || v6;
}

void tun_unsteer(struct tun *t)
{
    if (heirlooms_are_others())
        return;
    rtnetlink_default_del(t->nl, false, TUN_TABLE, t->ifindex);
    rtnetlink_default_del(t->nl, true, TUN_TABLE, t->ifindex);
}

void tun_check_forwarding(const struct tun *t, bool v4, bool v6)
{
    char value[2];
    if (v4 && sysctl_read("net/ipv4/ip_forward", value, sizeof(value)) == 0 && value[0] == '0')
        log_warn("tun: net.ipv4.ip_forward is 0: only clients on this machine will reach %s", t->name);
    if (v6 && sysctl_read("net/ipv6/conf/all/forwarding", value, sizeof(value)) == 0 && value[0] == '0')
        log_warn("tun: net.ipv6.conf.all.forwarding is 0: only clients on this machine will reach %s",
                 t->name);
}

void tun_close(struct tun *t)
{
    if (t->existed && !heirlooms_are_others())
        spread(t, "0");
    for (unsigned i = 0; i < t->n_queues; i++) {
        heirloom_drop(t->fds[i]);
        close(t->fds[i]);
    }
    t->n_queues = 0;
    netlink_close(t->nl);
    t->nl = NULL;
}
