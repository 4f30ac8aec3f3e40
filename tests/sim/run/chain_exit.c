/* The exit of a chain: as a converter (RFC 8803) or an explicit edge it joins connections that come over the
 * uplinks with plain ones to the server. In the daemon those are the kernel's; here they are the core's, and
 * the rest is as in src/role/converter.c: the server is asked before the client is answered, but for no
 * longer than the client has patience; success is said behind the third ACK, an error with a plain SYN/ACK,
 * or in the stream of who was answered. */
#include "chain.h"

#include <stdlib.h>
#include <string.h>
#include "../handover.h"
#include "base/addr.h"
#include "relay/end_conn.h"
#include "relay/splice.h"
#include "wire/convert.h"

#define NAME     "exit" /* of its listeners */
#define PATIENCE (2500 * BRAID_MS)
#define REST     2 /* seconds that a converter that is short of resources wants to be left alone */

enum { WAN_SIDE, SERVER_SIDE };

struct passage {
    struct list node; /* in chain.passages */
    struct world *world;
    uint64_t id;
    struct splice splice;
    struct braid_conn *wan;    /* until it is an end of the splice, and if it never is */
    struct braid_conn *server; /* the same; NULL: not asked yet */
    struct braid_addr from;    /* of the CPE's connection, as the CPE has it */
    struct braid_addr out;     /* of the one to the server, at our end; port 0: there is none */
    struct braid_addr meant;   /* the server */
    enum converter_manners manners;
    bool heard, accepted, established, spliced;
    bool refused;                        /* or told what it has asked: nothing follows */
    uint8_t answer[CONVERT_MESSAGE_MAX]; /* to be said as soon as it can be */
    size_t answer_len;
};

static void passage_free(struct passage *p)
{
    list_remove(&p->node);
    free(p);
}

/* NULL: it is over. */
static struct passage *passage_by_id(const struct world *w, uint64_t id)
{
    list_each (n, tmp, &w->chain->passages) {
        struct passage *p = list_entry(n, struct passage, node);

        if (p->id == id)
            return p;
    }
    return NULL;
}

/* ---- the splice -------------------------------------------------------------------- */

static void on_over(struct splice *s)
{
    passage_free(list_entry(s, struct passage, splice));
}

static void on_moved(struct splice *s, unsigned from, size_t n)
{
    (void)s;
    (void)from;
    (void)n;
}

static void on_failed(struct splice *s, unsigned end)
{
    (void)s;
    (void)end;
}

static void on_gone(struct splice *s, unsigned end, enum braid_close why)
{
    (void)s;
    (void)end;
    (void)why;
}

static const struct splice_events splice_events = {
    .moved = on_moved, .failed = on_failed, .gone = on_gone, .over = on_over};
static struct splice_owner owner = {.events = &splice_events};

static void speak(struct passage *p, struct braid_conn *wan)
{
    if (p->answer_len > 0 && braid_conn_write(wan, p->answer, p->answer_len) != (ssize_t)p->answer_len)
        sim_fail(p->world, "there is no room for the converter's message");
    p->answer_len = 0;
    if (p->refused)
        braid_conn_shutdown(wan);
}

/* The client's third ACK is here: both ends may be used. */
static void begin_to_move(struct passage *p)
{
    struct end *wan = &p->splice.ends[WAN_SIDE], *server = &p->splice.ends[SERVER_SIDE];

    speak(p, wan->conn);
    end_conn_established(wan->conn, wan);
    if (!server->gone)
        end_conn_established(server->conn, server);
}

static void on_wan_end_established(struct braid_conn *c, void *user)
{
    struct end *e = user;
    struct world *w;

    (void)c;
    if (!e)
        return;
    w = list_entry(splice_of(e), struct passage, splice)->world;
    begin_to_move(list_entry(splice_of(e), struct passage, splice));
    chain_server_settle(w);
}

