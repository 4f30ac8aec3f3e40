/* What the tests of the control socket share: the socket, answered from fake workers. */
#ifndef TESTS_CONTROL_HARNESS_H
#define TESTS_CONTROL_HARNESS_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <event2/event.h>
#include "admin/control_socket.h"
#include "admin_client.h"
#include "admin_fake.h"

static struct event_base *base;
static struct fake fake;
static struct conf conf;
static struct query_set *set;
static struct control *control;
static char dir[64], path[128];
static char err[CONF_ERROR_MAX];

static inline void begin(unsigned queries, int answer_ms)
{
    const struct query_limits limits = {.queries = queries, .answer_ms = answer_ms};
    set = query_set_new(base, &fake.source, &conf, &limits);
    ck_assert_msg(control_open(path, base, &control, err, sizeof(err)) == 0, "%s", err);
    ck_assert_int_eq(control_start(control, set), 0);
}

static inline void end(void)
{
    control_free(control);
    control = NULL;
    query_set_free(set);
}

static inline void setup(void)
{
    strcpy(dir, "/tmp/braid-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/run/control.sock", dir);
    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    base = event_base_new();
    fake_conf(&conf);
    fake_init(&fake, base, 2);
    fake.conns[0] = 70;
    fake.conns[1] = 1;
    begin(8, 5000);
}

static inline void teardown(void)
{
    char run[128];
    end();
    fake_release(&fake);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(fake.open_dumps, 0);
    event_base_free(base);
    conf_free(&conf);
    snprintf(run, sizeof(run), "%s/run", dir);
    unlink(path);
    rmdir(run);
    ck_assert_int_eq(rmdir(dir), 0);
}

static inline struct reply_text ask(const char *line)
{
    int fd = client_unix(path);
    client_send(fd, line);
    return client_receive(base, fd);
}

static inline void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static inline bool ends_with(const char *text, const char *part)
{
    size_t a = strlen(text), b = strlen(part);
    return a >= b && strcmp(text + a - b, part) == 0;
}

#endif
