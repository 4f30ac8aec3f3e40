/* See listener.h. The daemon wants to see a socket that listens, since only that proves that its clients are
 * the program's: so it is told when it does, and one that it does not take does not go on. */
#include "socket/listener.h"
#include <braid/socket.h>
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include "socket/ask.h"
#include "socket/real.h"

#define STATE_LISTEN 10 /* as the kernel numbers states of TCP */

/* Messages are large: of programs that have set nothing, stacks need no room for them. */
__attribute__((noinline)) int listener_tell(int fd, const struct intent *in)
{
    struct app_message answer, request = {.kind = APP_LISTEN,
                                          .has_value = in->says_enable,
                                          .value = in->enable,
                                          .add = in->add,
                                          .remove = in->remove};
    memcpy(request.profile, in->profile, sizeof(request.profile));
    switch (ask_daemon(&request, fd, &answer)) {
    case ASKED:
        errno = (int)answer.error;
        return answer.error ? -1 : 0;
    case ASKED_NONE:
        errno = ENOPROTOOPT;
        return -1;
    case ASKED_LATE:
        break;
    }
    errno = ENOBUFS;
    return -1;
}

/* Of what braidrun has set for all, addresses are those of connections that are asked for. False: nothing. */
static bool has_intent(int fd, struct intent *in)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    if (!intent_any() && !intent_for_all(in))
        return false;
    if (real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state != STATE_LISTEN)
        return false;
    bool own = intent_get(fd, in);
    if (!own && !intent_for_all(in))
        return false;
    if (!own)
        in->add.n = in->remove.n = 0;
    return in->says_enable || in->profile[0] || in->add.n > 0 || in->remove.n > 0;
}

__attribute__((visibility("default"))) int braid_socket_listen(int fd, int backlog)
{
    struct intent in;
    int saved = errno;
    if (real_listen(fd, backlog) < 0)
        return -1;
    if (has_intent(fd, &in) && listener_tell(fd, &in) < 0 && errno != ENOPROTOOPT) {
        int why = errno;
        shutdown(fd, SHUT_RD); /* it is as before */
        errno = why;
        return -1;
    }
    errno = saved;
    return 0;
}
