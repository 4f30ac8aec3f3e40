/* Connections that do nothing: says when all of them and their subflows are there; at the first SIGTERM it
 * says whether they still are, and at the second it closes them. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include "load.h"

#define SPARE_FILES 100

void load_idle(const struct load *l)
{
    struct rlimit limit = {.rlim_cur = l->connections + SPARE_FILES,
                           .rlim_max = l->connections + SPARE_FILES};
    sigset_t end;
    int number;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
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
    load_close_all(l, fds);
}
