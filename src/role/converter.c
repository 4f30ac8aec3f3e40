/* The converter's edge: a client is answered once the server that its message names has answered (RFC 8803
 * section 4.2). Its message comes in its SYN, or is the beginning of its stream: then, and if it may be
 * nobody, it is answered first. User data, and the client's end, wait in the connection's receive buffer. */
#include <errno.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "relay/dial_freeze.h"
#include "relay/end_conn.h"
#include "relay/end_socket.h"
#include "role/converter.h"
#include "role/edge_mode.h"

/* A client's SYN is answered after so long even if the server has not: Linux sends its fourth SYN, after
 * three seconds, without MPTCP, and takes the network for one that blocks it. */
#define PATIENCE (2500 * BRAID_MS)

#define PIECES 128 /* that are thrown away at a time */

/* ---- the server is asked ------------------------------------------------------------------------ */

static void server_failed(struct client *cl, int error)
{
    struct converter_verdict v;
    converter_failure(error, cl->opening->conversion.icmp_code, &v);
    converter_refuse(cl, &v);
}

static void on_connected(void *arg, int fd, const struct braid_addr *server)
{
    (void)server;
    struct client *cl = arg;
    struct opening *o = cl->opening;
    struct edge *e = client_edge(cl);
    o->dial = NULL;
    if (end_socket_init(&cl->splice.ends[SERVER_END], e->owner->role.node->sockets, fd) < 0) {
        server_failed(cl, ENOMEM);
        return;
    }
    if (o->conversion.asks_mptcp)
        end_socket_is_mptcp(&cl->splice.ends[SERVER_END]);
    client_connected(cl);
    e->counters.v[EDGE_ACCEPTED]++;
    unproven_leave(&e->pending, &o->conversion.pending);
    converter_answer(cl, fd);
    bool early = !o->accepted && converter_begins_early(cl);
    if (early)
        converter_begin_early(cl);
    else if (!o->accepted)
        braid_conn_accept(client_conn(cl));
    o->accepted = true;
    if (!o->established && !early)
        return;
    client_opened(cl);
    splice_start(&cl->splice);
}

static void on_failed(void *arg, int error)
{
    struct client *cl = arg;
    cl->opening->dial = NULL;
    server_failed(cl, error);
}

/* May free the client. */
static void ask_server(struct client *cl)
{
    struct edge *e = client_edge(cl);
    const struct edge_params *p = e->params;
    struct conversion *co = &cl->opening->conversion;
    const struct targets targets = {.addr = {cl->server}, .n = 1};
    co->icmp_code = -1;
    client_asks(cl);
    struct dial_params params = {.targets = &targets,
                                 .icmp_code = &co->icmp_code,
                                 .probe = co->asks_mptcp,
                                 .timeout = p->connect_timeout ? p->connect_timeout : EDGE_CONNECT_TIMEOUT,
                                 .connected = on_connected,
                                 .failed = on_failed,
                                 .arg = cl};
    cl->opening->dial = dial_new(e->owner->role.node->base, &params);
    if (cl->opening->dial)
        dial_begin(cl->opening->dial);
    else
        server_failed(cl, ENOMEM);
}

static struct dial *resume(struct client *cl, const struct thaw_item *i, struct refs *refs)
{
    const struct dial_params params = {.icmp_code = &cl->opening->conversion.icmp_code,
                                       .connected = on_connected,
                                       .failed = on_failed,
                                       .arg = cl};
    return dial_thaw(i, client_edge(cl)->owner->role.node->base, &params, refs);
}

/* Before the server has answered. */
static void answer_early(struct client *cl)
{
    list_remove(&cl->link);
    list_append(&client_edge(cl)->late, &cl->link);
    cl->opening->accepted = true;
    braid_conn_accept(client_conn(cl));
}

