/* A socket-like stack in a hundred lines: a client's and a server's core in one process, joined by a queue of
 * packets, in virtual time. The client sends a line over MPTCP, the server echoes it, both close in order.
 * Build: cc -Iinclude docs/examples/adapter.c build/libbraid.a -lcrypto -lm */
#include <braid/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host { /* what an adapter keeps for each stack */
    const char *name;
    struct braid_core *core;
    struct host *other;
};
static struct wire { /* packets on their way */
    struct host *to;
    struct buf *bytes;
    size_t len;
} wire[64];
static unsigned wire_head, wire_tail;

static void output(void *ctx, const struct braid_packet *p) /* packet out: copied, for it is valid now only */
{
    struct wire w = {((struct host *)ctx)->other, braid_buf_new(p->header_len + p->payload_len),
                     p->header_len};
    if (!w.bytes || wire_tail - wire_head == 64)
        abort();
    memcpy(braid_buf_data(w.bytes), p->header, p->header_len);
    for (unsigned i = 0; i < p->n_payload; w.len += p->payload[i++].iov_len)
        memcpy(braid_buf_data(w.bytes) + w.len, p->payload[i].iov_base, p->payload[i].iov_len);
    wire[wire_tail++ % 64] = w;
}

static void randomness(void *ctx, void *buf, size_t len) /* for tests: real keys must be unpredictable */
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)rand();
}

static void incoming(void *ctx, struct braid_conn *c) /* a SYN: this is accept() */
{
    braid_conn_set_user(c, ctx);
    braid_conn_accept(c);
}

static void established(struct braid_conn *c, void *user)
{
    struct host *h = user;
    int64_t mptcp = 0;
    braid_conn_get_option(c, BRAID_OPT_MPTCP, &mptcp);
    printf("%s: established, %s\n", h->name, mptcp ? "MPTCP" : "plain TCP");
    if (strcmp(h->name, "client") == 0)
        braid_conn_write(c, "hello, braid", 12); /* an empty buffer takes that much */
}

static void readable(struct braid_conn *c, void *user)
{
    struct host *h = user;
    char text[256];
    ssize_t n;
    while ((n = braid_conn_read(c, text, sizeof(text))) > 0) {
        printf("%s: read \"%.*s\"\n", h->name, (int)n, text);
        if (strcmp(h->name, "server") == 0)
            braid_conn_write(c, text, (size_t)n);
        else
            braid_conn_shutdown(c);
    }
    if (n == 0) {
        printf("%s: end of stream\n", h->name);
        braid_conn_shutdown(c);
    }
}

static void closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    printf("%s: closed, %s\n", ((struct host *)user)->name, braid_close_text(why));
}

static const struct braid_conn_ops ops = {
    .incoming = incoming, .established = established, .readable = readable, .closed = closed};

static struct braid_addr ipv4(uint8_t last, uint16_t port) /* 10.0.0.last, v4-mapped */
{
    return (struct braid_addr){{{[10] = 0xff, 0xff, 10, 0, 0, last}}, port};
}

int main(void)
{
    struct host client = {.name = "client"}, server = {.name = "server", .other = &client};
    struct host *both[] = {&client, &server};
    struct braid_core_params params;
    braid_time now = 0;
    client.other = &server;
    braid_core_params_default(&params);
    for (int i = 0; i < 2; i++)
        both[i]->core = braid_core_new(
            &params, &(struct braid_host){.ctx = both[i], .output = output, .random = randomness}, now);
    struct braid_listen_params l = {.addr = ipv4(1, 80),
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &ops,
                                    .ctx = &server};
    struct braid_connect_params c = {.local = ipv4(2, 4000),
                                     .remote = ipv4(1, 80),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .ops = &ops,
                                     .user = &client};
    if (!braid_listen(server.core, &l) || !braid_connect(client.core, &c, now))
        return 1;
    while (now != BRAID_NEVER) { /* the loop of every adapter: packets in, timers, flush, wait */
        for (unsigned end = wire_tail; wire_head != end; wire_head++) {
            struct wire *w = &wire[wire_head % 64];
            braid_core_input(w->to->core, w->bytes, 0, w->len, &(struct braid_input){.csum_ok = true}, now);
            braid_buf_unref(w->bytes);
        }
        braid_time next = BRAID_NEVER;
        for (int i = 0; i < 2; i++) {
            braid_core_run(both[i]->core, now);
            braid_core_flush(both[i]->core, now);
            next = braid_core_deadline(both[i]->core) < next ? braid_core_deadline(both[i]->core) : next;
        }
        now = wire_head != wire_tail ? now + BRAID_MS : next; /* a packet is on the wire for a millisecond */
    }
    braid_core_free(client.core);
    braid_core_free(server.core);
    return 0;
}
