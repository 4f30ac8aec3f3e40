/* See reload.h. */
#include "reload.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admin/admin.h"
#include "io/log.h"
#include "service/service.h"

__attribute__((format(printf, 3, 4))) static void say(const struct conf_report *report, bool warning,
                                                      const char *format, ...)
{
    char line[CONF_ERROR_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    report->say(report->arg, warning, line);
}

/* ---- one generation --------------------------------------------------------------------------------- */

static void generation_free(struct generation *n)
{
    list_remove(&n->link);
    conf_free(&n->conf);
    free(n);
}

/* What is needed for one that is gone is not needed any more. */
static void forget(struct generations *g)
{
    unsigned n = 0;
    list_each (at, next, &g->all)
        n++;
    const struct service_params *all[n + 1];
    n = 0;
    list_each (at, next, &g->all)
        all[n++] = &list_entry(at, struct generation, link)->params;
    if (g->service)
        service_forget(g->service, all, n);
}

/* In the main loop. */
static void on_over(void *arg)
{
    struct generation *n = arg;
    struct generations *g = n->of;
    generation_free(n);
    forget(g);
}

/* In the thread of whoever was the last. */
static void over(struct hold *h)
{
    struct generation *n = list_entry(h, struct generation, hold);
    mailbox_put(n->of->mailbox, &n->place, on_over, n);
}

static void fill_params(struct generation *n)
{
    struct conf *c = &n->conf;
    c->hold = &n->hold;
    n->params = (struct service_params){.generation = c->generation,
                                        .hold = &n->hold,
                                        .daemon = &c->daemon,
                                        .tun = &c->tun,
                                        .limits = &c->limits,
                                        .unproven = &c->unproven,
                                        .edges = c->edges,
                                        .n_edges = c->n_edges,
                                        .uplinks = c->uplinks,
                                        .n_uplinks = c->n_uplinks,
                                        .cpes = c->cpes,
                                        .n_cpes = c->n_cpes,
                                        .profiles = c->profiles,
                                        .n_profiles = c->n_profiles,
                                        .policies = c->policies,
                                        .n_policies = c->n_policies,
                                        .path_names = c->path_names,
                                        .failed = n->of->failed,
                                        .failed_arg = n->of->failed_arg};
}

/* NULL: report has been told why. */
static struct generation *generation_new(struct generations *g, const struct conf_report *report)
{
    const struct conf *before = g->now ? &g->now->conf : NULL;
    struct generation *n = calloc(1, sizeof(*n));
    if (!n) {
        say(report, false, "%s: memory is short", g->path);
        return NULL;
    }
    n->of = g;
    n->hold = (struct hold){.users = 1, .over = over};
    int result = before ? conf_load_again(g->path, before, &n->conf, report)
                        : conf_load_all(g->path, &n->conf, report);
    if (result < 0) {
        free(n);
        return NULL;
    }
    n->conf.generation = before ? before->generation + 1 : 0;
    fill_params(n);
    list_append(&g->all, &n->link);
    return n;
}

/* ---- all of them ------------------------------------------------------------------------------------ */

int generations_begin(struct generations *g, const char *path, const struct conf_report *report)
{
    g->path = path;
    list_init(&g->all);
    g->now = generation_new(g, report);
    return g->now ? 0 : -1;
}

int generations_attach(struct generations *g, struct event_base *base)
{
    g->mailbox = mailbox_new(base);
    return g->mailbox ? 0 : -1;
}

static void say_difference(void *arg, char sign, const char *title, const char *keys)
{
    const struct conf_report *report = arg;
    if (sign == '~')
        say(report, true, "[%s] changed: %s", title, keys);
    else
        say(report, true, "[%s] %s", title, sign == '+' ? "added" : "removed");
}

static void say_differences(const struct conf *before, const struct conf *now,
                            const struct conf_report *report)
{
    conf_text_compare(&before->text, &now->text, say_difference, (void *)report);
}

/* The parts that may refuse come first. 0; -1: nothing has changed; 1: something failed on the way. */
static int put_into_force(struct generations *g, const struct generation *n, char error[SERVICE_ERROR])
{
    error[0] = '\0';
    if (admin_prepare(g->admin, &n->conf, error, SERVICE_ERROR) < 0)
        return -1;
    int result = service_change(g->service, &n->params, error);
    if (result < 0) {
        admin_discard(g->admin);
        return -1;
    }
    if (admin_change(g->admin, &n->conf, service_uplinks(g->service)) < 0) {
        snprintf(error, SERVICE_ERROR, "[admin]: out of memory");
        result = 1;
    }
    return result;
}

int generations_reload(struct generations *g, const struct conf_report *report)
{
    char error[SERVICE_ERROR];
    struct generation *n = generation_new(g, report), *before = g->now;
    if (!n)
        return -1;
    int result = put_into_force(g, n, error);
    if (result < 0) {
        say(report, false, "%s: %s", g->path, error);
        generation_free(n);
        return -1;
    }
    if (result > 0)
        say(report, true, "not all of it works: %s", error);
    log_set_level(n->conf.daemon.log_level);
    log_record_set_format(n->conf.daemon.log_format);
    say_differences(&before->conf, &n->conf, report);
    g->now = n;
    hold_put(&before->hold);
    return 0;
}

void generations_end(struct generations *g)
{
    if (g->now && g->mailbox)
        hold_put(&g->now->hold);
    else if (g->now)
        generation_free(g->now);
    g->now = NULL;
    mailbox_free(g->mailbox);
    g->mailbox = NULL;
}