/* Unless it may be nobody and there are too many such, for the time being. May free the client. */
static void ask_for(struct client *cl)
{
    struct edge *e = client_edge(cl);
    struct opening *o = cl->opening;
    struct braid_addr ours, client;
    struct converter_verdict v;
    braid_conn_addrs(client_conn(cl), &ours, &client);
    bool proven = o->established || e->params->convert.cookie != CONVERT_COOKIE_NONE;
    if (!proven && !unproven_enter(&e->owner->unproven, &o->unproven, &client.ip)) {
        if (!o->accepted)
            answer_early(cl);
        return;
    }
    if (!converter_admit(cl, &client.ip, &v)) {
        converter_refuse(cl, &v);
        return;
    }
    if (!o->accepted) {
        o->patience = clock_now() + (e->params->patience ? e->params->patience : PATIENCE);
        role_expire_at(&e->owner->role, o->patience);
    } else {
        list_remove(&cl->link);
        list_append(&e->late, &cl->link);
    }
    ask_server(cl);
}

/* ---- the message comes -------------------------------------------------------------------------- */

/* May free the client. */
static void refuse_message(struct client *cl, enum convert_error error, const uint8_t *bytes, size_t n,
                           bool echo)
{
    struct converter_verdict v = {.counter = EDGE_MALFORMED, .error = error, .n_value = n, .echo = echo};
    memcpy(v.value, bytes, n);
    converter_refuse(cl, &v);
}

/* Nothing is said to whoever does not speak the protocol. */
static void turn_away(struct client *cl)
{
    client_edge(cl)->counters.v[EDGE_MALFORMED]++;
    cl->opening->conversion.stage = CONVERSION_TOLD;
    cl->why = FAREWELL_DENIED;
    if (cl->opening->accepted)
        splice_abort(&cl->splice, CLIENT_END);
    else
        client_refuse(cl, BRAID_REFUSE_RESET);
}

/* The message asks what we can do, and for no server. */
static void only_inform(struct client *cl)
{
    cl->opening->conversion.stage = CONVERSION_TOLD;
    converter_answer(cl, -1);
    converter_limit(cl);
}

static void follow(struct client *cl, const struct convert_message *m)
{
    struct converter_verdict v;
    struct conversion *co = &cl->opening->conversion;
    converter_judge(cl, m, &v);
    braid_conn_consume(client_conn(cl), m->len);
    co->asks_info = m->has_info;
    if (!v.fine) {
        converter_refuse(cl, &v);
    } else if (!m->has_connect) {
        only_inform(cl);
    } else {
        co->stage = CONVERSION_ASKING;
        cl->server = m->connect;
        client_profile_begin(cl, cl->server.port);
        ask_for(cl);
    }
}

/* There is no message yet. */
static void await_message(struct client *cl, const uint8_t *bytes, size_t n)
{
    if (braid_conn_eof(client_conn(cl)))
        refuse_message(cl, CONVERT_MALFORMED_MESSAGE, bytes, n, true);
    else if (!cl->opening->accepted && client_edge(cl)->params->convert.ignore_bare_syn)
        client_refuse(cl, BRAID_REFUSE_SILENTLY);
    else if (!cl->opening->accepted)
        converter_limit(cl);
}

/* May free the client. */
static void read_message(struct client *cl)
{
    static const uint8_t versions[] = {CONVERT_VERSION};
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    struct convert_message m;
    size_t n = end_conn_copy(client_conn(cl), bytes, sizeof(bytes));
    switch (convert_parse(CONVERT_BY_CLIENT, bytes, n, &m)) {
    case CONVERT_MORE:
        await_message(cl, bytes, n);
        break;
    case CONVERT_FOREIGN:
        turn_away(cl);
        break;
    case CONVERT_VERSION_BAD:
        refuse_message(cl, CONVERT_UNSUPPORTED_VERSION, versions, sizeof(versions), false);
        break;
    case CONVERT_MALFORMED:
        refuse_message(cl, CONVERT_MALFORMED_MESSAGE, bytes, m.len, true);
        break;
    case CONVERT_TLV_UNKNOWN:
        refuse_message(cl, CONVERT_UNSUPPORTED_MESSAGE, bytes, m.len, true);
        break;
    case CONVERT_COMPLETE:
        if (m.has_connect || m.has_info)
            follow(cl, &m);
        else
            refuse_message(cl, CONVERT_MALFORMED_MESSAGE, bytes, m.len, true);
    }
}

