/* HTTP requests become queries; documents that come in parts are sent in chunks, each when the one before has
 * left. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/assets.h"
#include "admin/http.h"
#include "admin/guard.h"
#include "admin/json.h"
#include "admin/request.h"
#include "admin/response.h"
#include "admin/visitor.h"
#include "base/addr.h"
#include "io/descriptors.h"
#include "io/heirlooms.h"
#include "io/sockaddr.h"

#define HTTP_BACKLOG         128
#define HTTP_CLIENTS         64   /* at the same time */
#define HTTP_LISTS           8    /* of them, those who are sent lists of connections */
#define HTTP_HEAD_MAX        8192 /* bytes of a request */
#define HTTP_REQUEST_SECONDS 15   /* until a request is whole, or the next one is */
#define HTTP_ANSWER_SECONDS  60   /* until its answer has left */

struct http {
    struct crowd crowd; /* first */
    const struct admin_params *params;
    int fd; /* that it listens on */
    uint16_t port;
};

struct client {
    struct visitor visitor; /* first */
    struct request request;
    size_t head_bytes;
    const struct command *command; /* that is being answered; NULL: none */
};

static const char type_json[] = "application/json";

/* ---- replies --------------------------------------------------------------------------------- */

static void put_head(struct client *cl, int code, const char *type, const size_t *length)
{
    struct doc d = {.buf = visitor_output(&cl->visitor)};
    response_head(&d, &cl->request, code, type, length);
}

static void put_document(struct client *cl, int code, const char *type, struct evbuffer *body)
{
    size_t length = evbuffer_get_length(body);
    cl->visitor.over = true;
    put_head(cl, code, type, &length);
    if (cl->request.method != REQUEST_HEAD)
        evbuffer_add_buffer(visitor_output(&cl->visitor), body);
}

static void reply_error(struct client *cl, int code, const char *message)
{
    struct evbuffer *body = evbuffer_new();
    struct doc d = {.buf = body};
    if (!body) {
        visitor_free(&cl->visitor);
        return;
    }
    json_error(&d, message);
    put_document(cl, code, type_json, body);
    evbuffer_free(body);
}

static void put_chunk(struct client *cl, struct evbuffer *part)
{
    struct evbuffer *out = visitor_output(&cl->visitor);
    size_t length = evbuffer_get_length(part);
    if (length == 0)
        return; /* an empty chunk would be the last one */
    if (!cl->request.http_1_0)
        evbuffer_add_printf(out, "%zx\r\n", length);
    evbuffer_add_buffer(out, part);
    if (!cl->request.http_1_0)
        evbuffer_add(out, "\r\n", 2);
}

static void on_part(struct visitor *v, struct evbuffer *part, bool last)
{
    struct client *cl = (struct client *)v;
    if (last && !v->started) {
        put_document(cl, 200, cl->command->type, part);
        return;
    }
    if (!v->started)
        put_head(cl, 200, cl->command->type, NULL);
    v->started = true;
    v->over = last;
    if (cl->request.method == REQUEST_HEAD) {
        visitor_ask_no_more(v);
        v->over = true;
        return;
    }
    put_chunk(cl, part);
    if (last && !cl->request.http_1_0)
        evbuffer_add(visitor_output(v), "0\r\n\r\n", 5);
}

