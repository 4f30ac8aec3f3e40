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
#include <event2/listener.h>
#include "admin/control_socket.h"
#include "admin/guard.h"
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
    struct evconnlistener *listener;
    struct guard *guard;
    struct query_set *set;
    struct crowd crowd;
};

struct client {
    struct visitor visitor;
    struct control *control;
    struct query *query; /* NULL: none yet, or it is over */
    enum query_format format;
    bool started; /* a part has been sent */
    bool over;    /* the client goes when everything is written */
};

/* ---- requests ---------------------------------------------------------------------------------------------
 */

/* The next word of *line, which moves on; NULL: there is none. */
static char *next_word(char **line)
{
    char *word;
    do
        word = strsep(line, " \t\r");
    while (word && !*word);
    return word;
}

#define WORDS_MAX 5 /* one more than any command takes */

static int parse_id(const char *word, uint64_t *id)
{
    char *end = "";
    errno = 0;
    *id = strtoull(word, &end, 10);
    return word[0] >= '0' && word[0] <= '9' && !*end && !errno ? 0 : -1;
}

static int parse_set(const char *const words[], unsigned n, struct query_spec *spec, const char **error)
{
    static const char *const settings[] = {
#define X(id, word) word,
        BRAID_SETTINGS(X)
#undef X
    };
    *error =
        "this command takes three arguments: the id of a connection; scheduler, congestion or profile; and "
        "its name, as \"algorithms\" lists them";
    if (n != 4 || parse_id(words[1], &spec->id) < 0)
        return -1;
    while (spec->setting < BRAID_SET_MAX && strcmp(words[2], settings[spec->setting]) != 0)
        spec->setting++;
    spec->name = words[3];
    return spec->setting < BRAID_SET_MAX ? 0 : -1;
}

/* words: the command, and n - 1 arguments. */
static int parse_arguments(const char *arguments, const char *const words[], unsigned n,
                           struct query_spec *spec, const char **error)
{
    if (!*arguments) {
        *error = "this command takes no argument";
        return n == 1 ? 0 : -1;
    }
    if (arguments[0] == '[') {
        *error = "this command takes no argument but \"clear\"";
        spec->clear = n == 2 && strcmp(words[1], "clear") == 0;
        return n == 1 || spec->clear ? 0 : -1;
    }
    if (strcmp(arguments, "ID") != 0)
        return parse_set(words, n, spec, error);
    *error = "this command takes one argument, the id of a connection, a number; \"connections\" lists them";
    return n == 2 ? parse_id(words[1], &spec->id) : -1;
}

int control_parse(char *line, struct query_spec *spec, const char **error)
{
    static const struct {
        const char *word, *arguments;
    } commands[BRAID_COMMAND_MAX] = {
#define X(id, word, arguments, help) {word, arguments},
        BRAID_COMMANDS(X)
#undef X
    };
    const char *words[WORDS_MAX] = {"", "", "", "", ""};
    unsigned n = 0;
    *spec = (struct query_spec){.format = QUERY_TEXT};
    for (char *w; (w = next_word(&line)) != NULL;) {
        if (strcmp(w, "--json") == 0)
            spec->format = QUERY_JSON;
        else if (n < WORDS_MAX)
            words[n++] = w;
    }
    for (spec->command = 0; spec->command < BRAID_COMMAND_MAX; spec->command++)
        if (strcmp(words[0], commands[spec->command].word) == 0)
            break;
    if (spec->command == BRAID_COMMAND_MAX) {
        *error = "unknown command; there are "
#define X(id, word, arguments, help) word " "
            BRAID_COMMANDS(X)
#undef X
                "and the option --json";
        return -1;
    }
    return parse_arguments(commands[spec->command].arguments, words, n, spec, error);
}

static void client_free(struct client *cl)
{
    if (cl->query)
        query_cancel(cl->query);
    visitor_close(&cl->visitor);
    free(cl);
}

static void send_error(struct client *cl, const char *message)
{
    struct doc d = {.buf = visitor_output(&cl->visitor)};
    cl->over = true;
    if (cl->format == QUERY_TEXT) {
        doc_printf(&d, BRAID_ERROR_TEXT "%s\n", message);
        return;
    }
    struct json j = {.doc = &d};
    json_object(&j, NULL);
    json_string(&j, "error", message);
    json_end(&j);
    doc_puts(&d, "\n");
}