static const struct braid_conn_ops end_ops = {.established = on_wan_end_established,
                                              .readable = end_conn_readable,
                                              .writable = end_conn_writable,
                                              .closed = end_conn_closed};

/* ---- the server is asked ----------------------------------------------------------- */

static void answer_client(struct passage *p)
{
    p->accepted = true;
    braid_conn_accept(p->wan);
}

static void on_server_established(struct braid_conn *c, void *user)
{
    struct passage *p = user;
    struct convert_writer w;

    (void)c;
    if (p->world->s.chain.convert) {
        convert_begin(&w, p->answer, sizeof(p->answer));
        p->answer_len = convert_end(&w);
    }
    if (!p->accepted)
        answer_client(p);
    p->spliced = true;
    end_conn_init(&p->splice.ends[SERVER_SIDE], p->server);
    end_conn_init(&p->splice.ends[WAN_SIDE], p->wan);
    braid_conn_set_ops(p->server, &end_ops, &p->splice.ends[SERVER_SIDE]);
    braid_conn_set_ops(p->wan, &end_ops, &p->splice.ends[WAN_SIDE]);
    if (p->established)
        begin_to_move(p);
}

static void refuse(struct passage *p, enum convert_error error, enum braid_refusal refusal)
{
    static const uint8_t value[] = {REST};
    struct convert_writer w;

    p->refused = true;
    if (!p->world->s.chain.convert) {
        if (p->accepted)
            braid_conn_abort(p->wan);
        else
            braid_conn_refuse(p->wan, refusal);
        if (!p->accepted)
            passage_free(p);
        return;
    }
    convert_begin(&w, p->answer, sizeof(p->answer));
    convert_put_error(&w, error, value, error == CONVERT_RESOURCE_EXCEEDED ? 1 : 0);
    p->answer_len = convert_end(&w);
    if (!p->accepted) {
        braid_conn_accept_with(p->wan, p->answer, p->answer_len);
        p->accepted = true;
        p->answer_len = 0;
    } else if (p->established) {
        speak(p, p->wan);
    }
}

static void on_server_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct passage *p = user;

    (void)c;
    p->server = NULL;
    if (why == BRAID_CLOSE_REFUSED)
        refuse(p, CONVERT_CONNECTION_RESET, BRAID_REFUSE_RESET);
    else
        refuse(p, CONVERT_DESTINATION_UNREACHABLE, BRAID_REFUSE_UNREACHABLE);
}

static const struct braid_conn_ops server_ops = {.established = on_server_established,
                                                 .closed = on_server_closed};

static void ask_server(struct passage *p)
{
    struct sim_core *sc = chain_exit_core(p->world);
    struct braid_connect_params params = {.local.ip = sim_server_ip(&p->world->s, 0),
                                          .remote = p->meant,
                                          .cc = p->world->s.cc[SIM_SERVER],
                                          .sched = p->world->s.sched[SIM_SERVER],
                                          .plain = true,
                                          .ops = &server_ops,
                                          .user = p};
    struct braid_addr remote;

    p->server = braid_connect(sc->core, &params, p->world->time.now);
    if (!p->server) {
        sim_fail(p->world, "the exit cannot connect");
        return;
    }
    braid_conn_addrs(p->server, &p->out, &remote);
    sim_core_touch(sc);
}

static void ask_event(void *ctx, uint64_t arg)
{
    struct passage *p = ((struct world *)ctx)->chain ? passage_by_id(ctx, arg) : NULL;

    if (p)
        ask_server(p);
}

static void patience_event(void *ctx, uint64_t arg)
{
    struct passage *p = ((struct world *)ctx)->chain ? passage_by_id(ctx, arg) : NULL;

    if (!p || p->accepted)
        return;
    answer_client(p);
    sim_core_touch(chain_exit_core(p->world));
}

static void after(struct passage *p, braid_time time, void (*event)(void *ctx, uint64_t arg))
{
    vtime_at(&p->world->time, p->world->time.now + time, event, p->world, p->id);
}

