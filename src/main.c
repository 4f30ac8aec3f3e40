/* braidd: options, configuration, and the wiring of the daemon's parts. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include <braid/version.h>
#include "admin/admin.h"
#include "admin/snapshot.h"
#include "conf/conf.h"
#include "io/descriptors.h"
#include "io/heap.h"
#include "io/heirlooms.h"
#include "io/log.h"
#include "io/log_writer.h"
#include "io/notify.h"
#include "reload.h"
#include "confine.h"
#include "service/service.h"
#include "service/upgrade_spawn.h"
#include "successor.h"

#define DEFAULT_CONFIG "/etc/braid/braid.ini"
#define DRAIN_SECONDS  30

/* Signals that are sent out of habit, as by logrotate. */
static const int harmless[] = {SIGUSR1};
#define HARMLESS (sizeof(harmless) / sizeof(harmless[0]))

struct daemon {
    struct generations confs;
    struct event_base *base;
    struct admin *admin;
    struct query_actions actions;
    struct service *service;
    struct successor successor;
    const struct taking *taking; /* that we take over from another daemon; NULL: we do not */
    struct event *sigterm, *sigint, *sighup, *sigusr2, *ignored[HARMLESS];
    struct event *drain_tick;
    unsigned drain_left; /* seconds until the open connections are ended */
    bool draining;
    bool failed;
};

struct options {
    const char *config;
    bool check;
};

static const char usage[] = "usage: braidd [-c FILE] [-t] [-V] [-h]\n"
                            "  -c FILE  read this configuration instead of " DEFAULT_CONFIG "\n"
                            "  -t       check the configuration and exit\n"
                            "  -V       print the version and exit (--version)\n"
                            "  -h       print this help and exit (--help)\n";

static void parse_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.config = DEFAULT_CONFIG};
    static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "c:tVh", long_options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 't':
            o->check = true;
            break;
        case 'V':
            puts("braidd " BRAID_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs(usage, stderr);
            exit(EXIT_FAILURE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "braidd: unexpected argument \"%s\"\n%s", argv[optind], usage);
        exit(EXIT_FAILURE);
    }
}

/* A TUN or a socket in the place of a closed stderr would be sent the log. */
static void occupy_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static void end_loop(void *arg)
{
    struct daemon *d = arg;
    event_base_loopbreak(d->base);
}

/* Seconds are counted, not a time waited for: a machine that is paused in between has not had them. */
static void on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct daemon *d = arg;
    if (--d->drain_left == 0)
        end_loop(d);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    struct daemon *d = arg;
    if (d->draining) {
        log_info("%s again: ending at once", strsignal((int)number));
        end_loop(d);
        return;
    }
    d->draining = true;
    successor_cancel(&d->successor, "braidd was told to end");
    log_info("%s: finishing the open connections, for at most %d seconds", strsignal((int)number),
             DRAIN_SECONDS);
    notify_send("STOPPING=1");
    static const struct timeval second = {.tv_sec = 1};
    d->drain_left = DRAIN_SECONDS;
    event_add(d->drain_tick, &second);
    service_drain(d->service, end_loop, d);
}

static void on_failed(void *arg, const char *why)
{
    struct daemon *d = arg;
    log_error("%s; ending", why);
    d->failed = true;
    event_base_loopbreak(d->base);
}

static void on_harmless(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    (void)arg;
    log_warn("%s: ignored: it has no meaning to braidd", strsignal((int)number));
}

/* ---- reading the configuration anew ------------------------------------------------------------------ */

/* Who has asked is told, and so is the log. */
static void tell_both(void *arg, bool warning, const char *line)
{
    const struct conf_report *asker = arg;
    if (asker)
        asker->say(asker->arg, warning, line);
    log_write(warning ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, NULL, "%s", line);
}

