/* See option_values.h. */
#include "socket/option_values.h"
#include <braid/socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "io/sockaddr.h"
#include "socket/fail.h"
#include "socket/give.h"
#include "socket/said.h"
#include "socket/shown.h"

_Static_assert(TCP_MULTIPATH_IS_ESTABLISHED == APP_FLAG_ESTABLISHED &&
                   TCP_MULTIPATH_IS_BACKUP == APP_FLAG_BACKUP && TCP_MULTIPATH_IS_STALE == APP_FLAG_STALE,
               "flags are those of the messages");

/* ---- what is set -------------------------------------------------------------------------------------- */

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

int values_read(const void *value, socklen_t len, struct app_message *request)
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

/* ---- what is read ------------------------------------------------------------------------------------- */

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

int values_write(const struct app_message *answer, enum app_option option, void *value, socklen_t *len)
{
    switch (option) {
    case APP_SUBFLOWS:
        write_subflows(answer, value, len);
        return 0;
    case APP_STATISTICS:
        write_statistics(answer, value, len);
        return 0;
    case APP_PROFILE:
        return give_name(answer->profile, value, len);
    case APP_ENABLE:
    case APP_CONNID:
        return give_bytes(&answer->value, sizeof(answer->value), value, len);
    default:
        return said_write(answer, option, value, len);
    }
}
