/* HTTP requests become queries; documents that come in parts are sent in chunks, each when the one before has
 * left. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "admin/guard.h"
#include "admin/http.h"
#include "admin/json.h"
#include "admin/request.h"
#include "admin/response.h"
#include "admin/visitor.h"
#include "base/addr.h"
#include "io/descriptors.h"
#include "io/log.h"
#include "io/sockaddr.h"

#define HTTP_BACKLOG         128
#define HTTP_CLIENTS         64   /* at the same time */
#define HTTP_LISTS           8    /* of them, those who are sent lists of connections */
#define HTTP_HEAD_MAX        8192 /* bytes of a request */
#define HTTP_REQUEST_SECONDS 15   /* until a request is whole, or the next one is */
#define HTTP_ANSWER_SECONDS  60   /* until its answer has left */

struct http {
    struct event_base *base;
    struct evconnlistener *listener;
    struct guard *guard;
    struct query_set *set;
    struct crowd crowd;
    unsigned n_lists;
    int fd; /* -1: the listener has it */
    uint16_t port;
    bool loopback;
};

struct client {
    struct visitor visitor;
    struct http *http;
    struct request request;
    size_t head_bytes;
    struct query *query; /* NULL: none, or it is over */
    const char *type;
    bool list;    /* counted in n_lists */
    bool started; /* the status line and a part are sent */
    bool over;    /* nothing will be added to the output */
};

static const char type_json[] = "application/json";
static const char type_metrics[] = "text/plain; version=0.0.4; charset=utf-8";

static const struct {
    const char *path; /* a path that ends with '/' is followed by a connection's id */
    enum braid_command command;
    enum query_format format;
} routes[] = {
    {"/metrics", BRAID_COMMAND_STATUS, QUERY_METRICS},
    {"/api/v1/status", BRAID_COMMAND_STATUS, QUERY_JSON},
    {"/api/v1/counters", BRAID_COMMAND_COUNTERS, QUERY_JSON},
    {"/api/v1/bypass", BRAID_COMMAND_BYPASS, QUERY_JSON},
    {"/api/v1/algorithms", BRAID_COMMAND_ALGORITHMS, QUERY_JSON},
    {"/api/v1/paths", BRAID_COMMAND_PATHS, QUERY_JSON},
    {"/api/v1/connections", BRAID_COMMAND_CONNECTIONS, QUERY_JSON},
    {"/api/v1/connections/", BRAID_COMMAND_SHOW, QUERY_JSON},
};

/* ---- replies ----------------------------------------------------------------------------------------------
 */

static void put_head(struct client *cl, int code, const char *type, const size_t *length)
{
    struct doc d = {.buf = visitor_output(&cl->visitor)};
    response_head(&d, &cl->request, code, type, length);
}

static void put_document(struct client *cl, int code, const char *type, struct evbuffer *body)
{
    size_t length = evbuffer_get_length(body);
    cl->over = true;
    put_head(cl, code, type, &length);
    if (cl->request.method != REQUEST_HEAD)
        evbuffer_add_buffer(visitor_output(&cl->visitor), body);
}

static void reply_error(struct client *cl, int code, const char *message)
{
    struct evbuffer *body = evbuffer_new();
    struct doc d = {.buf = body};
    struct json j = {.doc = &d};
    if (!body) {
        cl->http->crowd.ops->gone(&cl->visitor);
        return;
    }
    json_object(&j, NULL);
    json_string(&j, "error", message);
    json_end(&j);
    doc_puts(&d, "\n");
    put_document(cl, code, type_json, body);
    evbuffer_free(body);
}

static void query_is_over(struct client *cl)
{
    cl->query = NULL;
    cl->http->n_lists -= cl->list;
    cl->list = false;
}

static void client_free(struct client *cl)
{
    if (cl->query)
        query_cancel(cl->query);
    query_is_over(cl);
    visitor_close(&cl->visitor);
    free(cl);
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

static void on_part(void *ctx, struct evbuffer *part, bool last)
{
    struct client *cl = ctx;
    if (last)
        query_is_over(cl);
    if (last && !cl->started) {
        put_document(cl, 200, cl->type, part);
        return;
    }
    if (!cl->started)
        put_head(cl, 200, cl->type, NULL);
    cl->started = true;
    cl->over = last;
    if (cl->request.method == REQUEST_HEAD) {
        if (cl->query)
            query_cancel(cl->query);
        query_is_over(cl);
        cl->over = true;
        return;
    }
    put_chunk(cl, part);
    if (last && !cl->request.http_1_0)
        evbuffer_add(visitor_output(&cl->visitor), "0\r\n\r\n", 5);
}

static void on_failed(void *ctx, enum query_failure why)
{
    struct client *cl = ctx;
    query_is_over(cl);
    if (cl->started) /* no last chunk: the client sees that the document is not whole */
        client_free(cl);
    else
        reply_error(cl, why == QUERY_NOT_FOUND ? 404 : 503, query_failure_text(why));
}

static const struct query_sink http_sink = {.part = on_part, .failed = on_failed};

/* ---- requests ---------------------------------------------------------------------------------------------
 */

/* Decimal digits only. */
static bool parse_id(const char *text, uint64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0;
}

/* False: there is nothing at this path. */
static bool route(const char *path, struct query_spec *spec)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        size_t len = strlen(routes[i].path);
        bool prefix = routes[i].path[len - 1] == '/';
        *spec = (struct query_spec){.command = routes[i].command, .format = routes[i].format};
        if (prefix ? strncmp(path, routes[i].path, len) == 0 && parse_id(path + len, &spec->id)
                   : strcmp(path, routes[i].path) == 0)
            return true;
    }
    return false;
}