/* Whom the client wants is known. */
static void heed(struct passage *p)
{
    p->heard = true;
    if (p->manners != CONVERTER_SERVES) {
        refuse(p, p->manners == CONVERTER_DENIES ? CONVERT_NOT_AUTHORIZED : CONVERT_RESOURCE_EXCEEDED,
               BRAID_REFUSE_RESET);
        return;
    }
    if (!p->accepted)
        after(p, PATIENCE, patience_event);
    if (p->world->s.chain.converter_delay > 0)
        after(p, p->world->s.chain.converter_delay, ask_event);
    else
        ask_server(p);
}

/* The client asks whether somebody is there, and for no server. */
static void inform(struct passage *p)
{
    static const uint8_t supported[] = {30};
    struct convert_writer w;

    p->heard = p->refused = true;
    convert_begin(&w, p->answer, sizeof(p->answer));
    convert_put_supported(&w, supported, sizeof(supported));
    p->answer_len = convert_end(&w);
    if (!p->accepted)
        answer_client(p);
    else if (p->established)
        speak(p, p->wan);
}

/* ---- the client -------------------------------------------------------------------- */

/* A message that has not come with the SYN comes in the stream. */
static void hear(struct passage *p)
{
    uint8_t bytes[CONVERT_MESSAGE_MAX];
    struct iovec iov[64];
    struct convert_message m;
    size_t len = 0;

    for (unsigned i = 0, n = braid_conn_peek(p->wan, iov, 64); i < n && len < sizeof(bytes); i++) {
        size_t take = iov[i].iov_len < sizeof(bytes) - len ? iov[i].iov_len : sizeof(bytes) - len;

        memcpy(bytes + len, iov[i].iov_base, take);
        len += take;
    }
    switch (convert_parse(CONVERT_BY_CLIENT, bytes, len, &m)) {
    case CONVERT_COMPLETE:
        p->meant = m.connect;
        braid_conn_consume(p->wan, m.len);
        if (m.has_connect)
            heed(p);
        else
            inform(p);
        break;
    case CONVERT_MORE:
        if (!p->accepted)
            answer_client(p);
        break;
    default:
        sim_fail(p->world, "the converter does not understand the CPE");
    }
}

static void on_wan_established(struct braid_conn *c, void *user)
{
    struct passage *p = user;

    (void)c;
    p->established = true;
    speak(p, p->wan);
}

/* What still comes behind an error is thrown away, or a RST would overtake it. */
static void on_wan_readable(struct braid_conn *c, void *user)
{
    struct passage *p = user;

    if (p->refused)
        braid_conn_consume(c, braid_conn_readable(c));
    else if (!p->heard)
        hear(p);
}

static void on_wan_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct passage *p = user;

    (void)c;
    (void)why;
    if (p->server)
        braid_conn_release(p->server);
    passage_free(p);
}

static void on_incoming(void *ctx, struct braid_conn *c);

static const struct braid_conn_ops wan_ops = {.incoming = on_incoming,
                                              .established = on_wan_established,
                                              .readable = on_wan_readable,
                                              .closed = on_wan_closed};

static enum converter_manners manners_of(const struct world *w, const struct braid_addr *local)
{
    for (unsigned i = 0; i < w->s.n_addrs; i++) {
        struct braid_ip ip = sim_server_ip(&w->s, i);

        if (ip_equal(&ip, &local->ip))
            return w->s.chain.manners[i];
    }
    return CONVERTER_SERVES;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct world *w = ctx;
    struct passage *p = calloc(1, sizeof(*p));
    struct braid_addr local;

    if (!p)
        abort();
    p->world = w;
    p->id = ++w->chain->passages_ever;
    p->wan = c;
    braid_conn_addrs(c, &local, &p->from);
    boxes_unmap(w, &p->from);
    p->manners = manners_of(w, &local);
    p->meant = (struct braid_addr){sim_legacy_ip(&w->s), SIM_PORT};
    splice_init(&p->splice, &owner);
    list_append(&w->chain->passages, &p->node);
    braid_conn_set_user(c, p);
    if (w->s.chain.convert)
        hear(p);
    else
        heed(p);
}

