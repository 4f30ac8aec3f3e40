/* One line in, one document out, per connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/control_socket.h"
#include "admin/json.h"
#include "admin/visitor.h"
#include "io/descriptors.h"

#define CONTROL_BACKLOG         128
#define CONTROL_CLIENTS         64  /* at the same time */
#define CONTROL_REQUEST_SECONDS 10  /* until a line is whole */
#define CONTROL_ANSWER_SECONDS  120 /* until its answer has left */

struct control {
    char *path;
    dev_t dev; /* of the socket's file as we made it */
    ino_t ino;
    struct crowd crowd;
};

struct client {
    struct visitor visitor; /* first */
    enum command_format format;
};

/* ---- requests -------------------------------------------------------------------------------- */

static void send_error(struct client *cl, const char *message)
{
    struct doc d = {.buf = visitor_output(&cl->visitor)};
    cl->visitor.over = true;
    if (cl->format == COMMAND_TEXT)
        doc_printf(&d, BRAID_ERROR_TEXT "%s\n", message);
    else
        json_error(&d, message);
}

static void on_part(struct visitor *v, struct evbuffer *part, bool last)
{
    v->started = true;
    v->over = last;
    if (evbuffer_add_buffer(visitor_output(v), part) < 0)
        visitor_free(v);
}

/* A document in JSON that has begun is left unfinished: an error within it could not be told from the rest.
 */
static void on_failed(struct visitor *v, enum query_failure why)
{
    struct client *cl = (struct client *)v;
    if (!v->started || cl->format == COMMAND_TEXT)
        send_error(cl, query_failure_text(why));
    else
        visitor_free(v);
}

static void take_line(struct client *cl, char *line)
{
    struct command_call call;
    const char *error;
    char unknown[CONF_ERROR_MAX];
    visitor_answering(&cl->visitor);
    int parsed = command_parse(line, &call, &error);
    cl->format = call.format;
    if (parsed < 0)
        send_error(cl, error);
    else if (command_resolve(query_set_conf(cl->visitor.crowd->queries), &call, unknown) < 0)
        send_error(cl, unknown);
    else
        visitor_ask(&cl->visitor, &call);
}

static void on_readable(struct visitor *v)
{
    struct evbuffer *in = visitor_input(v);
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);
    if (line)
        take_line((struct client *)v, line);
    else if (evbuffer_get_length(in) >= BRAID_CONTROL_LINE)
        visitor_free(v);
    free(line);
}

static const struct visitor_ops control_visitors = {.size = sizeof(struct client),
                                                    .asking_s = CONTROL_REQUEST_SECONDS,
                                                    .answering_s = CONTROL_ANSWER_SECONDS,
                                                    .readable = on_readable,
                                                    .part = on_part,
                                                    .failed = on_failed,
                                                    .answered = visitor_free};

/* ---- the socket's file ----------------------------------------------------------------------- */

static int fail(char *err, size_t errlen, const char *path, const char *what, const char *right)
{
    snprintf(err, errlen, "[daemon] control: %s: %s; %s", path, what, right);
    return -1;
}

static int make_directory(const char *path, char *err, size_t errlen)
{
    char *dir = strdup(path);
    int result = 0;
    if (!dir)
        return fail(err, errlen, path, "memory is short", "try again");
    *strrchr(dir, '/') = '\0';
    if (*dir && mkdir(dir, 0755) < 0 && errno != EEXIST)
        result =
            fail(err, errlen, path, strerror(errno), "name a path whose directory exists or can be made");
    free(dir);
    return result;
}

/* Removes a socket that nobody listens on. 0: path is free. */
static int clear_stale(const struct sockaddr_un *sun, char *err, size_t errlen)
{
    const char *path = sun->sun_path;
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT
                   ? 0
                   : fail(err, errlen, path, strerror(errno), "name a path that this user may write to");
    if (!S_ISSOCK(st.st_mode))
        return fail(err, errlen, path, "it exists and is not a socket",
                    "name another path, or remove the file");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(err, errlen, path, strerror(errno), "close some files");
    int refused = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return fail(err, errlen, path, "a daemon answers there already",
                    "stop that one, or name another path");
    if (unlink(path) < 0)
        return fail(err, errlen, path, strerror(errno), "name a path that this user may write to");
    return 0;
}

/* -1 with errno. The mode is right from the first moment on. */
static int bind_private(const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t old = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));
    int saved = errno;
    umask(old);
    errno = saved;
    if (bound == 0 && chmod(sun->sun_path, 0600) == 0 && listen(fd, CONTROL_BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    if (bound == 0)
        unlink(sun->sun_path);
    errno = saved;
    return -1;
}

static int open_socket(const char *path, char *err, size_t errlen)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sun.sun_path))
        return fail(err, errlen, path, "the path is too long", "name a shorter one");
    strcpy(sun.sun_path, path);
    if (make_directory(path, err, errlen) < 0 || clear_stale(&sun, err, errlen) < 0)
        return -1;
    int fd = bind_private(&sun);
    if (fd < 0)
        fail(err, errlen, path, strerror(errno), "name a path that this user may write to");
    return fd;
}

int control_open(const char *path, struct event_base *base, struct control **out, char *err, size_t errlen)
{
    struct stat st = {0};
    struct control *c = calloc(1, sizeof(*c));
    if (!c)
        return fail(err, errlen, path, "memory is short", "try again");
    c->path = strdup(path);
    int fd =
        c->path ? open_socket(path, err, errlen) : fail(err, errlen, path, "memory is short", "try again");
    crowd_init(&c->crowd, base, &control_visitors, descriptors_share(CONTROL_CLIENTS), BRAID_CONTROL_LINE,
               fd);
    if (fd < 0) {
        control_free(c);
        return -1;
    }
    lstat(path, &st);
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    *out = c;
    return 0;
}

int control_start(struct control *c, struct query_set *set)
{
    return crowd_let_in(&c->crowd, set);
}

void control_free(struct control *c)
{
    struct stat st;
    if (!c)
        return;
    crowd_disperse(&c->crowd);
    if (c->ino && lstat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino)
        unlink(c->path);
    free(c->path);
    free(c);
}