static void begin_query(struct client *cl, const struct query_spec *spec)
{
    struct http *h = cl->http;
    enum query_failure why = QUERY_BUSY;
    bool list = spec->command == BRAID_COMMAND_CONNECTIONS;
    if (!list || h->n_lists < HTTP_LISTS)
        cl->query = query_start(h->set, spec, &http_sink, cl, &why);
    if (!cl->query) {
        reply_error(cl, 503, query_failure_text(why));
        return;
    }
    cl->list = list;
    h->n_lists += list;
    cl->type = spec->format == QUERY_METRICS ? type_metrics : type_json;
}

static void answer(struct client *cl)
{
    struct request *r = &cl->request;
    struct query_spec spec;
    r->close |= r->body; /* which is not read */
    visitor_answering(&cl->visitor, HTTP_ANSWER_SECONDS);
    if (cl->http->loopback && *r->host && !request_host_is_local(r))
        reply_error(cl, 403, "the Host header must be an address or localhost");
    else if (!route(r->path, &spec))
        reply_error(
            cl, 404,
            "there is nothing here; there are /metrics, /api/v1/status, /api/v1/connections, "
            "/api/v1/connections/ID, /api/v1/counters, /api/v1/bypass, /api/v1/algorithms and /api/v1/paths");
    else if (r->method == REQUEST_OTHER)
        reply_error(cl, 405, "only GET and HEAD are allowed");
    else if (r->body)
        reply_error(cl, 413, "there is no use for a request's content here");
    else
        begin_query(cl, &spec);
}

static void refuse(struct client *cl, int code)
{
    static const char *const messages[] = {"this is not a request of HTTP/1.1 or HTTP/1.0",
                                           "the request is too long",
                                           "only HTTP/1.1 and HTTP/1.0 are spoken"};
    cl->request.close = true;
    visitor_answering(&cl->visitor, HTTP_ANSWER_SECONDS);
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
    cl->started = cl->over = false;
    visitor_asking(&cl->visitor, HTTP_REQUEST_SECONDS);
    on_readable(&cl->visitor);
}

static void on_written(struct visitor *v)
{
    struct client *cl = (struct client *)v;
    if (cl->over && cl->request.close)
        visitor_farewell(v);
    else if (cl->over)
        next_request(cl);
    else if (cl->query && cl->started)
        query_more(cl->query);
}

static void on_gone(struct visitor *v)
{
    client_free((struct client *)v);
}

static const struct visitor_ops http_visitors = {
    .readable = on_readable, .written = on_written, .gone = on_gone};

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
                      void *arg)
{
    (void)listener;
    (void)sa;
    (void)len;
    struct http *h = arg;
    struct client *cl = calloc(1, sizeof(*cl));
    if (!cl) {
        close(fd);
        return;
    }
    cl->http = h;
    if (visitor_open(&h->crowd, &cl->visitor, fd, HTTP_REQUEST_SECONDS) < 0)
        free(cl);
}

/* ---- opening and closing ----------------------------------------------------------------------------------
 */

/* -1 with errno. */
static int bind_tcp(const struct braid_addr *a, uint16_t *port)
{
    struct sockaddr_storage ss;
    struct braid_addr bound;
    socklen_t len = sockaddr_from(a, &ss);
    int one = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, HTTP_BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&ss, &len) < 0 ||
        sockaddr_to((struct sockaddr *)&ss, &bound) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *port = bound.port;
    return fd;
}

static bool is_loopback(const struct braid_ip *ip)
{
    static const struct braid_ip loopback6 = {.b = {[15] = 1}};
    return ip_is_v4(ip) ? ip->b[12] == 127 : ip_equal(ip, &loopback6);
}

int http_open(const struct braid_addr *listen, struct event_base *base, struct http **out, char *err,
              size_t errlen)
{
    char text[ADDR_TEXT];
    uint16_t port;
    int fd = bind_tcp(listen, &port);
    if (fd < 0) {
        snprintf(err, errlen,
                 "[admin] listen: cannot listen on %s (%s); give a free port of an address of this host",
                 addr_text(listen, text), strerror(errno));
        return -1;
    }
    struct http *h = calloc(1, sizeof(*h));
    if (!h) {
        close(fd);
        snprintf(err, errlen, "[admin] listen: memory is short");
        return -1;
    }
    *h = (struct http){.base = base, .fd = fd, .port = port, .loopback = is_loopback(&listen->ip)};
    crowd_init(&h->crowd, base, &http_visitors, descriptors_share(HTTP_CLIENTS), HTTP_HEAD_MAX);
    if (!h->loopback)
        log_warn("[admin] listen: %s is not a loopback address: everybody who reaches it sees, without a "
                 "password, "
                 "who is connected to whom",
                 addr_text(listen, text));
    *out = h;
    return 0;
}

int http_start(struct http *h, struct query_set *set)
{
    h->set = set;
    h->listener =
        evconnlistener_new(h->base, on_accept, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, h->fd);
    if (!h->listener)
        return -1;
    h->fd = -1;
    h->guard = guard_new(h->base, h->listener);
    return h->guard ? 0 : -1;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    crowd_disperse(&h->crowd);
    guard_free(h->guard);
    if (h->listener)
        evconnlistener_free(h->listener);
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}