/* systemd has to see the moment at which it begins (sd_notify(3)). */
static void notify_reloading(void)
{
    struct timespec now;
    char text[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify_send(text);
}

/* asker may be NULL. */
static int reload(void *arg, const struct conf_report *asker)
{
    struct daemon *d = arg;
    const struct conf_report both = {.say = tell_both, .arg = (void *)asker};
    const char *why = d->draining ? "braidd is about to end, and reads no configuration"
                      : d->successor.now
                          ? "braidd is about to be upgraded, which reads the configuration, too"
                          : NULL;
    if (why) {
        both.say(both.arg, false, why);
        return -1;
    }
    notify_reloading();
    int result = generations_reload(&d->confs, &both);
    if (result == 0)
        log_notice("the configuration has been read anew");
    else
        log_error("the configuration in force has not changed");
    notify_send("READY=1");
    return result;
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    reload(arg, NULL);
}

/* ---- another process takes over ---------------------------------------------------------------------- */

static void upgrade(void *arg, query_upgraded_fn *told, void *told_arg)
{
    struct daemon *d = arg;
    d->successor.service = d->draining ? NULL : d->service;
    successor_begin(&d->successor, told, told_arg);
}

static void on_usr2(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    upgrade(arg, NULL, NULL);
}

/* All that there is belongs to the other process as well: nothing is closed in order, and nothing taken back.
 */
static void end_at_once(void)
{
    log_stop();
    _exit(EXIT_SUCCESS);
}

/* The daemon before us goes on. */
__attribute__((noreturn)) static void take_nothing_and_end(const struct daemon *d, const char *why)
{
    take_nothing(d->taking, why);
    log_stop();
    _exit(EXIT_FAILURE);
}

/* Before anything else, and until the very end: libevent puts back what it found. */
static void ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    for (unsigned i = 0; i < HARMLESS; i++)
        signal(harmless[i], SIG_IGN);
}

static struct event *watch(struct daemon *d, int number, event_callback_fn fn)
{
    struct event *e = evsignal_new(d->base, number, fn, d);
    if (e && event_add(e, NULL) < 0) {
        event_free(e);
        e = NULL;
    }
    return e;
}

static int watch_signals(struct daemon *d)
{
    d->sigterm = watch(d, SIGTERM, on_signal);
    d->sigint = watch(d, SIGINT, on_signal);
    d->sighup = watch(d, SIGHUP, on_hangup);
    d->sigusr2 = watch(d, SIGUSR2, on_usr2);
    d->drain_tick = event_new(d->base, -1, EV_PERSIST, on_drain_tick, d);
    bool all = d->sigterm && d->sigint && d->sighup && d->sigusr2 && d->drain_tick;
    for (unsigned i = 0; i < HARMLESS; i++) {
        d->ignored[i] = watch(d, harmless[i], on_harmless);
        all = all && d->ignored[i];
    }
    return all ? 0 : -1;
}

#define READY_TEXT 256

/* "2 edges (web on 192.0.2.1:80, ...), 1 CPE (lan, transparent)", into text, which is returned. */
static const char *ready_text(const struct conf *c, char text[READY_TEXT])
{
    char listen[EDGE_TEXT];
    int used = 0;
    if (c->n_edges > 0)
        used = snprintf(text, READY_TEXT, "%u edge%s (%s on %s%s)%s", c->n_edges, c->n_edges > 1 ? "s" : "",
                        c->edges[0].name, edge_listen_text(&c->edges[0], listen),
                        c->n_edges > 1 ? ", ..." : "", c->n_cpes > 0 ? ", " : "");
    if (c->n_cpes > 0)
        snprintf(text + used, READY_TEXT - (size_t)used, "%u CPE%s (%s, %s%s)", c->n_cpes,
                 c->n_cpes > 1 ? "s" : "", c->cpes[0].name, cpe_kind_name(c->cpes[0].kind),
                 c->n_cpes > 1 ? ", ..." : "");
    return text;
}

static void say_ready(const struct daemon *d)
{
    unsigned workers;
    char what[READY_TEXT];
    service_workers(d->service, &workers);
    log_notice("ready: %s, %u worker%s, TUN %s", ready_text(&d->confs.now->conf, what), workers,
               workers > 1 ? "s" : "", d->confs.now->conf.tun.name);
    notify_send("READY=1");
}

/* Opens and starts everything. 0, or -1 with a message: what was opened is for the caller to close. */
static int start(struct daemon *d, char *error, size_t size)
{
    snprintf(error, size, "out of memory or descriptors");
    d->base = event_base_new();
    if (!d->base || watch_signals(d) < 0)
        return -1;
    struct generation *now = d->confs.now;
    now->params.failed = d->confs.failed = on_failed;
    now->params.failed_arg = d->confs.failed_arg = d;
    if (generations_attach(&d->confs, d->base) < 0)
        return -1;
    if (admin_open(&now->conf, d->base, &d->admin, error, size) < 0)
        return -1;
    d->service = service_new(d->base, &now->params, error);
    if (!d->service || confine_calls(&now->conf, error, size) < 0 ||
        (d->taking && service_take_over(d->service, d->taking, error) < 0) ||
        service_start(d->service, error) < 0)
        return -1;
    unsigned n;
    struct worker *const *workers = service_workers(d->service, &n);
    if (admin_start(d->admin, workers, n, service_uplinks(d->service)) < 0) {
        snprintf(error, size, "out of memory");
        return -1;
    }
    d->actions = (struct query_actions){.reload = reload, .upgrade = upgrade, .arg = d};
    admin_act(d->admin, &d->actions);
    d->confs.admin = d->admin;
    d->confs.service = d->service;
    return 0;
}