/* ---- what the core tells ------------------------------------------------------------------------- */

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct edge *e = ctx;
    struct braid_addr ours, client;
    struct converter_verdict v = {.counter = EDGE_UNAUTHORIZED, .error = CONVERT_NOT_AUTHORIZED};
    e->counters.v[EDGE_INCOMING]++;
    braid_conn_addrs(c, &ours, &client);
    struct client *cl = client_new(e, c);
    if (!cl) {
        e->counters.v[EDGE_FAILED]++;
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    if (access_denies(&e->params->access, &client.ip)) {
        e->counters.v[EDGE_DENIED]++;
        client_refuse(cl, BRAID_REFUSE_RESET);
    } else if (converter_allows(e, &client.ip))
        read_message(cl);
    else
        converter_refuse(cl, &v);
}

/* May free the client. */
static void on_established(struct braid_conn *c, void *user)
{
    struct client *cl = client_of_user(user);
    struct opening *o = cl->opening;
    o->established = true;
    unproven_leave(&client_edge(cl)->owner->unproven, &o->unproven);
    switch (o->conversion.stage) {
    case CONVERSION_TOLD:
        converter_speak(cl);
        break;
    case CONVERSION_READING:
        end_conn_established(c, user);
        read_message(cl);
        break;
    case CONVERSION_ASKING:
        if (!cl->connecting)
            converter_speak(cl);
        else if (!o->dial)
            ask_for(cl);
        client_opened(cl);
        end_conn_established(c, user);
    }
}

/* What a client sends that was told all that it will be comes to nothing. */
static void discard(struct braid_conn *c)
{
    struct iovec iov[PIECES];
    unsigned n;
    while ((n = braid_conn_peek(c, iov, PIECES)) > 0) {
        size_t all = 0;
        for (unsigned i = 0; i < n; i++)
            all += iov[i].iov_len;
        braid_conn_consume(c, all);
    }
}

static void on_readable(struct braid_conn *c, void *user)
{
    struct client *cl = client_of_user(user);
    if (!cl->opening || cl->opening->conversion.stage == CONVERSION_ASKING)
        end_conn_readable(c, user);
    else if (cl->opening->conversion.stage == CONVERSION_TOLD)
        discard(c);
    else if (cl->opening->established)
        read_message(cl);
}

static const struct braid_conn_ops converter_ops = {.incoming = on_incoming,
                                                    .established = on_established,
                                                    .readable = on_readable,
                                                    .writable = end_conn_writable,
                                                    .closed = end_conn_closed};

/* ---- time --------------------------------------------------------------------------------------- */

static struct client *first_of(struct list *clients)
{
    return list_entry(clients->next, struct client, link);
}

/* A client was not heard of in time. closed() follows. */
static void give_up(struct client *cl)
{
    struct edge *e = client_edge(cl);
    list_remove(&cl->link);
    list_append(&e->late, &cl->link);
    if (cl->opening->conversion.stage == CONVERSION_READING)
        e->counters.v[EDGE_OVERDUE]++;
    cl->opening->conversion.stage = CONVERSION_TOLD;
    splice_abort(&cl->splice, CLIENT_END);
}

/* All clients of a list have the same time, so the first one's is over first. */
static void expire(struct edge *e, braid_time now)
{
    struct client *cl;
    while (!list_empty(&e->connecting) && (cl = first_of(&e->connecting))->opening->patience <= now)
        answer_early(cl);
    while (!list_empty(&e->limited) && (cl = first_of(&e->limited))->opening->conversion.deadline <= now)
        give_up(cl);
    if (!list_empty(&e->connecting))
        role_expire_at(&e->owner->role, first_of(&e->connecting)->opening->patience);
    if (!list_empty(&e->limited))
        role_expire_at(&e->owner->role, first_of(&e->limited)->opening->conversion.deadline);
}

/* ---- where it listens --------------------------------------------------------------------------- */

static unsigned addresses(const struct edge_params *p, struct braid_addr out[EDGE_LISTENERS])
{
    for (unsigned i = 0; i < p->n_listen; i++)
        out[i] = p->listen[i];
    return p->n_listen;
}

static void listen_text(const struct edge_params *p, char text[EDGE_TEXT])
{
    addr_text(&p->listen[0], text);
}

const struct edge_mode edge_convert = {.name = "convert",
                                       .ops = &converter_ops,
                                       .syn_data = CONVERTER_SYN_DATA,
                                       .expire = expire,
                                       .resume = resume,
                                       .addresses = addresses,
                                       .listen_text = listen_text};
