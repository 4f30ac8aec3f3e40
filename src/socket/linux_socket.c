/* See linux_socket.h. The program's socket is the kernel's, of TCP. While the daemon says that its connection
 * is MPTCP, questions are answered as Linux answers them of a socket of its own; what has fallen back, or is
 * not carried, is answered by the kernel: it tells of a TCP socket what it tells of an MPTCP socket that has
 * fallen back. */
#include "socket/linux_socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "io/sockaddr.h"
#include "socket/ask.h"
#include "socket/cookies.h"
#include "socket/fail.h"
#include "socket/intent.h"
#include "socket/linux_info.h"
#include "socket/real.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef TCP_IS_MPTCP
#define TCP_IS_MPTCP 43
#endif

/* As the kernel numbers them. */
enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };

enum kind {
    KIND_OTHER,
    KIND_ASKED_FOR, /* as one of MPTCP: that is its protocol, whatever becomes of it */
    KIND_ACCEPTED   /* from such a one: of MPTCP if the client has begun with that */
};
static struct cookies kinds = COOKIES(enum kind);

/* Messages are large, and so would be the stack that every getsockopt of a program takes. */
#define APART __attribute__((noinline))

static enum kind kind_of(int fd)
{
    enum kind kind = KIND_OTHER;
    cookies_get(&kinds, fd, &kind);
    return kind;
}

/* ---- sockets ------------------------------------------------------------------------------------------ */

bool linux_socket_wanted(int domain, int type, int protocol)
{
    return protocol == IPPROTO_MPTCP && (domain == AF_INET || domain == AF_INET6) &&
           (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
}

/* Who asks for MPTCP wants it, unless the user has told the program otherwise (braidrun). */
static int wish_for_mptcp(int fd)
{
    struct intent in;
    intent_get(fd, &in);
    if (in.says_enable)
        return 0;
    in.says_enable = true;
    in.enable = 1;
    return intent_put(fd, &in);
}

/* -1: the socket is closed, and errno tells why. */
static int note(int fd, enum kind kind)
{
    if (cookies_put(&kinds, fd, &kind) == 0 && (kind == KIND_ACCEPTED || wish_for_mptcp(fd) == 0))
        return fd;
    int why = errno;
    real_close(fd);
    return fail(why);
}

/* The system call itself: mptcpize's library would make one of the kernel's MPTCP of it. */
int linux_socket(int domain, int type)
{
    int fd = (int)syscall(SYS_socket, domain, type, IPPROTO_TCP);
    return fd < 0 ? fd : note(fd, KIND_ASKED_FOR);
}

int linux_socket_checked(int fd, int domain, int type, int protocol)
{
    int made = IPPROTO_MPTCP;
    socklen_t len = sizeof(made);
    if (!linux_socket_wanted(domain, type, protocol == 0 || protocol == IPPROTO_TCP ? IPPROTO_MPTCP : 0))
        return fd;
    if (fd < 0 && errno != ENOPROTOOPT && errno != EPROTONOSUPPORT)
        return fd;
    if (fd >= 0 && (real_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &made, &len) < 0 || made != IPPROTO_MPTCP))
        return fd;
    if (fd >= 0)
        real_close(fd);
    return linux_socket(domain, type);
}

int linux_socket_accepted(int listener, int fd)
{
    return fd >= 0 && kind_of(listener) != KIND_OTHER ? note(fd, KIND_ACCEPTED) : fd;
}

/* ---- what the daemon says of it ----------------------------------------------------------------------- */

enum mode {
    MODE_PLAIN,   /* plain TCP, or fallen back, or nobody knows it */
    MODE_NOT_YET, /* MPTCP may come of it; or it is over */
    MODE_MPTCP,
    MODE_UNKNOWN /* the daemon has not answered in time */
};

/* MODE_MPTCP: *answer tells more. */
static enum mode ask_about(int fd, struct app_message *answer)
{
    struct app_message request = {.kind = APP_GET, .option = APP_LINUX};
    switch (ask_daemon(&request, fd, answer)) {
    case ASKED_NONE:
        return MODE_PLAIN;
    case ASKED_LATE:
        return MODE_UNKNOWN;
    case ASKED:
        break;
    }
    if (answer->error == ENOTCONN)
        return MODE_NOT_YET;
    return answer->error == 0 && answer->has_mptcp ? MODE_MPTCP : MODE_PLAIN;
}

/* Of a socket that the kernel says is in this state. */
static enum mode mode_of(int fd, uint8_t state, struct app_message *answer)
{
    if (state == STATE_CLOSE || state == STATE_LISTEN || state == STATE_SYN_SENT)
        return MODE_NOT_YET;
    return ask_about(fd, answer);
}