static void unwatch(struct event *e)
{
    if (e)
        event_free(e);
}

static void stop(struct daemon *d)
{
    d->confs.service = NULL;
    successor_cancel(&d->successor, "braidd ends");
    admin_stop(d->admin);
    service_free(d->service);
    generations_end(&d->confs);
    unwatch(d->sigterm);
    unwatch(d->sigint);
    unwatch(d->sighup);
    unwatch(d->sigusr2);
    unwatch(d->drain_tick);
    for (unsigned i = 0; i < HARMLESS; i++)
        unwatch(d->ignored[i]);
    if (d->base)
        event_base_free(d->base);
}

static void say_flaw(void *arg, bool warning, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s%s\n", warning ? "warning: " : "", line);
}

/* Errors end the daemon: they are said the same way as to whoever checks the file. Warnings wait until it is
 * known how the log looks. */
struct flaws {
    FILE *warnings;
    const struct taking *taking; /* as in struct daemon */
};

static void keep_warning(void *arg, bool warning, const char *line)
{
    const struct flaws *f = arg;
    if (!warning && f->taking)
        take_nothing(f->taking, line);
    if (warning)
        fprintf(f->warnings, "%s\n", line);
    else
        say_flaw(NULL, false, line);
}

static int read_configuration(struct daemon *d, const char *path)
{
    char *kept = NULL, *line;
    size_t len;
    FILE *warnings = open_memstream(&kept, &len);
    if (!warnings) {
        fprintf(stderr, "braidd: out of memory\n");
        return -1;
    }
    struct flaws flaws = {.warnings = warnings, .taking = d->taking};
    const struct conf_report report = {.say = keep_warning, .arg = &flaws};
    int result = generations_begin(&d->confs, path, &report);
    fclose(warnings);
    log_init(result < 0 ? LOG_LEVEL_INFO : d->confs.now->conf.daemon.log_level);
    if (result == 0)
        log_record_set_format(d->confs.now->conf.daemon.log_format);
    for (char *rest = kept; (line = strsep(&rest, "\n")) && *line;)
        log_warn("%s", line);
    free(kept);
    return result;
}

/* All that has to be done while there is one thread. */
static int settle(struct daemon *d)
{
    char error[CONF_ERROR_MAX];
    if (confine_settle(&d->confs.now->conf, d->confs.path, error, sizeof(error)) == 0) {
        if (successor_prepare(&d->successor) == 0)
            return 0;
        snprintf(error, sizeof(error),
                 "braidd: the process that is to start other versions cannot be forked: %s", strerror(errno));
    }
    if (d->taking)
        take_nothing(d->taking, error);
    say_flaw(NULL, false, error);
    generations_end(&d->confs);
    return -1;
}

static int check_configuration(struct daemon *d, const char *path)
{
    const struct conf_report report = {.say = say_flaw};
    if (generations_begin(&d->confs, path, &report) < 0)
        return EXIT_FAILURE;
    printf("%s: ok\n", path);
    generations_end(&d->confs);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options;
    struct daemon d = {0};
    struct taking taking = {.channel = upgrade_given_channel()};
    char error[CONF_ERROR_MAX];
    d.taking = taking.channel >= 0 ? &taking : NULL;
    successor_init(&d.successor, argv, end_at_once);
    ignore_signals();
    occupy_standard_descriptors();
    parse_options(argc, argv, &options);
    if (options.check)
        return check_configuration(&d, options.config);
    if (read_configuration(&d, options.config) < 0 || settle(&d) < 0)
        return EXIT_FAILURE;
    if (log_start() < 0) {
        fprintf(stderr, "braidd: out of memory\n");
        return EXIT_FAILURE;
    }
    heap_keep_freed();
    descriptors_init();
    int result = d.taking ? take_heirlooms(&taking, error) : 0;
    if (result == 0)
        result = start(&d, error, sizeof(error));
    if (result < 0) {
        log_error("%s", error);
        if (heirlooms_are_others())
            take_nothing_and_end(&d, error);
    } else {
        say_ready(&d);
        event_base_dispatch(d.base);
    }
    stop(&d);
    if (result == 0)
        log_info("ended");
    log_stop();
    return result < 0 || d.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
