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
    struct one {
        struct linkem linkem;
        struct control control;
        int a, b;
    } links[LAB_PATHS];
    unsigned n_links;
    int epoll, signals;
    bool quit;
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

static int64_t next_event(const struct loop *l)
{
    int64_t next = MODEL_NEVER;

    for (unsigned i = 0; i < l->n_links; i++) {
        int64_t down = model_next(&l->links[i].linkem.down.model),
                up = model_next(&l->links[i].linkem.up.model);

        next = down < next ? down : next;
        next = up < next ? up : next;
    }
    return next;
}

/* Waits for packets, commands, or the time of the next event. */
static int wait(const struct loop *l, struct epoll_event *events)
{
    int64_t next = next_event(l), span = next == MODEL_NEVER ? next : next - now_ns() - l->spin;
    struct timespec t = {0, 0};

    if (next == MODEL_NEVER)
        return epoll_pwait2(l->epoll, events, EVENTS, NULL, NULL);
    if (span > 0)
        t = (struct timespec){span / 1000000000, span % 1000000000};
    return epoll_pwait2(l->epoll, events, EVENTS, &t, NULL);
}

/* A descriptor is readable: of a device, or of one of the control sockets, which know their own. */
static void ready(struct loop *l, int fd)
{
    if (fd == l->signals)
        l->quit = true;
    for (unsigned i = 0; i < l->n_links; i++) {
        struct one *o = &l->links[i];

        if (fd == o->a)
            lane_read(&o->linkem.up);
        else if (fd == o->b)
            lane_read(&o->linkem.down);
        else
            control_ready(&o->control, fd);
    }
}

static void turn(struct loop *l, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++)
        ready(l, events[i].data.fd);
    for (unsigned i = 0; i < l->n_links; i++) {
        model_run(&l->links[i].linkem.down.model, now_ns());
        model_run(&l->links[i].linkem.up.model, now_ns());
        l->quit = l->quit || l->links[i].linkem.quit;
    }
}

static int run(struct loop *l)
{
    struct epoll_event events[EVENTS];

    printf("ready\n");
    fflush(stdout);
    while (!l->quit) {
        int n = wait(l, events);

        if (n < 0 && errno != EINTR) {
            perror("linkem: epoll_pwait2");
            return EXIT_CANNOT;
        }
        turn(l, events, n);
    }
    return EXIT_GOOD;
}

static int set_up_link(struct loop *l, const struct link_options *o, unsigned mtu)
{
    struct one *one = &l->links[l->n_links++];

    one->linkem.path = o->path;
    one->a = tun_open(&o->a, mtu);
    one->b = one->a < 0 ? -1 : tun_open(&o->b, mtu);
    if (one->b < 0)
        return -1;
    if (watch(l->epoll, one->a) || watch(l->epoll, one->b)) {
        perror("linkem");
        return -1;
    }
    return control_open(&one->control, &one->linkem, o->control, l->epoll);
}

static int set_up(struct loop *l, const struct options *o)
{
    l->spin = o->spin;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->signals = open_signals();
    if (l->epoll < 0 || l->signals < 0 || watch(l->epoll, l->signals)) {
        perror("linkem");
        return -1;
    }
    for (unsigned i = 0; i < o->n_links; i++)
        if (set_up_link(l, &o->links[i], o->mtu) < 0)
            return -1;
    return 0;
}

/* The link of the path that another one shares the wire of; options_parse has seen to it that there is one.
 */
static struct linkem *host_of(struct loop *l, const struct options *o, unsigned shares)
{
    const char *name = o->scenario.paths[shares - 1].name;

    for (unsigned i = 0; i < l->n_links; i++)
        if (strcmp(l->links[i].linkem.path.name, name) == 0)
            return &l->links[i].linkem;
    return NULL;
}

static void begin(struct loop *l, const struct options *o)
{
    for (unsigned i = 0; i < l->n_links; i++) {
        struct one *one = &l->links[i];
        struct linkem *k = &one->linkem;

        lane_init(&k->down, &k->path.down, rng_make(o->seed, 1 + 2 * i), one->b, one->a, o->mtu, &k->up);
        lane_init(&k->up, &k->path.up, rng_make(o->seed, 2 + 2 * i), one->a, one->b, o->mtu, &k->down);
        if (k->path.down.shares) {
            model_share(&k->down.model, &host_of(l, o, k->path.down.shares)->down.model);
            model_share(&k->up.model, &host_of(l, o, k->path.up.shares)->up.model);
        }
    }
}

static void end(struct loop *l)
{
    for (unsigned i = 0; i < l->n_links; i++) {
        model_clear(&l->links[i].linkem.down.model);
        model_clear(&l->links[i].linkem.up.model);
    }
    for (unsigned i = 0; i < l->n_links; i++) {
        lane_free(&l->links[i].linkem.down);
        lane_free(&l->links[i].linkem.up);
        control_close(&l->links[i].control);
    }
}

int main(int argc, char **argv)
{
    static struct options o;
    static struct loop l;
    int status = EXIT_CANNOT;

    options_parse(argc, argv, &o);
    if (set_up(&l, &o) == 0) {
        be_punctual();
        begin(&l, &o);
        status = run(&l);
        end(&l);
    }
    lab_scenario_free(&o.scenario);
    return status;
}