/* False: it is no TCP socket. */
static bool look(int fd, struct tcp_info *info)
{
    int saved = errno;
    socklen_t len = sizeof(*info);
    memset(info, 0, sizeof(*info));
    bool is_tcp = real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
    errno = saved;
    return is_tcp;
}

static bool is_v6(int fd)
{
    int domain = 0;
    socklen_t len = sizeof(domain);
    return real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET6;
}

/* ---- SOL_MPTCP ---------------------------------------------------------------------------------------- */

/* The connection over the uplinks is not there: what there is is the socket itself. */
static void picture_of_socket(int fd, const struct tcp_info *info, struct linux_picture *out)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    struct braid_pair pair = {0};
    memset(&out->info, 0, sizeof(out->info));
    out->n = info->tcpi_state != STATE_CLOSE;
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
        sockaddr_to((const struct sockaddr *)&sa, &pair.local);
    len = sizeof(sa);
    if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
        sockaddr_to((const struct sockaddr *)&sa, &pair.remote);
    memset(&out->subflows[0], 0, sizeof(out->subflows[0]));
    out->subflows[0].info.id = 1;
    out->subflows[0].info.addrs = linux_addrs(&pair, is_v6(fd));
    out->subflows[0].tcp = *info;
    out->info.subflows_total = out->n && info->tcpi_state != STATE_LISTEN;
}

/* Far too large for the stack of a program's thread. */
static int tell(int fd, int option, const struct tcp_info *info, const struct app_message *answer,
                void *value, socklen_t *len)
{
    struct linux_picture *p = malloc(sizeof(*p));
    if (!p)
        return fail(ENOBUFS);
    if (answer)
        linux_picture_of(answer, is_v6(fd), kind_of(fd) == KIND_ACCEPTED, p);
    else
        picture_of_socket(fd, info, p);
    int error = linux_info_write(p, option, value, len);
    free(p);
    return error ? fail(error) : 0;
}

APART static bool get_mptcp(int fd, int option, void *value, socklen_t *len, int *result)
{
    struct tcp_info info;
    struct app_message answer;
    if (!look(fd, &info))
        return false;
    int saved = errno;
    enum mode mode = mode_of(fd, info.tcpi_state, &answer);
    errno = saved;
    if (mode == MODE_PLAIN || (mode == MODE_NOT_YET && kind_of(fd) == KIND_OTHER))
        return false;
    if (mode == MODE_UNKNOWN)
        *result = fail(ENOBUFS);
    else
        *result = tell(fd, option, &info, mode == MODE_MPTCP ? &answer : NULL, value, len);
    return true;
}

/* ---- other levels ------------------------------------------------------------------------------------- */

/* TCP_IS_MPTCP. Has it begun as MPTCP, and not fallen back? */
APART static bool get_is_mptcp(int fd, void *value, socklen_t *len)
{
    struct tcp_info info;
    struct app_message answer;
    int one = 1, saved = errno;
    if (!look(fd, &info))
        return false;
    enum mode mode = mode_of(fd, info.tcpi_state, &answer);
    errno = saved;
    if (mode != MODE_MPTCP && (mode != MODE_NOT_YET || kind_of(fd) == KIND_OTHER))
        return false;
    if (*len > 0 && *len < sizeof(one)) { /* as for all small numbers there */
        *len = 1;
        *(uint8_t *)value = 1;
        return true;
    }
    *len = *len < sizeof(one) ? *len : (socklen_t)sizeof(one);
    memcpy(value, &one, *len);
    return true;
}

/* SO_PROTOCOL. Linux gives clients without MPTCP to a server as TCP sockets. */
APART static bool get_protocol(int fd, void *value, socklen_t *len, int *result)
{
    int protocol = IPPROTO_MPTCP;
    struct app_message answer;
    enum kind kind = kind_of(fd);
    int saved = errno;
    bool is_mptcp = kind == KIND_ASKED_FOR || (kind == KIND_ACCEPTED && ask_about(fd, &answer) == MODE_MPTCP);
    errno = saved;
    if (!is_mptcp)
        return false;
    *result = real_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, value, len);
    if (*result == 0)
        memcpy(value, &protocol, *len);
    return true;
}

bool linux_option(int fd, int level, int option, void *value, socklen_t *len, int *result)
{
    *result = 0;
    if (level == SOL_MPTCP)
        return get_mptcp(fd, option, value, len, result);
    if (level == IPPROTO_TCP && option == TCP_IS_MPTCP)
        return get_is_mptcp(fd, value, len);
    if (level == SOL_SOCKET && option == SO_PROTOCOL && cookies_any(&kinds))
        return get_protocol(fd, value, len, result);
    return false;
}
