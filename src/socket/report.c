/* See report.h. BRAID_STATS names the file; without it nothing is kept. Several processes write there, each
 * line at once. Of a connection that goes another way, such as by a signal that ends the program, there is no
 * line. */
#include "socket/report.h"
#include <braid/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "socket/real.h"

#define WATCHED_MAX 4096 /* descriptors */

static const char *path;                   /* NULL: nobody wants to know */
static _Atomic pid_t watched[WATCHED_MAX]; /* who has asked for it: children close theirs, too */
static atomic_int highest;

static void look(void)
{
    path = secure_getenv("BRAID_STATS");
}

/* Before main, as of what is set for all connections (intent.c). */
__attribute__((constructor)) static void look_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look);
}

static const char *wanted(void)
{
    look_once();
    return path;
}

static const char *text_of(const union tcp_multipath_address *a, char text[ADDR_TEXT])
{
    struct braid_addr addr;
    return sockaddr_to(&a->sa, &addr) == 0 ? addr_text(&addr, text) : "?";
}

static void write_lines(int out, uint32_t id, const struct tcp_multipath_statistics *s, size_t n)
{
    char line[256], local[ADDR_TEXT], remote[ADDR_TEXT];
    for (size_t i = 0; i < n; i++) {
        int len = snprintf(line, sizeof(line), "%d %08x %s %s %llu %llu %u\n", (int)getpid(), id,
                           text_of(&s[i].local, local), text_of(&s[i].remote, remote),
                           (unsigned long long)s[i].bytes_sent, (unsigned long long)s[i].bytes_received,
                           s[i].rtt_us);
        if (write(out, line, (size_t)len) < 0)
            return;
    }
}

static void report(int fd)
{
    struct tcp_multipath_statistics s[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(s), id_len = sizeof(uint32_t);
    uint32_t id = 0; /* plain TCP has none */
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_STATISTICS, s, &len) < 0)
        return;
    braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_CONNID, &id, &id_len);
    int out = open(wanted(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (out < 0)
        return;
    write_lines(out, id, s, len / sizeof(s[0]));
    real_close(out);
}

void report_watch(int fd)
{
    if (!wanted() || fd < 0 || fd >= WATCHED_MAX)
        return;
    atomic_store(&watched[fd], getpid());
    int before = atomic_load(&highest);
    while (before < fd && !atomic_compare_exchange_weak(&highest, &before, fd))
        ;
}

/* Whether this process is to tell of it, which it does once. A child of vfork changes nothing of its
 * parent's. */
static bool take(int fd)
{
    pid_t self = getpid();
    return atomic_compare_exchange_strong(&watched[fd], &self, 0);
}

void report_close(int fd)
{
    int saved = errno, before;
    if (!wanted() || fd < 0 || fd >= WATCHED_MAX || !take(fd))
        return;
    /* close may be where its thread is cancelled, but then the descriptor would stay */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    report(fd);
    pthread_setcancelstate(before, NULL);
    errno = saved;
}

__attribute__((destructor)) static void report_all(void)
{
    for (int fd = 0; wanted() && fd <= atomic_load(&highest); fd++)
        report_close(fd);
}
