/* The calls of include/braid/socket.h. */
#include <braid/socket.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "socket/ask.h"
#include "socket/fail.h"
#include "socket/give.h"
#include "socket/said.h"
#include "socket/intent.h"
#include "socket/linux_socket.h"
#include "socket/listener.h"
#include "socket/program.h"
#include "socket/real.h"
#include "socket/sockopts.h"
#include "socket/source_port.h"
#include "socket/option_values.h"

#define VISIBLE __attribute__((visibility("default")))

/* States of TCP as the kernel numbers them (TCP_INFO). */
enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };

/* Messages are large, and so would be the stack that every call of a program takes. */
#define APART __attribute__((noinline))

/* APP_NONE: it is not one of ours. */
static enum app_option option_of(int level, int option)
{
    if (level != IPPROTO_TCP)
        return APP_NONE;
    switch (option) {
    case TCP_MULTIPATH_ENABLE:
        return APP_ENABLE;
    case TCP_MULTIPATH_ADD:
        return APP_ADD;
    case TCP_MULTIPATH_REMOVE:
        return APP_REMOVE;
    case TCP_MULTIPATH_SUBFLOWS:
        return APP_SUBFLOWS;
    case TCP_MULTIPATH_CONNID:
        return APP_CONNID;
    case TCP_MULTIPATH_STATISTICS:
        return APP_STATISTICS;
    case TCP_MULTIPATH_PROFILE:
        return APP_PROFILE;
    case TCP_MULTIPATH_OPEN:
        return APP_OPEN;
    case TCP_MULTIPATH_CLOSE:
        return APP_CLOSE;
    case TCP_MULTIPATH_SPARE:
        return APP_SPARE;
    case TCP_MULTIPATH_USE:
        return APP_USE;
    default:
        return said_option(option);
    }
}

/* -1 with errno: it is no TCP socket. */
static int state_of(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    return real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_state : -1;
}

/* 0, or -1 with errno. */
static int ask(struct app_message *request, int fd, struct app_message *answer)
{
    switch (ask_daemon(request, fd, answer)) {
    case ASKED:
        return answer->error ? fail((int)answer->error) : 0;
    case ASKED_NONE:
        return fail(ENOPROTOOPT);
    case ASKED_LATE:
        break;
    }
    return fail(ENOBUFS);
}

/* ---- setting ------------------------------------------------------------------------------------------ */

/* Of what is about a connection, not about one to come. */
static bool needs_connection(enum app_option option)
{
    return option == APP_OPEN || option == APP_CLOSE || option == APP_SPARE || option == APP_USE;
}

static int add_to(struct intent *in, const struct app_message *request)
{
    bool room = true;
    if (request->has_value) {
        in->says_enable = true;
        in->enable = request->value;
    }
    for (unsigned i = 0; i < request->add.n; i++)
        room &= intent_add(in, &request->add.addr[i]) == 0;
    for (unsigned i = 0; i < request->remove.n; i++)
        room &= intent_remove(in, &request->remove.addr[i]) == 0;
    if (request->profile[0])
        memcpy(in->profile, request->profile, sizeof(in->profile));
    said_note(in, request);
    return room ? 0 : fail(ENOBUFS);
}

/* For connect, or listen. */
static int note(int fd, const struct app_message *request)
{
    struct intent in;
    intent_get(fd, &in);
    return add_to(&in, request) < 0 ? -1 : intent_put(fd, &in);
}

/* The daemon has all of it anew. */
static int set_listening(int fd, const struct app_message *request)
{
    struct intent in;
    if (needs_connection(request->option) || request->option >= APP_PATH_MANAGER)
        return fail(EOPNOTSUPP);
    if (!intent_get(fd, &in))
        in.add.n = in.remove.n = 0;
    return add_to(&in, request) < 0 || listener_tell(fd, &in) < 0 ? -1 : intent_put(fd, &in);
}

APART static int set_option(int fd, enum app_option option, const void *value, socklen_t len)
{
    struct app_message request = {.kind = APP_SET, .option = option}, answer;
    int state = state_of(fd);
    if (state < 0 || values_read(value, len, &request) < 0)
        return -1;
    if (state == STATE_LISTEN)
        return set_listening(fd, &request);
    if (state == STATE_SYN_SENT)
        return fail(EALREADY);
    if (state == STATE_CLOSE && needs_connection(request.option))
        return fail(ENOTCONN);
    /* before connect, too: the daemon knows which addresses there are, and whether it is there at all */
    if (ask(&request, fd, &answer) < 0)
        return -1;
    return state == STATE_CLOSE ? note(fd, &request) : 0;
}

VISIBLE int braid_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    enum app_option ours = option_of(level, option);
    return ours == APP_NONE ? sockopts_set(fd, level, option, value, len) : set_option(fd, ours, value, len);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

