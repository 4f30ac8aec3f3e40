/* TUN devices in network namespaces. Without IFF_VNET_HDR the kernel cuts super-packets and completes
 * checksums before we read them, so that every packet we see is one of the wire. */
#include "linkem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets that may wait until this process runs; far more than one of its turns lasts. */
#define BACKLOG 20000

static int complain(const struct end_name *name, const char *what)
{
    fprintf(stderr, "linkem: %s:%s: %s: %s\n", name->netns, name->device, what, strerror(errno));
    return -1;
}

/* Enters the namespace. Returns a descriptor of the one before, or -1. */
static int enter(const struct end_name *name)
{
    char file[LINKEM_NAME + 16];
    int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), inside;

    if (before < 0)
        return complain(name, "/proc/self/ns/net");
    if (!name->netns[0])
        return before;
    snprintf(file, sizeof(file), "/run/netns/%s", name->netns);
    inside = open(file, O_RDONLY | O_CLOEXEC);
    if (inside < 0 || setns(inside, CLONE_NEWNET) != 0) {
        complain(name, file);
        close(before);
        before = -1;
    }
    if (inside >= 0)
        close(inside);
    return before;
}

static int set_up(const struct end_name *name, unsigned mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result = 0;
    struct ifreq r = {.ifr_mtu = (int)mtu};

    if (s < 0)
        return complain(name, "socket");
    memcpy(r.ifr_name, name->device, IFNAMSIZ);
    if (ioctl(s, SIOCSIFMTU, &r) != 0)
        result = complain(name, "MTU");
    r.ifr_qlen = BACKLOG;
    if (result == 0 && ioctl(s, SIOCSIFTXQLEN, &r) != 0)
        result = complain(name, "transmit queue");
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    if (result == 0 && ioctl(s, SIOCSIFFLAGS, &r) != 0)
        result = complain(name, "up");
    close(s);
    return result;
}

static int make(const struct end_name *name, unsigned mtu)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return complain(name, "/dev/net/tun");
    memcpy(r.ifr_name, name->device, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &r) != 0) {
        complain(name, "TUNSETIFF");
        close(fd);
        return -1;
    }
    if (set_up(name, mtu) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int tun_open(const struct end_name *name, unsigned mtu)
{
    int before = enter(name), fd;

    if (before < 0)
        return -1;
    fd = make(name, mtu);
    if (setns(before, CLONE_NEWNET) != 0) {
        complain(name, "back to the first namespace");
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    close(before);
    return fd;
}
