/* The loop of a link in real time. */
#include "linkem.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS   8
#define PRIORITY 20 /* of SCHED_FIFO: above everything that is not about time */

struct loop {
    struct linkem linkem;
    struct control control;
    int epoll, a, b, signals;
    int64_t spin;
};

/* A link has to be on time, whatever else the machine does. Without the right to it does what it can. */
static void be_punctual(void)
{
    struct sched_param p = {.sched_priority = PRIORITY};

    prctl(PR_SET_TIMERSLACK, 1);
    if (sched_setscheduler(0, SCHED_FIFO, &p) != 0)
        fprintf(stderr, "linkem: no real-time priority (%s): less exact on a busy machine\n",
                strerror(errno));
    mlockall(MCL_CURRENT | MCL_FUTURE);
}

static int watch(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int64_t next_event(const struct linkem *l)
{
    int64_t down = model_next(&l->down.model), up = model_next(&l->up.model);

    return down < up ? down : up;
}

/* Waits for packets, commands, or the time of the next event. */
static int wait(const struct loop *l, struct epoll_event *events)
{
    int64_t next = next_event(&l->linkem), span = next == MODEL_NEVER ? next : next - now_ns() - l->spin;
    struct timespec t = {0, 0};

    if (next == MODEL_NEVER)
        return epoll_pwait2(l->epoll, events, EVENTS, NULL, NULL);
    if (span > 0)
        t = (struct timespec){span / 1000000000, span % 1000000000};
    return epoll_pwait2(l->epoll, events, EVENTS, &t, NULL);
}

static void turn(struct loop *l, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;

        if (fd == l->a)
            lane_read(&l->linkem.up);
        else if (fd == l->b)
            lane_read(&l->linkem.down);
        else if (fd == l->signals)
            l->linkem.quit = true;
        else
            control_ready(&l->control, fd);
    }
    model_run(&l->linkem.down.model, now_ns());
    model_run(&l->linkem.up.model, now_ns());
}

static int run(struct loop *l)
{
    struct epoll_event events[EVENTS];

    printf("ready\n");
    fflush(stdout);
    while (!l->linkem.quit) {
        int n = wait(l, events);

        if (n < 0 && errno != EINTR) {
            perror("linkem: epoll_pwait2");
            return EXIT_CANNOT;
        }
        turn(l, events, n);
    }
    return EXIT_GOOD;
}

static int set_up(struct loop *l, const struct options *o)
{
    l->linkem.path = o->path;
    l->spin = o->spin;
    l->a = tun_open(&o->a, o->mtu);
    l->b = l->a < 0 ? -1 : tun_open(&o->b, o->mtu);
    if (l->b < 0)
        return -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->signals = open_signals();
    if (l->epoll < 0 || l->signals < 0 || watch(l->epoll, l->a) || watch(l->epoll, l->b) ||
        watch(l->epoll, l->signals)) {
        perror("linkem");
        return -1;
    }
    return control_open(&l->control, &l->linkem, o->control, l->epoll);
}

int main(int argc, char **argv)
{
    static struct options o;
    static struct loop l;
    int status = EXIT_CANNOT;

    options_parse(argc, argv, &o);
    if (set_up(&l, &o) == 0) {
        be_punctual();
        lane_init(&l.linkem.down, &o.path.down, rng_make(o.seed, 1), l.b, l.a, o.mtu);
        lane_init(&l.linkem.up, &o.path.up, rng_make(o.seed, 2), l.a, l.b, o.mtu);
        status = run(&l);
        lane_free(&l.linkem.down);
        lane_free(&l.linkem.up);
        control_close(&l.control);
    }
    lab_scenario_free(&o.scenario);
    return status;
}
