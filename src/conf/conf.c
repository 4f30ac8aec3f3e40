/* See conf.h: defaults, then the file, then what concerns the whole of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/admin_check.h"
#include "conf/check.h"
#include "conf/conf.h"
#include "conf/limits.h"
#include "conf/parser.h"
#include "conf/profiles.h"
#include "conf/reader.h"
#include "conf/stay.h"
#include "conf/warnings.h"

#define FILE_MAX_BYTES (1 << 20)

static int conf_default(struct conf *c)
{
    memset(c, 0, sizeof(*c));
    c->daemon.control = strdup("/run/braid/control.sock");
    c->daemon.log_level = LOG_LEVEL_INFO;
    c->daemon.app_mode = 0666;
    c->daemon.app_group = (gid_t)-1;
    strcpy(c->tun.name, "braid0");
    c->tun.mtu = 1500;
    limits_default(&c->limits);
#define X(key, field, unit, least, most, example) c->unproven.field = (example) * (unit);
    UNPROVEN_LIMITS(X)
#undef X
    c->tun.routes_auto = true;
    c->tun.uplinks[0] = ip_from_v4((const uint8_t[]){10, 200, 0, 0});
    c->tun.uplinks[1] = (struct braid_ip){.b = {0xfd, 0, 0x02}};
    c->admin.listen = (struct braid_addr){.ip = ip_from_v4((const uint8_t[]){127, 0, 0, 1}), .port = 9180};
    return c->daemon.control ? profiles_begin(c) : -1;
}

/* The state's file is beside the control socket, unless the operator wants it elsewhere or not at all. */
static int settle_state(struct parser *p)
{
    struct daemon_params *d = &p->conf->daemon;
    if (!d->state && asprintf(&d->state, "%s.state", d->control) < 0) {
        d->state = NULL;
        return parser_fail_at(p, 0, NULL, NULL, "memory is short");
    }
    if (d->state[0] == '\0') {
        free(d->state);
        d->state = NULL;
    }
    return 0;
}

/* So is the socket for programs. */
static int settle_app_socket(struct parser *p)
{
    struct daemon_params *d = &p->conf->daemon;
    if (!d->app_socket && asprintf(&d->app_socket, "%.*sapp.sock",
                                   (int)(strrchr(d->control, '/') - d->control + 1), d->control) < 0) {
        d->app_socket = NULL;
        return parser_fail_at(p, 0, NULL, NULL, "memory is short");
    }
    if (d->app_socket[0] == '\0') {
        free(d->app_socket);
        d->app_socket = NULL;
    }
    return 0;
}

/* Checks between keys say little where a key could not be read. */
static int parse(struct parser *p, const char *text, size_t len)
{
    reader_read(p, text, len);
    stay_finish(p);
    if (p->n_errors > 0 || conf_check(p) < 0 || settle_state(p) < 0 || settle_app_socket(p) < 0 ||
        admin_settle(p) < 0)
        return -1;
    stay_say(p);
    conf_warn(p);
    return 0;
}

/* report NULL: nobody wants more than the first error. */
static int parse_text(const char *file, const char *text, size_t len, const struct conf *before,
                      struct conf *out, char *err, size_t errlen, const struct conf_report *report)
{
    struct parser *p = calloc(1, sizeof(*p));
    int result = -1;
    if (p)
        *p = (struct parser){
            .file = file, .conf = out, .before = before, .err = err, .errlen = errlen, .report = report};
    if (!p || conf_default(out) < 0) {
        snprintf(err, errlen, "%s: memory is short", file);
        if (report)
            report->say(report->arg, false, err);
        if (p)
            conf_free(out);
    } else {
        result = parse(p, text, len);
        if (result < 0)
            conf_free(out);
    }
    free(p);
    return result;
}

int conf_parse(const char *file, const char *text, size_t len, struct conf *out, char *err, size_t errlen)
{
    return parse_text(file, text, len, NULL, out, err, errlen, NULL);
}

int conf_parse_all(const char *file, const char *text, size_t len, struct conf *out,
                   const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return parse_text(file, text, len, NULL, out, first, sizeof(first), report);
}

/* The file's bytes, the caller's to free; NULL with errno. */
static char *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    char *text = malloc(FILE_MAX_BYTES + 1);
    if (text) {
        *len = fread(text, 1, FILE_MAX_BYTES + 1, f);
        int problem = ferror(f) ? errno : *len > FILE_MAX_BYTES ? EFBIG : 0;
        if (problem) {
            free(text);
            text = NULL;
            errno = problem;
        }
    }
    int saved = errno;
    fclose(f);
    errno = saved;
    return text;
}

static int load(const char *path, const struct conf *before, struct conf *out, char *err, size_t errlen,
                const struct conf_report *report)
{
    size_t len;
    char *text = file_read(path, &len);
    if (!text) {
        snprintf(err, errlen, "%s: cannot be read (%s); name a readable configuration file with -c", path,
                 strerror(errno));
        if (report)
            report->say(report->arg, false, err);
        return -1;
    }
    int result = parse_text(path, text, len, before, out, err, errlen, report);
    free(text);
    return result;
}

int conf_load(const char *path, struct conf *out, char *err, size_t errlen)
{
    return load(path, NULL, out, err, errlen, NULL);
}

int conf_load_all(const char *path, struct conf *out, const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return load(path, NULL, out, first, sizeof(first), report);
}

int conf_load_again(const char *path, const struct conf *before, struct conf *out,
                    const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return load(path, before, out, first, sizeof(first), report);
}

int conf_parse_again(const char *file, const char *text, size_t len, const struct conf *before,
                     struct conf *out, const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return parse_text(file, text, len, before, out, first, sizeof(first), report);
}

static void free_policy(struct policy *p)
{
    for (unsigned i = 0; i < p->n_cgroups; i++)
        free(p->cgroups[i]);
    for (unsigned i = 0; i < p->n_programs; i++)
        free(p->programs[i]);
    free(p->uplinks);
}

void conf_free(struct conf *c)
{
    for (unsigned i = 0; i < c->n_edges; i++) {
        for (unsigned j = 0; j < c->edges[i].pool.n; j++)
            free(c->edges[i].pool.targets[j].host);
        free(c->edges[i].pool.health.path);
    }
    for (unsigned i = 0; i < c->n_cpes; i++)
        for (unsigned j = 0; j < c->cpes[i].n_peers; j++)
            free(c->cpes[i].peers[j].host);
    for (unsigned i = 0; i < c->n_profiles && !c->profiles_kept; i++)
        free(c->profiles[i]);
    for (unsigned i = 0; i < c->n_policies; i++)
        free_policy(&c->policies[i]);
    free(c->edges);
    free(c->cpes);
    free(c->profiles);
    free(c->paths);
    free(c->path_names);
    free(c->daemon.control);
    free(c->daemon.app_socket);
    free(c->daemon.state);
    free(c->daemon.state_dir);
    free(c->daemon.user);
    admin_forget(&c->admin);
    conf_text_free(&c->text);
    memset(c, 0, sizeof(*c));
}
