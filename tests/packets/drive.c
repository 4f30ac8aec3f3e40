/* The core and its surroundings: virtual time, what it sends, what the script sends it. */
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "mptcp/versions.h"
#include "../sim/idsn.h"
#include "pkt.h"

#define VNET_HEADER 12
#define PACKET_ROOM (PACKET_HEADER_MAX + 65536)

struct flow *script_flow(struct script *s, const char *name)
{
    for (unsigned i = 0; i < s->n_flows; i++)
        if (strcmp(s->flows[i].name, name) == 0)
            return &s->flows[i];
    fail(s, "there is no flow \"%s\"", name);
}

static struct flow *flow_of(struct script *s, const struct wire_packet *p)
{
    for (unsigned i = 0; i < s->n_flows; i++)
        if (addr_equal(&s->flows[i].core, &p->src) && addr_equal(&s->flows[i].peer, &p->dst))
            return &s->flows[i];
    return NULL;
}

static void learn(struct script *s, struct flow *f, const struct wire_packet *p)
{
    const struct wire_mptcp *m = &p->tcp.mp;

    if (p->tcp.flags & TCP_SYN)
        f->core_iss = p->tcp.seq;
    if (p->tcp.has_ts) {
        f->core_ts0 = f->seen ? f->core_ts0 : p->tcp.tsval;
        f->core_tsval = p->tcp.tsval;
        f->seen = true;
    }
    if ((m->has & MPTCP_HAS(MPTCP_CAPABLE)) && m->capable.n_keys >= 1 && !s->core_key) {
        s->core_key = m->capable.sender_key;
        mptcp_versions[s->version].derive(s->core_key, &s->core_token, &s->core_idsn);
    }
    if ((m->has & MPTCP_HAS(MPTCP_JOIN)) && m->join.kind != MPTCP_JOIN_ACK)
        f->core_nonce = m->join.nonce;
}

static void trace(const struct script *s, const char *text)
{
    if (s->verbose)
        printf("%9.6f %s\n", (double)(s->now - s->start) / 1e6, text);
}

/* The script fails as soon as the core has returned, which must not be jumped out of. */
static void break_off(struct script *s, const char *why)
{
    s->broken = true;
    snprintf(s->error, sizeof(s->error), "%s", why);
}

static void record_text(struct script *s, const char *text)
{
    struct sent *e = &s->sent[s->tail % EVENT_QUEUE];

    if (s->tail - s->head == EVENT_QUEUE) {
        break_off(s, "more segments than anybody could expect");
        return;
    }
    s->tail++;
    e->at = s->now;
    snprintf(e->text, sizeof(e->text), "%s", text);
    trace(s, text);
}

static void record(struct script *s, const struct flow *f, const struct wire_packet *p)
{
    char text[SEGMENT_MAX], line[SEGMENT_MAX + 32], from[ADDR_TEXT], to[ADDR_TEXT];
    bool named = f && f != &s->flows[MAIN_FLOW];

    if (!f) {
        snprintf(line, sizeof(line), "a segment from %s to %s, which are no flow", addr_text(&p->src, from),
                 addr_text(&p->dst, to));
    } else {
        segment_print(s, f, p, text);
        snprintf(line, sizeof(line), "%s%s%s> %s", named ? "[" : "", named ? f->name : "", named ? "] " : "",
                 text);
    }
    record_text(s, line);
}

/* A super-packet is seen as the segments that leave the machine. */
static void record_all(struct script *s, const struct flow *f, struct wire_packet p, unsigned size)
{
    uint32_t left = p.payload_len;
    uint8_t flags = p.tcp.flags;

    while (size && left > size) {
        p.payload_len = size;
        p.tcp.flags = flags & (uint8_t) ~(TCP_FIN | TCP_PSH);
        record(s, f, &p);
        p.payload += size;
        p.tcp.seq += size;
        left -= size;
    }
    p.payload_len = left;
    p.tcp.flags = flags;
    record(s, f, &p);
}

static void output(void *ctx, const struct braid_packet *out)
{
    static uint8_t bytes[PACKET_ROOM];
    struct script *s = ctx;
    struct wire_packet p;
    struct flow *f;
    size_t len = out->header_len;

    if (out->header_len + out->payload_len > sizeof(bytes)) {
        break_off(s, "the core sent a packet that is too large");
        return;
    }
    memcpy(bytes, out->header, out->header_len);
    for (unsigned i = 0; i < out->n_payload; i++) {
        memcpy(bytes + len, out->payload[i].iov_base, out->payload[i].iov_len);
        len += out->payload[i].iov_len;
    }
    if (packet_parse(bytes, len, out->csum_start == 0, &p) != WIRE_OK) {
        break_off(s, "the core sent a packet that does not parse");
        return;
    }
    if (p.kind != WIRE_TCP) {
        record_text(s, "> icmp unreachable");
        return;
    }
    f = flow_of(s, &p);
    if (f)
        learn(s, f, &p);
    record_all(s, f, p, out->gso_size);
}

