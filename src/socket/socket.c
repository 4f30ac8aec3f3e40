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
#include "socket/said.h"
#include "socket/intent.h"
#include "socket/linux_socket.h"
#include "socket/listener.h"
#include "socket/program.h"
#include "socket/real.h"
#include "socket/sockopts.h"
#include "socket/source_port.h"
#include "socket/shown.h"

#define VISIBLE __attribute__((visibility("default")))

/* States of TCP as the kernel numbers them (TCP_INFO). */
enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };

/* Messages are large, and so would be the stack that every call of a program takes. */
#define APART __attribute__((noinline))

static int fail(int why)
{
    errno = why;
    return -1;
}

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

_Static_assert(TCP_MULTIPATH_IS_ESTABLISHED == APP_FLAG_ESTABLISHED &&
                   TCP_MULTIPATH_IS_BACKUP == APP_FLAG_BACKUP && TCP_MULTIPATH_IS_STALE == APP_FLAG_STALE,
               "flags are those of the messages");

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

static int read_addresses(const void *value, socklen_t len, struct app_addrs *out)
{
    const uint8_t *at = value, *end = at + len;
    out->n = 0;
    while (at < end) {
        struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
        if ((size_t)(end - at) < sizeof(sa.ss_family))
            return fail(EINVAL);
        memcpy(&sa.ss_family, at, sizeof(sa.ss_family));
        size_t size = sa.ss_family == AF_INET    ? sizeof(struct sockaddr_in)
                      : sa.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                 : 0;
        if (size == 0)
            return fail(EAFNOSUPPORT);
        if ((size_t)(end - at) < size || out->n == APP_ADDRS_MAX)
            return fail(EINVAL);
        memcpy(&sa, at, size);
        sockaddr_to((const struct sockaddr *)&sa, &out->addr[out->n++]);
        at += size;
    }
    return out->n > 0 ? 0 : fail(EINVAL);
}

static int read_number(const void *value, socklen_t len, struct app_message *request)
{
    if (len < sizeof(request->value))
        return fail(EINVAL);
    memcpy(&request->value, value, sizeof(request->value));
    request->has_value = true;
    return 0;
}

static int read_enable(const void *value, socklen_t len, struct app_message *request)
{
    if (read_number(value, len, request) < 0)
        return -1;
    return request->value > INT32_MAX ? fail(EINVAL) : 0;
}

/* A NUL at the end is allowed. */
static int read_name(const char *value, socklen_t len, struct app_message *request)
{
    size_t n = strnlen(value, len);
    if (n == 0 || n > APP_NAME_MAX)
        return fail(EINVAL);
    memcpy(request->profile, value, n);
    return 0;
}

static int read_pair(const void *value, socklen_t len, struct app_message *request)
{
    struct tcp_multipath_subflow s;
    struct braid_pair *pair = &request->pairs[0];
    if (len < sizeof(s))
        return fail(EINVAL);
    memcpy(&s, value, sizeof(s));
    if (sockaddr_to(&s.local.sa, &pair->local) < 0 ||
        (s.remote.sa.sa_family != AF_UNSPEC && sockaddr_to(&s.remote.sa, &pair->remote) < 0))
        return fail(EAFNOSUPPORT);
    request->n_pairs = 1;
    return 0;
}

/* Reads the value into the request. */
static int read_value(const void *value, socklen_t len, struct app_message *request)
{
    switch (request->option) {
    case APP_ENABLE:
        return read_enable(value, len, request);
    case APP_ADD:
        return read_addresses(value, len, &request->add);
    case APP_REMOVE:
        return read_addresses(value, len, &request->remove);
    case APP_PROFILE:
        return read_name(value, len, request);
    case APP_OPEN:
        return read_pair(value, len, request);
    case APP_CLOSE:
    case APP_SPARE:
    case APP_USE:
        return read_number(value, len, request);
    case APP_SUBFLOWS:
    case APP_CONNID:
    case APP_STATISTICS:
        return fail(ENOPROTOOPT); /* section 5.3.1: read only */
    default:
        return said_read(value, len, request);
    }
}

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
    if (state < 0 || read_value(value, len, &request) < 0)
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

static int write_bytes(const void *what, size_t size, void *value, socklen_t *len)
{
    if (*len < size)
        return fail(EINVAL);
    memcpy(value, what, size);
    *len = (socklen_t)size;
    return 0;
}

static void write_subflows(const struct app_message *answer, void *value, socklen_t *len)
{
    struct tcp_multipath_subflow s;
    unsigned n = 0;
    for (; n < answer->n_pairs && (n + 1) * sizeof(s) <= *len; n++) {
        s = (struct tcp_multipath_subflow){.local = shown(&answer->pairs[n].local),
                                           .remote = shown(&answer->pairs[n].remote)};
        memcpy((uint8_t *)value + n * sizeof(s), &s, sizeof(s));
    }
    *len = (socklen_t)(n * sizeof(s));
}

static void write_statistics(const struct app_message *answer, void *value, socklen_t *len)
{
    unsigned n = 0;
    for (; n < answer->n_figures && (n + 1) * sizeof(struct tcp_multipath_statistics) <= *len; n++) {
        const struct app_figures *f = &answer->figures[n];
        struct tcp_multipath_statistics s = {.local = shown(&answer->pairs[n].local),
                                             .remote = shown(&answer->pairs[n].remote),
                                             .subflow = f->subflow,
                                             .flags = f->flags,
                                             .rtt_us = f->rtt_us,
                                             .min_rtt_us = f->min_rtt_us,
                                             .retransmissions = f->retransmissions,
                                             .bytes_sent = f->sent,
                                             .bytes_received = f->received};
        memcpy((uint8_t *)value + n * sizeof(s), &s, sizeof(s));
    }
    *len = (socklen_t)(n * sizeof(struct tcp_multipath_statistics));
}

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
    return write_bytes(&enable, sizeof(enable), value, len);
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
    if (option == TCP_MULTIPATH_SUBFLOWS)
        write_subflows(&answer, value, len);
    else if (option == TCP_MULTIPATH_STATISTICS)
        write_statistics(&answer, value, len);
    else if (option == TCP_MULTIPATH_PROFILE)
        return write_bytes(answer.profile, strlen(answer.profile) + 1, value, len);
    else if (said_option(option) != APP_NONE)
        return said_write(&answer, said_option(option), value, len);
    else
        return write_bytes(&answer.value, sizeof(answer.value), value, len);
    return 0;
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
