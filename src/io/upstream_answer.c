/* What the kernel tells of a server's answer to a connect: see upstream.h. */
#include <assert.h>
#include <errno.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/errqueue.h>
#include "base/bytes.h"
#include "io/sockaddr.h"
#include "io/upstream.h"

/* Of one family the call fails. */
void upstream_keep_icmp(int fd, bool keep)
{
    int on = keep;
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

/* -1: this is not about an ICMP message of that kind. */
static int code_of(const struct cmsghdr *c)
{
    bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR,
         v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    struct sock_extended_err e;
    if (!v4 && !v6)
        return -1;
    memcpy(&e, CMSG_DATA(c), sizeof(e));
    bool icmp = e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == ICMP_DEST_UNREACH,
         icmp6 = e.ee_origin == SO_EE_ORIGIN_ICMP6 && e.ee_type == ICMP6_DST_UNREACH;
    return icmp || icmp6 ? e.ee_code : -1;
}

/* Of a message that was not kept. */
static int code_of_error(int fd, int error)
{
    int family = AF_INET;
    socklen_t len = sizeof(family);
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    switch (error) {
    case ENETUNREACH:
        return family == AF_INET ? ICMP_NET_UNREACH : ICMP6_DST_UNREACH_NOROUTE;
    case EHOSTUNREACH:
        return family == AF_INET ? ICMP_HOST_UNREACH : ICMP6_DST_UNREACH_ADDR;
    default:
        return -1;
    }
}

int upstream_icmp_code(int fd, int error)
{
    char control[512];
    struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
    if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
            int code = code_of(c);
            if (code >= 0)
                return code;
        }
    }
    return code_of_error(fd, error);
}

bool upstream_local(int fd, struct braid_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
           sockaddr_to((const struct sockaddr *)&sa, out) == 0;
}

/* In SYN-SENT a socket has no peer. */
bool upstream_has_answer(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    return getpeername(fd, (struct sockaddr *)&sa, &len) == 0;
}

static size_t put_option(uint8_t *out, uint8_t kind, uint8_t len)
{
    memset(out, 0, len);
    out[0] = kind;
    out[1] = len;
    return len;
}

size_t upstream_options(int fd, uint8_t out[UPSTREAM_OPTIONS])
{
    enum { MSS = 2, WSCALE = 3, SACK_OK = 4, TIMESTAMPS = 8, MPTCP = 30 };
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    size_t n = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    bool stamps = info.tcpi_options & TCPI_OPT_TIMESTAMPS;
    put16(out + n + 2, (uint16_t)(info.tcpi_snd_mss + (stamps ? 12 : 0)));
    out[n] = MSS;
    out[n + 1] = 4;
    n += 4;
    if (info.tcpi_options & TCPI_OPT_SACK)
        n += put_option(out + n, SACK_OK, 2);
    if (stamps)
        n += put_option(out + n, TIMESTAMPS, 10);
    if (info.tcpi_options & TCPI_OPT_WSCALE) {
        n += put_option(out + n, WSCALE, 3);
        out[n - 1] = info.tcpi_snd_wscale;
    }
    if (upstream_is_mptcp(fd)) {
        n += put_option(out + n, MPTCP, 12);
        out[n - 10] = 1; /* MP_CAPABLE of version 1 ... */
        out[n - 9] = 1;  /* ... and HMAC-SHA256 (RFC 8684 section 3.1) */
    }
    assert(n <= UPSTREAM_OPTIONS);
    return n;
}
