/* Sockets of visitors, their deadlines and their questions. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include "admin/visitor.h"

#define FAREWELL  2  /* seconds */
#define HANDSHAKE 10 /* likewise, for the whole of it */

/* ---- the socket
 * --------------------------------------------------------------------------------------------
 */

static void on_readable(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct visitor *v = arg;
    v->crowd->ops->readable(v);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct visitor *v = arg;
    if (evbuffer_get_length(visitor_output(v)) > 0)
        return; /* with TLS we are told late, and more may have come since */
    if (v->over)
        v->crowd->ops->answered(v);
    else if (v->query && v->started)
        query_more(v->query);
    else if (v->crowd->ops->written)
        v->crowd->ops->written(v);
}

static void handshake_is_over(struct visitor *v)
{
    v->crowd->n_shaking -= v->shaking;
    v->shaking = false;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct visitor *v = arg;
    if (!(what & BEV_EVENT_CONNECTED)) {
        visitor_free(v);
        return;
    }
    handshake_is_over(v);
    visitor_asking(v);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    visitor_free(arg);
}

static void set_deadline(struct visitor *v, int seconds, struct list *list)
{
    struct timeval limit = {.tv_sec = seconds};
    list_remove(&v->link);
    list_append(list, &v->link);
    event_add(v->deadline, &limit);
}

/* With TLS, what is written leaves at once, before the rest of an answer is there: so callbacks wait until we
 * are back in the loop. A client that closes without saying so has said all that it wanted (RFC 9112 section
 * 9.8). */
static struct bufferevent *speak_tls(struct crowd *c, int fd)
{
    SSL *ssl = SSL_new(c->tls);
    struct bufferevent *bev =
        ssl ? bufferevent_openssl_socket_new(c->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
            : NULL;
    if (bev)
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

static void begin_handshake(struct visitor *v)
{
    v->shaking = true;
    v->crowd->n_shaking++;
    set_deadline(v, HANDSHAKE, &v->crowd->shaking);
}

struct visitor *visitor_new(struct crowd *c, int fd)
{
    struct visitor *v = calloc(1, c->ops->size);
    if (v) {
        v->bev = c->tls ? speak_tls(c, fd) : bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
        v->deadline = v->bev ? evtimer_new(c->base, on_deadline, v) : NULL;
    }
    if (!v || !v->deadline) {
        if (v && v->bev)
            bufferevent_free(v->bev);
        else
            close(fd);
        free(v);
        return NULL;
    }
    list_init(&v->link);
    v->crowd = c;
    c->n++;
    bufferevent_setwatermark(v->bev, EV_READ, 0, c->line_max);
    bufferevent_setcb(v->bev, on_readable, on_written, on_event, v);
    bufferevent_enable(v->bev, EV_WRITE);
    if (c->tls)
        begin_handshake(v);
    else
        visitor_asking(v);
    return v;
}

void visitor_free(struct visitor *v)
{
    visitor_ask_no_more(v);
    handshake_is_over(v);
    if (v->crowd->ops->leaves)
        v->crowd->ops->leaves(v);
    event_free(v->deadline);
    bufferevent_free(v->bev);
    list_remove(&v->link);
    v->crowd->n--;
    free(v);
}

void visitor_answering(struct visitor *v)
{
    bufferevent_disable(v->bev, EV_READ);
    set_deadline(v, v->crowd->ops->answering_s, &v->crowd->answered);
}

void visitor_asking(struct visitor *v)
{
    bufferevent_enable(v->bev, EV_READ);
    set_deadline(v, v->crowd->ops->asking_s, &v->crowd->asking);
}

static void throw_away(struct bufferevent *bev, void *arg)
{
    (void)arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    evbuffer_drain(in, evbuffer_get_length(in));
}

void visitor_listening(struct visitor *v)
{
    throw_away(v->bev, NULL);
    bufferevent_setcb(v->bev, throw_away, on_written, on_event, v);
    bufferevent_enable(v->bev, EV_READ);
    event_del(v->deadline);
}

void visitor_farewell(struct visitor *v)
{
    struct ssl_st *ssl = bufferevent_openssl_get_ssl(v->bev); /* NULL: it is not one of TLS */
    if (ssl)
        SSL_shutdown(ssl);
    shutdown(bufferevent_getfd(v->bev), SHUT_WR);
    throw_away(v->bev, NULL);
    bufferevent_setcb(v->bev, throw_away, NULL, on_event, v);
    bufferevent_enable(v->bev, EV_READ);
    set_deadline(v, FAREWELL, &v->crowd->asking);
}

void visitor_flush(struct visitor *v)
{
    struct evbuffer *out = bufferevent_get_output(v->bev);
    evbuffer_unfreeze(out, 1); /* a bufferevent lets nobody else take from its output */
    evbuffer_write(out, bufferevent_getfd(v->bev));
}

struct evbuffer *visitor_input(const struct visitor *v)
{
    return bufferevent_get_input(v->bev);
}

struct evbuffer *visitor_output(const struct visitor *v)
{
    return bufferevent_get_output(v->bev);
}

/* ---- the question
 * ------------------------------------------------------------------------------------------
 */

/* v may be gone when ops->part returns. */
static void on_part(void *ctx, struct evbuffer *part, bool last)
{
    struct visitor *v = ctx;
    if (last)
        v->query = NULL;
    v->crowd->ops->part(v, part, last);
}

static void on_failed(void *ctx, enum query_failure why)
{
    struct visitor *v = ctx;
    v->query = NULL;
    v->crowd->ops->failed(v, why);
}

void visitor_ask(struct visitor *v, const struct command_call *call)
{
    static const struct query_sink sink = {.part = on_part, .failed = on_failed};
    enum query_failure why;
    v->query = query_start(v->crowd->queries, call, &sink, v, &why);
    if (!v->query)
        v->crowd->ops->failed(v, why);
}

void visitor_ask_no_more(struct visitor *v)
{
    if (v->query)
        query_cancel(v->query);
    v->query = NULL;
}
