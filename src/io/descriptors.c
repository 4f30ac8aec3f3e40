/* The limit of open files and its parts. The kernel gives out the lowest free number, so a number beyond the
 * part for servers says that this part is used up: nothing needs counting. */
#include <limits.h>
#include <sys/resource.h>
#include "io/descriptors.h"
#include "io/log.h"

#define RESERVE 160

static int servers_end = INT_MAX; /* sockets to servers have lower numbers */

static unsigned current_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (unsigned)limit.rlim_cur;
}

void descriptors_init(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            log_warn("cannot raise the limit of open files to %llu", (unsigned long long)limit.rlim_max);
    }
    unsigned all = current_limit();
    servers_end = (int)(all - (all / 4 < RESERVE ? all / 4 : RESERVE));
}

bool descriptors_leave_reserve(int fd)
{
    return fd < servers_end;
}

unsigned descriptors_share(unsigned most)
{
    unsigned part = current_limit() / 16;
    return part < most ? part + (part == 0) : most;
}