static void on_failed(struct visitor *v, enum query_failure why)
{
    if (v->started) /* no last chunk: the client sees that the document is not whole */
        visitor_free(v);
    else
        reply_error((struct client *)v, why == QUERY_NOT_FOUND ? 404 : 503, query_failure_text(why));
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool makes_a_list(const struct command *c)
{
    return c->asks == SNAPSHOT_PAGE;
}

/* Lists of connections may be long, and those who take them slowly must not take all places. */
static bool has_place(struct http *h, const struct command *command)
{
    unsigned lists = 0;
    list_each (pos, next, &h->crowd.answered) {
        const struct client *cl = (struct client *)list_entry(pos, struct visitor, link);
        lists += cl->visitor.query && makes_a_list(cl->command);
    }
    return !makes_a_list(command) || lists < HTTP_LISTS;
}

static void begin_query(struct client *cl, const struct command_call *call)
{
    if (!has_place((struct http *)cl->visitor.crowd, call->command)) {
        on_failed(&cl->visitor, QUERY_BUSY);
        return;
    }
    cl->command = call->command;
    visitor_ask(&cl->visitor, call);
}

static void reply_nothing_here(struct client *cl)
{
    char paths[COMMAND_PATHS], message[COMMAND_PATHS + 64];
    snprintf(message, sizeof(message), "there is nothing here; there are /, %s", command_paths(paths));
    reply_error(cl, 404, message);
}

static void put_asset(struct client *cl, const struct asset *asset)
{
    size_t length = (size_t)(asset->end - asset->begin);
    cl->visitor.over = true;
    put_head(cl, 200, asset->type, &length);
    if (cl->request.method != REQUEST_HEAD)
        evbuffer_add_reference(visitor_output(&cl->visitor), asset->begin, length, NULL, NULL);
}

static void answer(struct client *cl)
{
    const struct admin_params *p = ((struct http *)cl->visitor.crowd)->params;
    struct request *r = &cl->request;
    const struct asset *asset = asset_at(r->path);
    struct command_call call;
    const char *error;
    char unknown[CONF_ERROR_MAX];
    r->close |= r->body; /* which is not read */
    visitor_answering(&cl->visitor);
    if ((error = guard_place(p, r)) != NULL)
        reply_error(cl, 403, error);
    else if (!asset && !command_at_path(r->path, &call))
        reply_nothing_here(cl);
    else if (r->method == REQUEST_OTHER)
        reply_error(cl, 405, "only GET and HEAD are allowed");
    else if (r->body)
        reply_error(cl, 413, "there is no use for a request's content here");
    else if (asset)
        put_asset(cl, asset);
    else if ((error = guard_token(p, r)) != NULL)
        reply_error(cl, 401, error);
    else if (command_take_query(r->query, &call, &error) < 0)
        reply_error(cl, 400, error);
    else if (command_resolve(query_set_conf(cl->visitor.crowd->queries), &call, unknown) < 0)
        reply_error(cl, 400, unknown);
    else
        begin_query(cl, &call);
}

static void refuse(struct client *cl, int code)
{
    static const char *const messages[] = {"this is not a request of HTTP/1.1 or HTTP/1.0",
                                           "the request is too long",
                                           "only HTTP/1.1 and HTTP/1.0 are spoken"};
    cl->request.close = true;
    visitor_answering(&cl->visitor);
    reply_error(cl, code, messages[code == 431 ? 1 : code == 505 ? 2 : 0]);
}

/* Takes one request, if it is whole. What is behind it waits. */
static void on_readable(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    struct evbuffer *in = visitor_input(v);
    char *line;
    size_t len;
    int code = 0;
    while (code == 0 && (line = evbuffer_readln(in, &len, EVBUFFER_EOL_CRLF)) != NULL) {
        cl->head_bytes += len + 1;
        code = request_take_line(&cl->request, line, len);
        free(line);
    }
    if (cl->head_bytes + (code ? 0 : evbuffer_get_length(in)) >= HTTP_HEAD_MAX)
        code = 431;
    if (code == 200)
        answer(cl);
    else if (code)
        refuse(cl, code);
}

static void next_request(struct client *cl)
{
    cl->request = (struct request){0};
    cl->head_bytes = 0;
    cl->visitor.started = cl->visitor.over = false;
    visitor_asking(&cl->visitor);
    on_readable(&cl->visitor);
}

static void on_answered(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    if (cl->request.close)
        visitor_farewell(v);
    else
        next_request(cl);
}

static const struct visitor_ops http_visitors = {.size = sizeof(struct client),
                                                 .asking_s = HTTP_REQUEST_SECONDS,
                                                 .answering_s = HTTP_ANSWER_SECONDS,
                                                 .readable = on_readable,
                                                 .part = on_part,
                                                 .failed = on_failed,
                                                 .answered = on_answered};

/* ---- opening and closing --------------------------------------------------------------------- */

/* -1 with errno. */
static int bind_tcp(const struct braid_addr *a)
{
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_from(a, &ss);
    int one = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, HTTP_BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The one of the daemon before us, or a new one. -1 with errno. */
static int open_tcp(const struct braid_addr *a)
{
    char name[HEIRLOOM_NAME], text[ADDR_TEXT];
    snprintf(name, sizeof(name), "admin:%s", addr_text(a, text));
    int fd = heirloom_take(name);
    if (fd >= 0)
        return fd;
    fd = bind_tcp(a);
    if (fd >= 0)
        heirloom_keep(name, fd);
    return fd;
}

/* 0: it cannot be asked. */
static uint16_t port_of(int fd)
{
    struct sockaddr_storage ss;
    struct braid_addr bound;
    socklen_t len = sizeof(ss);
    bool told = getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
                sockaddr_to((struct sockaddr *)&ss, &bound) == 0;
    return told ? bound.port : 0;
}

int http_open(const struct admin_params *params, struct event_base *base, struct http **out, char *err,
              size_t errlen)
{
    char text[ADDR_TEXT];
    int fd = open_tcp(&params->listen);
    if (fd < 0) {
        snprintf(err, errlen,
                 "[admin] listen: cannot listen on %s (%s); give a free port of an address of this host",
                 addr_text(&params->listen, text), strerror(errno));
        return -1;
    }
    struct http *h = calloc(1, sizeof(*h));
    if (!h) {
        heirloom_drop(fd);
        close(fd);
        snprintf(err, errlen, "[admin] listen: memory is short");
        return -1;
    }
    h->fd = fd;
    h->port = port_of(fd);
    h->params = params;
    crowd_init(&h->crowd, base, &http_visitors, descriptors_share(HTTP_CLIENTS), HTTP_HEAD_MAX, fd);
    h->crowd.tls = params->tls;
    *out = h;
    return 0;
}

int http_start(struct http *h, struct query_set *set)
{
    return crowd_let_in(&h->crowd, set);
}

/* Those who came before TLS was wanted, or with certificates that may not be good any more, come anew. */
void http_change(struct http *h, const struct admin_params *params)
{
    if (h->crowd.tls || params->tls) {
        crowd_clear(&h->crowd);
        list_each (pos, next, &h->crowd.answered)
            ((struct client *)list_entry(pos, struct visitor, link))->request.close = true;
    }
    h->crowd.tls = params->tls;
    h->params = params;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    heirloom_drop(h->fd);
    crowd_disperse(&h->crowd);
    free(h);
}
