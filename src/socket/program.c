/* See program.h. What the daemon has answered holds for this process and its children. */
#include "socket/program.h"
#include "socket/times.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "socket/ask.h"

#define ABSENT_S 1  /* until a daemon that was not there is asked again, ... */
#define STUCK_S  30 /* ... and one that has not answered, which has cost time */

enum { UNKNOWN, UNNAMED, NAMED };

static atomic_int state = UNKNOWN;
static _Atomic time_t again; /* when a daemon that was not there is asked for again */

bool program_is_unnamed(void)
{
    int is = atomic_load_explicit(&state, memory_order_relaxed);
    return is == UNNAMED || (is == UNKNOWN && now_s() < atomic_load(&again));
}

/* What others print has no blanks in it. */
void program_path(char out[APP_PATH_MAX + 1])
{
    ssize_t len = readlink("/proc/self/exe", out, APP_PATH_MAX + 1);
    bool whole = len > 0 && len <= APP_PATH_MAX;
    for (ssize_t i = 0; whole && i < len; i++)
        whole = out[i] > ' ' && out[i] <= '~';
    out[whole ? len : 0] = '\0';
}

/* One that does not answer such a question does not know policies. */
static int ask(int fd)
{
    struct app_message request = {.kind = APP_GET}, answer;
    program_path(request.program);
    if (!request.program[0])
        return UNNAMED;
    enum asked how = ask_daemon(&request, fd, &answer);
    if (how == ASKED)
        return answer.has_value && answer.value > 0 ? NAMED : UNNAMED;
    atomic_store(&again, now_s() + (how == ASKED_LATE ? STUCK_S : ABSENT_S));
    return UNKNOWN;
}

bool program_is_named(int fd)
{
    int is = atomic_load_explicit(&state, memory_order_relaxed);
    if (is == UNKNOWN && !program_is_unnamed()) {
        is = ask(fd);
        atomic_store(&state, is);
    }
    return is == NAMED;
}