static void on_part(void *ctx, struct evbuffer *part, bool last)
{
    struct client *cl = ctx;
    cl->started = true;
    cl->over = last;
    if (last)
        cl->query = NULL;
    if (evbuffer_add_buffer(visitor_output(&cl->visitor), part) < 0)
        client_free(cl);
}

/* A document in JSON that has begun is left unfinished: an error within it could not be told from the rest.
 */
static void on_failed(void *ctx, enum query_failure why)
{
    struct client *cl = ctx;
    cl->query = NULL;
    if (!cl->started || cl->format == QUERY_TEXT)
        send_error(cl, query_failure_text(why));
    else
        client_free(cl);
}

static const struct query_sink control_sink = {.part = on_part, .failed = on_failed};

static void take_line(struct client *cl, char *line)
{
    struct query_spec spec;
    const char *error;
    char unknown[CONF_ERROR_MAX];
    enum query_failure why;
    visitor_answering(&cl->visitor, CONTROL_ANSWER_SECONDS);
    int parsed = control_parse(line, &spec, &error);
    cl->format = spec.format;
    if (parsed < 0) {
        send_error(cl, error);
        return;
    }
    if (query_resolve(cl->control->set, &spec, unknown) < 0) {
        send_error(cl, unknown);
        return;
    }
    cl->query = query_start(cl->control->set, &spec, &control_sink, cl, &why);
    if (!cl->query)
        send_error(cl, query_failure_text(why));
}

/* ---- the client's socket ----------------------------------------------------------------------------------
 */

static void on_readable(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    struct evbuffer *in = visitor_input(v);
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);
    if (line)
        take_line(cl, line);
    else if (evbuffer_get_length(in) >= BRAID_CONTROL_LINE)
        client_free(cl);
    free(line);
}

static void on_written(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    if (cl->over)
        client_free(cl);
    else if (cl->query)
        query_more(cl->query);
}

static void on_gone(struct visitor *v)
{
    client_free((struct client *)v);
}

static const struct visitor_ops control_visitors = {
    .readable = on_readable, .written = on_written, .gone = on_gone};

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
                      void *arg)
{
    (void)listener;
    (void)sa;
    (void)len;
    struct control *c = arg;
    struct client *cl = calloc(1, sizeof(*cl));
    if (!cl) {
        close(fd);
        return;
    }
    cl->control = c;
    if (visitor_open(&c->crowd, &cl->visitor, fd, CONTROL_REQUEST_SECONDS) < 0)
        free(cl);
}

/* ---- the socket's file ------------------------------------------------------------------------------------
 */

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
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED;
    struct stat st = {0};
    struct control *c = calloc(1, sizeof(*c));
    if (!c)
        return fail(err, errlen, path, "memory is short", "try again");
    crowd_init(&c->crowd, base, &control_visitors, descriptors_share(CONTROL_CLIENTS), BRAID_CONTROL_LINE);
    c->path = strdup(path);
    int fd =
        c->path ? open_socket(path, err, errlen) : fail(err, errlen, path, "memory is short", "try again");
    if (fd < 0) {
        control_free(c);
        return -1;
    }
    lstat(path, &st);
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    c->listener = evconnlistener_new(base, on_accept, c, flags, 0, fd);
    if (!c->listener)
        close(fd);
    c->guard = c->listener ? guard_new(base, c->listener) : NULL;
    if (!c->guard) {
        control_free(c);
        return fail(err, errlen, path, "memory is short", "try again");
    }
    *out = c;
    return 0;
}

void control_start(struct control *c, struct query_set *set)
{
    c->set = set;
    evconnlistener_enable(c->listener);
}

void control_free(struct control *c)
{
    struct stat st;
    if (!c)
        return;
    crowd_disperse(&c->crowd);
    guard_free(c->guard);
    if (c->listener)
        evconnlistener_free(c->listener);
    if (c->ino && lstat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino)
        unlink(c->path);
    free(c->path);
    free(c);
}