/* Before there is a connection. */
static int get_intent(int fd, int option, void *value, socklen_t *len)
{
    struct intent in;
    intent_get(fd, &in);
    if (said_option(option) != APP_NONE)
        return said_write_intent(&in, said_option(option), value, len);
    if (option != TCP_MULTIPATH_ENABLE || !in.says_enable)
        return fail(ENOTCONN);
    int enable = (int)in.enable;
    return give_bytes(&enable, sizeof(enable), value, len);
}

APART static int get_option(int fd, enum app_option ours, int option, void *value, socklen_t *len)
{
    struct app_message request = {.kind = APP_GET, .option = ours}, answer;
    int state = state_of(fd);
    if (state < 0)
        return -1;
    if (request.option == APP_ADD || request.option == APP_REMOVE || needs_connection(request.option))
        return fail(ENOPROTOOPT);
    if (state == STATE_CLOSE || state == STATE_LISTEN || state == STATE_SYN_SENT)
        return get_intent(fd, option, value, len);
    if (ask(&request, fd, &answer) < 0)
        return -1;
    return values_write(&answer, ours, value, len);
}

VISIBLE int braid_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    enum app_option ours = option_of(level, option);
    int result;
    if (ours != APP_NONE)
        return get_option(fd, ours, option, value, len);
    return linux_option(fd, level, option, value, len, &result)
               ? result
               : real_getsockopt(fd, level, option, value, len);
}

/* ---- connecting --------------------------------------------------------------------------------------- */

/* Tells the daemon what was set. Without one the connection is as good as it can be; but one that does not
 * take it would do what it was asked not to. */
APART static int tell(int fd, const struct intent *in, const struct braid_addr *meant)
{
    struct app_message answer, request = {.kind = APP_CONNECT,
                                          .target = *meant,
                                          .has_value = in->says_enable,
                                          .value = in->enable,
                                          .add = in->add,
                                          .remove = in->remove};
    if (in->is_bad)
        return fail(EINVAL);
    memcpy(request.profile, in->profile, sizeof(request.profile));
    said_tell(in, &request);
    if (program_is_named(fd))
        program_path(request.program);
    if (source_port_have(fd, meant) < 0)
        return -1;
    return ask(&request, fd, &answer) == 0 || errno == ENOPROTOOPT ? 0 : -1;
}

/* Whether connect's address can be read, as the kernel sees it; it is the kernel's to refuse if not. This
 * call fails for its first argument, but after it has read what the second one points to. */
static bool is_readable(const void *address, size_t len)
{
    const uint8_t *bytes = address;
    const size_t step = _NSIG / 8;
    return (syscall(SYS_rt_sigprocmask, -1, bytes, NULL, step) == 0 || errno != EFAULT) &&
           (syscall(SYS_rt_sigprocmask, -1, bytes + len - step, NULL, step) == 0 || errno != EFAULT);
}

/* What is to be told before this connection is asked for; false: nothing. *firm: rather than to connect in
 * another way, it is not to connect. */
static bool has_intent(int fd, const struct sockaddr *address, socklen_t len, struct intent *in,
                       struct braid_addr *meant, bool *firm)
{
    bool bounded = sockopts_before(fd);
    if (!bounded && !intent_any() && !intent_for_all(in) && program_is_unnamed())
        return false;
    if (len < sizeof(struct sockaddr_in) || !is_readable(address, len) ||
        (address->sa_family == AF_INET6 && len < sizeof(struct sockaddr_in6)) ||
        sockaddr_to(address, meant) < 0 || meant->port == 0)
        return false;
    /* those of others, and what asks again how far its connection is */
    if (state_of(fd) != STATE_CLOSE)
        return false;
    bool named = program_is_named(fd); /* whether or not it has said something */
    *firm = intent_get(fd, in) || intent_for_all(in) || named;
    return *firm || (bounded && !ip_is_loopback(&meant->ip));
}

/* Not by a socket that asks again how far its connection is. */
static int connect_and_tell(int fd, const struct sockaddr *address, socklen_t len)
{
    int saved = errno;
    bool first = state_of(fd) == STATE_CLOSE;
    errno = saved;
    int result = real_connect(fd, address, len);
    if (first && (result == 0 || errno == EINPROGRESS))
        sockopts_connected(fd, address);
    return result;
}

VISIBLE int braid_socket_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    struct intent in;
    struct braid_addr meant;
    int saved = errno;
    bool firm, told = has_intent(fd, address, len, &in, &meant, &firm);
    if (told && tell(fd, &in, &meant) < 0 && firm)
        return -1;
    errno = saved;
    return told || !sockopts_any() ? real_connect(fd, address, len) : connect_and_tell(fd, address, len);
}
