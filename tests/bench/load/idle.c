/* Connections that do nothing: says when all of them and their subflows are there; at the first SIGTERM it
 * says whether they still are, and at the second it closes them. SIGINT instead ends all at once, for where
 * nobody is left to answer. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

#define SPARE_FILES 100

/* One after the other, each to its end: tens of thousands of resets at once would overflow queues, and what
 * is lost of them nobody sends again. */
static void close_in_order(const struct load *l, int *fds)
{
    char rest[64];
    for (unsigned i = 0; i < l->connections; i++) {
        if (shutdown(fds[i], SHUT_WR) == 0) {
            while (recv(fds[i], rest, sizeof(rest), 0) > 0) {
            }
        }
        close(fds[i]);
    }
    free(fds);
}

void load_idle(const struct load *l)
{
    struct rlimit limit = {.rlim_cur = l->connections + SPARE_FILES,
                           .rlim_max = l->connections + SPARE_FILES};
    sigset_t end;
    int number;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("cannot raise the limit of open files to %lu", (unsigned long)limit.rlim_cur);
    int *fds = load_open_all(l, SERVE_ECHO);
    puts("ready");
    fflush(stdout);
    sigwait(&end, &number);
    struct flows sum;
    load_flows(l, fds, &sum);
    printf("subflows: %u\n", sum.established);
    fflush(stdout);
    sigwait(&end, &number);
    if (number == SIGTERM)
        close_in_order(l, fds);
    else
        load_close_all(l, fds);
}
