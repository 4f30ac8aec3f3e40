/* One line in, one document out, per connection. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/control_socket.h"
#include "admin/follow.h"
#include "admin/json.h"
#include "admin/taking.h"
#include "admin/visitor.h"
#include "io/descriptors.h"
#include "io/unix_socket.h"

#define CONTROL_BACKLOG         128
#define CONTROL_CLIENTS         64  /* at the same time */
#define CONTROL_REQUEST_SECONDS 10  /* until a line is whole */
#define CONTROL_ANSWER_SECONDS  120 /* until its answer has left */
#define CONTROL_FOLLOWERS       8   /* of the clients, those who are told of events */

struct control {
    struct unix_file file;
    struct crowd crowd;
    unsigned n_followers;
    struct client *upgrading; /* who waits for an upgrade; NULL: nobody */
};

struct client {
    struct visitor visitor; /* first */
    enum command_format format;
    struct follow *follow; /* NULL: none */
    struct taking *taking; /* of a recording; NULL: none */
};

static struct control *control_of(const struct client *cl)
{
    return (struct control *)((char *)cl->visitor.crowd - offsetof(struct control, crowd));
}

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

/* ---- events ---------------------------------------------------------------------------------- */

/* What is said so far leaves, and then he goes. */
static void on_over(void *arg, bool missing)
{
    struct client *cl = arg;
    cl->visitor.over = true;
    if (missing)
        send_error(cl, query_failure_text(QUERY_NOT_FOUND));
}

static void follow(struct client *cl, const struct command_call *call)
{
    struct control *c = control_of(cl);
    const struct follow_params params = {.source = query_set_source(c->crowd.queries),
                                         .call = call,
                                         .base = c->crowd.base,
                                         .out = visitor_output(&cl->visitor),
                                         .over = on_over,
                                         .arg = cl};
    bool room = c->n_followers < CONTROL_FOLLOWERS;
    cl->follow = room ? follow_new(&params) : NULL;
    if (!cl->follow) {
        send_error(cl, query_failure_text(room ? QUERY_MEMORY : QUERY_BUSY));
        return;
    }
    c->n_followers++;
    visitor_listening(&cl->visitor);
}

/* What comes behind bytes of a file would be part of it: then only the end tells. */
static void on_taken(void *arg, const char *error)
{
    struct client *cl = arg;
    cl->visitor.over = true;
    if (error)
        send_error(cl, error);
    else if (evbuffer_get_length(visitor_output(&cl->visitor)) == 0)
        visitor_farewell(&cl->visitor);
}

static void take(struct client *cl, const struct command_call *call)
{
    struct control *c = control_of(cl);
    const struct taking_params params = {.source = query_set_source(c->crowd.queries),
                                         .call = call,
                                         .out = visitor_output(&cl->visitor),
                                         .over = on_taken,
                                         .arg = cl};
    bool room = c->n_followers < CONTROL_FOLLOWERS;
    cl->taking = room ? taking_new(&params) : NULL;
    if (!cl->taking) {
        send_error(cl, query_failure_text(room ? QUERY_MEMORY : QUERY_BUSY));
        return;
    }
    c->n_followers++;
    visitor_listening(&cl->visitor);
}

static void on_all_written(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    if (cl->follow)
        follow_more(cl->follow);
    if (cl->taking)
        taking_more(cl->taking);
}

static void on_leaving(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    struct control *c = control_of(cl);
    if (cl->follow || cl->taking)
        c->n_followers--;
    follow_free(cl->follow);
    taking_free(cl->taking);
    if (c->upgrading == cl)
        c->upgrading = NULL;
}

/* ---- an upgrade ------------------------------------------------------------------------------ */

/* He who has asked may have left. */
static void on_upgraded(void *arg, const struct query_upgraded *what)
{
    struct control *c = arg;
    struct client *cl = c->upgrading;
    if (!cl)
        return;
    const struct snapshot_view view = {.upgraded = what};
    struct doc d = {.buf = visitor_output(&cl->visitor)};
    c->upgrading = NULL;
    cl->visitor.over = true;
    commands[BRAID_COMMAND_UPGRADE].render[cl->format](&d, &view);
    if (!what->error)
        visitor_flush(&cl->visitor);
}

static void upgrade(struct client *cl)
{
    struct control *c = control_of(cl);
    const struct query_actions *actions = query_set_actions(c->crowd.queries);
    if (!actions || c->upgrading) {
        send_error(cl, actions ? "no upgrade: there is one under way" : "this daemon cannot");
        return;
    }
    c->upgrading = cl;
    actions->upgrade(actions->arg, on_upgraded, c);
}

/* ---- lines ----------------------------------------------------------------------------------- */

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
    else if (call.command == &commands[BRAID_COMMAND_EVENTS] ||
             call.command == &commands[BRAID_COMMAND_WATCH])
        follow(cl, &call);
    else if (call.command == &commands[BRAID_COMMAND_RECORD])
        take(cl, &call);
    else if (call.command == &commands[BRAID_COMMAND_UPGRADE])
        upgrade(cl);
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
                                                    .answered = visitor_free,
                                                    .written = on_all_written,
                                                    .leaves = on_leaving};

/* ---- life -------------------------------------------------------------------------------------- */

int control_open(const char *path, struct event_base *base, struct control **out, char *err, size_t errlen)
{
    const struct unix_socket_params params = {.key = "[daemon] control",
                                              .path = path,
                                              .type = SOCK_STREAM,
                                              .mode = 0600,
                                              .group = (gid_t)-1,
                                              .backlog = CONTROL_BACKLOG};
    struct control *c = calloc(1, sizeof(*c));
    if (!c) {
        snprintf(err, errlen, "%s: %s: memory is short; try again", params.key, path);
        return -1;
    }
    int fd = unix_socket_open(&params, &c->file, err, errlen);
    crowd_init(&c->crowd, base, &control_visitors, descriptors_share(CONTROL_CLIENTS), BRAID_CONTROL_LINE,
               fd);
    if (fd < 0) {
        control_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

int control_start(struct control *c, struct query_set *set)
{
    return crowd_let_in(&c->crowd, set);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    unix_file_remove(&c->file);
    crowd_disperse(&c->crowd);
    free(c);
}