/* ---- life -------------------------------------------------------------------------- */

static void listen_on(struct world *w, unsigned addr)
{
    struct braid_listen_params p = {.addr = {sim_server_ip(&w->s, addr), SIM_PORT},
                                    .name = NAME,
                                    .clients = BRAID_CLIENTS_ANY,
                                    .cc = w->s.cc[SIM_SERVER],
                                    .sched = w->s.sched[SIM_SERVER],
                                    .pm = w->s.pm[SIM_SERVER],
                                    .checksum = w->s.checksum[SIM_SERVER],
                                    .syn_data = w->s.app[SIM_SERVER].syn_data,
                                    .ops = &wan_ops,
                                    .ctx = w};

    if (w->s.chain.manners[addr] != CONVERTER_ABSENT && !braid_listen(chain_exit_core(w)->core, &p))
        sim_fail(w, "braid_listen failed");
}

static void listen_everywhere(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_addrs && !w->failed; i++)
        if (i == 0 || w->s.chain.convert)
            listen_on(w, i);
}

bool chain_exit_begin(struct world *w)
{
    list_init(&w->chain->passages);
    listen_everywhere(w);
    return !w->failed;
}

const char *chain_exit_listens(struct world *w)
{
    listen_everywhere(w);
    return NAME;
}

void chain_exit_moved(struct world *w, const struct sim_moved *m)
{
    list_each (n, tmp, &w->chain->passages) {
        struct passage *p = list_entry(n, struct passage, node);

        sim_follow(m, &p->wan);
        sim_follow(m, &p->server);
        for (unsigned i = 0; i < 2 && p->spliced; i++)
            if (!p->splice.ends[i].gone)
                sim_follow(m, &p->splice.ends[i].conn);
    }
}

static void drop(struct passage *p)
{
    if (p->spliced) {
        splice_drop(&p->splice);
    } else {
        braid_conn_release(p->wan);
        if (p->server)
            braid_conn_release(p->server);
    }
    passage_free(p);
}

void chain_exit_end(struct world *w)
{
    while (!list_empty(&w->chain->passages))
        drop(list_entry(w->chain->passages.next, struct passage, node));
}

/* ---- what happens to it ------------------------------------------------------------ */

bool chain_exit_from(const struct world *w, const struct braid_addr *out, struct braid_addr *from)
{
    list_each (n, tmp, &w->chain->passages) {
        const struct passage *p = list_entry(n, struct passage, node);

        if (addr_equal(&p->out, out)) {
            *from = p->from;
            return true;
        }
    }
    return false;
}

bool chain_exit_abort(struct world *w, uint16_t port)
{
    list_each (n, tmp, &w->chain->passages) {
        struct passage *p = list_entry(n, struct passage, node);
        struct braid_addr device;

        if (!p->spliced || !chain_cpe_carries(w, &p->from, &device) || device.port != port)
            continue;
        sim_trace(w, "the exit ends what it relays for port %u", port);
        splice_abort(&p->splice, rng_chance(&w->rng, 0.5) ? WAN_SIDE : SERVER_SIDE);
        sim_core_touch(chain_exit_core(w));
        return true;
    }
    return false;
}

static void back_event(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    (void)arg;
    if (!w->chain)
        return;
    sim_trace(w, "the exit is back");
    w->chain->away = false;
}

void chain_exit_die(struct world *w, braid_time away)
{
    sim_trace(w, "the exit dies");
    chain_exit_end(w);
    w->chain->away = w->chain->died = true;
    if (!sim_core_restart(chain_exit_core(w)))
        sim_fail(w, "the exit cannot be made anew");
    listen_everywhere(w);
    if (away > 0)
        vtime_at(&w->time, w->time.now + away, back_event, w, 0);
}
