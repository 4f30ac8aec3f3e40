/* See successor.h. */
#include "successor.h"
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/log.h"
#include "service/service.h"
#include "service/upgrade_spawn.h"

#define SELF "/proc/self/exe"

static bool is_ourselves(const char *path)
{
    struct stat a, b;
    return stat(path, &a) == 0 && stat(SELF, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* As it was given to exec: the link in /proc names what symbolic links led to, and once a package has
 * replaced the file, what it was. Whoever was started by other means, such as a loader, is found by that
 * link. */
static void find_program(char out[PATH_MAX])
{
    const char *given = (const char *)getauxval(AT_EXECFN);
    char dir[PATH_MAX];
    int n = -1;
    if (given && given[0] == '/')
        n = snprintf(out, PATH_MAX, "%s", given);
    else if (given && getcwd(dir, sizeof(dir)))
        n = snprintf(out, PATH_MAX, "%s/%s", dir, given);
    if (n > 0 && n < PATH_MAX && is_ourselves(out))
        return;
    ssize_t len = readlink(SELF, out, PATH_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
}

void successor_init(struct successor *s, char *const argv[], void (*end)(void))
{
    *s = (struct successor){.argv = argv, .end = end};
    find_program(s->program);
}

int successor_prepare(const struct successor *s)
{
    return upgrade_prepare(s->program, s->argv);
}

static void tell(struct successor *s, const struct query_upgraded *what)
{
    query_upgraded_fn *told = s->told;
    s->told = NULL;
    if (told)
        told(s->told_arg, what);
}

static void refuse(struct successor *s, const char *why)
{
    log_error("no upgrade: %s; this process goes on", why);
    tell(s, &(struct query_upgraded){.error = why});
}

static void on_done(void *arg, const struct upgrade_outcome *o)
{
    struct successor *s = arg;
    s->now = NULL;
    if (o->error) {
        refuse(s, o->error);
        return;
    }
    log_notice("process %d, version %s, goes on where this one ends; nobody worked for %.1f ms", o->pid,
               o->version, (double)o->pause_us / 1000);
    tell(s, &(struct query_upgraded){.pid = o->pid, .version = o->version, .pause_us = o->pause_us});
    s->end();
}

/* NULL: nothing is in the way. */
static const char *hindrance(const struct successor *s)
{
    if (s->now)
        return "there is one under way";
    if (!s->service)
        return "braidd is about to begin, or to end";
    if (!s->program[0])
        return "the path of the program is not known; restart instead";
    if (getpid() == 1)
        return "braidd is process 1 here, with which everything else ends; restart instead";
    return NULL;
}

void successor_begin(struct successor *s, query_upgraded_fn *told, void *arg)
{
    char error[SERVICE_ERROR];
    const struct upgrade_params params = {.program = s->program, .done = on_done, .arg = s};
    const char *why = hindrance(s);
    if (s->now) { /* who has asked first waits for that one */
        log_warn("no upgrade: %s", why);
        if (told)
            told(arg, &(struct query_upgraded){.error = why});
        return;
    }
    s->told = told;
    s->told_arg = arg;
    if (!why) {
        s->now = service_upgrade(s->service, &params, error);
        why = s->now ? NULL : error;
    }
    if (why)
        refuse(s, why);
    else
        log_notice("%s is started anew, to go on where this process ends", s->program);
}

void successor_cancel(struct successor *s, const char *why)
{
    if (s->now)
        upgrade_cancel(s->now, why);
}