static void fill_random(void *ctx, void *buf, size_t len)
{
    struct script *s = ctx;
    uint8_t *b = buf;

    for (size_t i = 0; i < len; i++) {
        s->rng = s->rng * 6364136223846793005u + 1442695040888963407u;
        b[i] = (uint8_t)(s->rng >> 56);
    }
    if (len == 8 && s->corekey)
        memcpy(buf, &s->corekey, 8);
    if (len == 4 && s->has_iss)
        memcpy(buf, &s->iss, 4);
}

/* ---- the application's ears ---- */

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct script *s = ctx;

    if (!s->conn) {
        s->conn = c;
        s->incoming = true;
        braid_conn_set_user(c, s);
    } else {
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
    }
}

static void on_established(struct braid_conn *c, void *user)
{
    struct script *s = user;

    s->established = true;
    if (s->give_up == GIVE_UP_ABORT)
        braid_conn_abort(c);
    if (s->give_up == GIVE_UP_RELEASE) {
        braid_conn_release(c);
        s->conn = NULL;
    }
}

static void on_nothing(struct braid_conn *c, void *user)
{
    (void)c;
    (void)user;
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct script *s = user;

    (void)c;
    s->conn = NULL;
    s->closed = true;
    s->why = why;
}

const struct braid_conn_ops script_ops = {.incoming = on_incoming,
                                          .established = on_established,
                                          .readable = on_nothing,
                                          .writable = on_nothing,
                                          .closed = on_closed};

/* ---- driving ---- */

static uint64_t place_idsn(void *ctx, uint64_t key, uint64_t idsn)
{
    const struct script *s = ctx;

    if (key == s->peer_key)
        return s->has_peer_idsn ? s->want_peer_idsn : idsn;
    return s->has_core_idsn ? s->want_core_idsn : idsn;
}

static bool wants_plain(void *ctx, const struct braid_addr *client, const struct braid_addr *server)
{
    const struct script *s = ctx;

    return s->wants_plain && addr_equal(client, &s->flows[MAIN_FLOW].peer) &&
           addr_equal(server, &s->flows[MAIN_FLOW].core);
}

void script_start(struct script *s)
{
    struct braid_host host = {.ctx = s, .output = output, .random = fill_random};
    struct braid_listen_params l = {.addr = s->flows[MAIN_FLOW].core,
                                    .name = "script",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .pm = s->pm,
                                    .checksum = s->checksum,
                                    .no_join = s->no_join,
                                    .version_0 = s->version_0,
                                    .believe_addresses = s->believing,
                                    .clients = s->clients,
                                    .wants_plain = wants_plain,
                                    .syn_data = s->syn_data,
                                    .signal = s->signal,
                                    .n_signal = s->n_signal,
                                    .ops = &script_ops,
                                    .ctx = s};

    if (s->core)
        return;
    idsn_place(place_idsn, s);
    mptcp_versions[s->version].derive(s->peer_key, &s->peer_token, &s->peer_idsn);
    s->core = braid_core_new(&s->params, &host, s->now);
    if (!s->core || !braid_listen(s->core, &l))
        fail(s, "no core with these settings");
}

void script_settle(struct script *s)
{
    if (s->broken)
        longjmp(s->out, 1);
    for (unsigned i = 0; braid_core_dirty(s->core); i++) {
        if (i == 100)
            fail(s, "the core never comes to rest");
        braid_core_flush(s->core, s->now);
    }
    braid_core_check(s->core);
    if (s->broken)
        longjmp(s->out, 1);
}

void script_run_to(struct script *s, braid_time until, bool stop)
{
    script_settle(s);
    while (!(stop && s->head != s->tail)) {
        braid_time next = braid_core_deadline(s->core);

        if (next > until)
            break;
        s->now = next > s->now ? next : s->now;
        braid_core_run(s->core, s->now);
        script_settle(s);
    }
    if (!(stop && s->head != s->tail))
        s->now = until;
}

static void inject(struct script *s, const uint8_t *packet, size_t len)
{
    struct braid_input in = {0};
    struct buf *b = braid_buf_new(VNET_HEADER + len);

    if (!b)
        fail(s, "out of memory");
    memcpy(braid_buf_data(b) + VNET_HEADER, packet, len);
    braid_core_input(s->core, b, VNET_HEADER, len, &in, s->now);
    braid_buf_unref(b);
}

void script_inject(struct script *s, struct flow *f, struct segment *g)
{
    static uint8_t packet[PACKET_ROOM];

    inject(s, packet, segment_build(s, f, g, packet, sizeof(packet)));
    if (!strchr(g->flags, 'R') && (int32_t)((uint32_t)g->seq + g->len - f->peer_nxt) >= 0)
        f->peer_nxt = (uint32_t)g->seq + g->len + !!strchr(g->flags, 'S') + !!strchr(g->flags, 'F');
    script_settle(s);
}

void script_inject_icmp(struct script *s, const struct flow *f, char **words, unsigned n)
{
    uint8_t packet[ICMP_PACKET_MAX];

    inject(s, packet, icmp_build(s, f, words, n, packet));
    script_settle(s);
}
