/* Which messages a converter follows (RFC 8803 sections 6 and 9). What it need not know the server for comes
 * first, what costs most comes last. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/addr.h"
#include "io/log.h"
#include "role/convert_cookie.h"
#include "role/converter.h"
#include "role/edge_here.h"

/* Seconds until a client that we have no room for should ask again. The default of the RFC, half a minute,
 * would keep it from all servers for the sake of one. */
#define WAIT 1

enum {
    KIND_END,
    KIND_NOP,
    KIND_MSS,
    KIND_WSCALE,
    KIND_SACK_OK,
    KIND_SACK,
    KIND_TIMESTAMPS = 8,
    KIND_MPTCP = 30
};

static void refused(struct converter_verdict *v, enum edge_counter counter, enum convert_error error)
{
    v->fine = false;
    v->counter = counter;
    v->error = error;
    v->n_value = 0;
    v->echo = false;
}

bool converter_allows(const struct edge *e, const struct braid_ip *client)
{
    const struct access *a = &e->params->access;
    return reach_first(a->allow, a->n_allow, client, e->params->convert.open);
}

/* ---- cookies ----------------------------------------------------------------------------------- */

/* Without a cookie the client is told its own, which proves its address when it comes back. */
static void miss_cookie(const struct braid_ip *client, struct converter_verdict *v)
{
    refused(v, EDGE_UNAUTHORIZED, CONVERT_MISSING_COOKIE);
    convert_address_cookie(client, time(NULL), v->value);
    v->n_value = CONVERT_ADDRESS_COOKIE;
    v->echo = true;
}

static void judge_cookie(const struct client *cl, const struct convert_message *m,
                         struct converter_verdict *v)
{
    const struct convert_params *p = &client_edge(cl)->params->convert;
    struct braid_addr ours, client;
    enum convert_cookie_verdict is = CONVERT_COOKIE_WRONG;
    braid_conn_addrs(client_conn(cl), &ours, &client);
    if (p->cookie == CONVERT_COOKIE_NONE)
        return;
    if (p->cookie == CONVERT_COOKIE_ADDRESS && !m->has_cookie) {
        miss_cookie(&client.ip, v);
        return;
    }
    if (p->cookie == CONVERT_COOKIE_ADDRESS)
        is = convert_address_check(&client.ip, time(NULL), m->cookie.at, m->cookie.n);
    else if (m->has_cookie)
        is = convert_psk_check(p->psk, &m->connect, time(NULL), m->cookie.at, m->cookie.n);
    if (is == CONVERT_COOKIE_GOOD)
        return;
    if (is == CONVERT_COOKIE_FULL) {
        refused(v, EDGE_BUSY, CONVERT_RESOURCE_EXCEEDED);
        v->value[v->n_value++] = WAIT;
        return;
    }
    refused(v, EDGE_UNAUTHORIZED, CONVERT_NOT_AUTHORIZED);
}

/* ---- servers ----------------------------------------------------------------------------------- */

/* Our connections are this machine's own: to its addresses, to what it trusts by its address, and back into
 * the TUN. */
static bool reaches(struct edge *e, const struct braid_ip *ip)
{
    struct edges *es = e->owner;
    return !reach_is_special(ip, edges_are_on(es, ip)) && !edges_have(es, ip) &&
           reach_allows(e->params->reach, e->params->n_reach, ip, false);
}

static void judge_server(struct client *cl, const struct convert_message *m, struct converter_verdict *v)
{
    char text[ADDR_TEXT];
    if (reaches(client_edge(cl), &m->connect.ip))
        return;
    log_debug("edge %s: a client asks for %s, which is not to be reached", client_edge(cl)->params->name,
              addr_text(&m->connect, text));
    refused(v, EDGE_FORBIDDEN, CONVERT_NOT_AUTHORIZED);
}

/* ---- TCP options --------------------------------------------------------------------------------- */

/* Section 7 has them ignored. */
static bool is_ignored(uint8_t kind)
{
    return kind == KIND_MSS || kind == KIND_WSCALE || kind == KIND_SACK;
}

/* Those that the kernel sends by itself. It makes their values itself as well, so none may come with one. */
static bool is_supported(const struct convert_option *o)
{
    return o->value.n == 0 &&
           (o->kind == KIND_SACK_OK || o->kind == KIND_TIMESTAMPS || o->kind == KIND_MPTCP);
}

static void judge_options(struct client *cl, const struct convert_message *m, struct converter_verdict *v)
{
    struct convert_bytes list = m->connect_options;
    struct convert_option o;
    while (convert_option_next(&list, &o)) {
        if (is_ignored(o.kind) || is_supported(&o))
            continue;
        if (v->fine)
            refused(v, EDGE_MALFORMED, CONVERT_UNSUPPORTED_OPTION);
        if (!memchr(v->value, o.kind, v->n_value))
            v->value[v->n_value++] = o.kind;
    }
    struct conversion *co = &cl->opening->conversion;
    co->is_extended = m->connect_options.n > 0;
    co->asks_mptcp = convert_option_has(m->connect_options, KIND_MPTCP);
}

/* ---- all of it ------------------------------------------------------------------------------------ */

bool converter_admit(struct client *cl, const struct braid_ip *client, struct converter_verdict *v)
{
    if (unproven_enter(&client_edge(cl)->pending, &cl->opening->conversion.pending, client))
        return true;
    refused(v, EDGE_BUSY, CONVERT_RESOURCE_EXCEEDED);
    v->value[v->n_value++] = WAIT;
    return false;
}

void converter_judge(struct client *cl, const struct convert_message *m, struct converter_verdict *v)
{
    v->fine = true;
    v->n_value = 0;
    judge_cookie(cl, m, v);
    if (!m->has_connect)
        return;
    if (v->fine)
        judge_server(cl, m, v);
    if (v->fine)
        judge_options(cl, m, v);
}

void converter_failure(int error, int icmp_code, struct converter_verdict *v)
{
    bool is_reset = error == ECONNREFUSED || error == ECONNRESET;
    if (icmp_code >= 0) {
        refused(v, is_reset ? EDGE_REFUSED : EDGE_UNREACHABLE, CONVERT_DESTINATION_UNREACHABLE);
        v->value[v->n_value++] = (uint8_t)icmp_code;
    } else if (is_reset) {
        refused(v, EDGE_REFUSED, CONVERT_CONNECTION_RESET);
    } else {
        bool is_ours = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
                       error == EAGAIN || error == EADDRNOTAVAIL;
        refused(v, is_ours ? EDGE_FAILED : EDGE_UNREACHABLE,
                is_ours ? CONVERT_RESOURCE_EXCEEDED : CONVERT_NETWORK_FAILURE);
        v->value[v->n_value++] = WAIT;
    }
}
