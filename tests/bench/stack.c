/* What the stack does for a fixed load, to be counted: two cores joined by a queue of packets in virtual
 * time, a client with two addresses and a server. Nothing in it depends on the machine or on chance, so that
 * the instructions of a run (under callgrind) and its packets are the same each time. stack
 * connections|trips|up|down N connections: so many, one after the other, 1 KB each way; trips: so many
 * exchanges of 64 bytes over one connection; up, down: so many megabytes over one. Prints the packets of both
 * ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <braid/core.h>

#define QUEUE    65536 /* packets under way at most */
#define REQUEST  1024
#define TRIP     64
#define MEGABYTE 1000000u
#define DELAY    (5 * BRAID_MS)

struct host {
    struct braid_core *core;
    struct host *other;
    unsigned long packets;
};

static struct packet {
    struct host *to;
    struct buf *bytes;
    size_t len;
    braid_time at;
} queue[QUEUE];
static size_t head, tail;
static struct host client, server;
static braid_time now;

/* The load. */
static enum { CONNECTIONS, TRIPS, UP, DOWN } kind;
static unsigned long wanted, done;       /* connections or trips */
static unsigned long to_write, to_read;  /* bytes that are left of a transfer */
static struct braid_conn *ours, *theirs; /* the client's end of the connection, and the server's */
static size_t got_ours, got_theirs;      /* of the request or the answer */

static void output(void *ctx, const struct braid_packet *p)
{
    struct host *from = ctx;
    struct packet *q = &queue[tail % QUEUE];

    *q = (struct packet){from->other, braid_buf_new(p->header_len + p->payload_len), p->header_len,
                         now + DELAY};
    if (!q->bytes || tail - head == QUEUE)
        abort();
    memcpy(braid_buf_data(q->bytes), p->header, p->header_len);
    for (unsigned i = 0; i < p->n_payload; q->len += p->payload[i++].iov_len)
        memcpy(braid_buf_data(q->bytes) + q->len, p->payload[i].iov_base, p->payload[i].iov_len);
    from->packets++;
    tail++;
}

/* A linear congruential generator: what is drawn must be the same each time, and differ. */
static void randomness(void *ctx, void *buf, size_t len)
{
    static uint64_t state = 1;

    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(state >> 56);
    }
}

static struct braid_addr address(uint8_t subnet, uint8_t last, uint16_t port) /* 10.0.subnet.last */
{
    return (struct braid_addr){{{[10] = 0xff, 0xff, 10, 0, subnet, last}}, port};
}

static const struct braid_conn_ops ops;

static const struct pm_ops *path_manager(const char *name)
{
    const struct pm_ops *const *pm = pm_algorithms;

    while (*pm && strcmp((*pm)->name, name) != 0)
        pm++;
    return *pm;
}

static void connect_again(void)
{
    struct braid_connect_params c = {.local = address(1, 2, (uint16_t)(4000 + done % 50000)),
                                     .remote = address(1, 1, 80),
                                     .cc = cc_algorithms[0],
                                     .sched = sched_algorithms[0],
                                     .pm = path_manager("fullmesh"),
                                     .ops = &ops,
                                     .user = &client};

    got_ours = got_theirs = 0;
    ours = braid_connect(client.core, &c, now);
    if (!ours)
        abort();
}

static void write_bytes(struct braid_conn *c, size_t n)
{
    static const char zeros[65536];

    if (braid_conn_write(c, zeros, n) != (ssize_t)n)
        abort();
}

/* As much of a transfer as there is room for. */
static void write_on(struct braid_conn *c)
{
    static const char zeros[65536];

    while (to_write > 0) {
        ssize_t n = braid_conn_write(c, zeros, to_write < sizeof(zeros) ? to_write : sizeof(zeros));

        if (n <= 0)
            return;
        to_write -= (unsigned long)n;
    }
    braid_conn_shutdown(c);
}

static void incoming(void *ctx, struct braid_conn *c)
{
    theirs = c;
    braid_conn_set_user(c, ctx);
    braid_conn_accept(c);
}

static void established(struct braid_conn *c, void *user)
{
    if (user == &client && kind == CONNECTIONS)
        write_bytes(c, REQUEST);
    else if (user == &client && kind == TRIPS)
        write_bytes(c, TRIP);
    else if (user == (kind == UP ? &client : &server) && kind >= UP)
        write_on(c);
}

static void writable(struct braid_conn *c, void *user)
{
    if (user == (kind == UP ? &client : &server) && kind >= UP)
        write_on(c);
}

/* A request or an answer is complete. */
static void answer(struct braid_conn *c, bool at_client)
{
    if (kind == CONNECTIONS && !at_client)
        write_bytes(c, REQUEST);
    if (kind == CONNECTIONS)
        braid_conn_shutdown(c);
    if (kind != TRIPS)
        return;
    done += at_client;
    if (at_client && done == wanted)
        braid_conn_shutdown(c);
    else
        write_bytes(c, TRIP);
}

static void readable(struct braid_conn *c, void *user)
{
    bool at_client = user == &client;
    size_t n = braid_conn_readable(c), *got = at_client ? &got_ours : &got_theirs;

    braid_conn_consume(c, n);
    if (kind >= UP) {
        to_read -= n;
    } else if ((*got += n) == (kind == TRIPS ? TRIP : REQUEST) && n > 0) {
        *got = 0;
        answer(c, at_client);
    }
    if (braid_conn_eof(c))
        braid_conn_shutdown(c);
}

static void closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    if (why != BRAID_CLOSE_DONE) {
        fprintf(stderr, "stack: %s\n", braid_close_text(why));
        exit(1);
    }
    if (user == &server)
        theirs = NULL;
    else
        ours = NULL;
    if (ours || theirs || kind != CONNECTIONS || ++done == wanted)
        return;
    connect_again();
}

static const struct braid_conn_ops ops = {.incoming = incoming,
                                          .established = established,
                                          .readable = readable,
                                          .writable = writable,
                                          .closed = closed};

static void begin(void)
{
    struct host *both[] = {&client, &server};
    struct braid_core_params params;
    struct braid_endpoint second = {.addr = address(2, 2, 0), .subflow = true};
    struct braid_listen_params l = {.addr = address(1, 1, 80),
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &ops,
                                    .ctx = &server};

    braid_core_params_default(&params);
    for (unsigned i = 0; i < 2; i++) {
        struct braid_host host = {.ctx = both[i], .output = output, .random = randomness};

        both[i]->other = both[!i];
        both[i]->core = braid_core_new(&params, &host, now);
        if (!both[i]->core)
            abort();
    }
    if (!braid_listen(server.core, &l) || braid_core_endpoint_add(client.core, &second) < 0)
        abort();
    connect_again();
}

/* Hands over what has arrived, and goes on to the next event. False: nothing more happens. */
static bool step(void)
{
    struct host *both[] = {&client, &server};
    braid_time next = BRAID_NEVER;

    while (head != tail && queue[head % QUEUE].at <= now) {
        struct packet *p = &queue[head++ % QUEUE];

        braid_core_input(p->to->core, p->bytes, 0, p->len, &(struct braid_input){.csum_ok = true}, now);
        braid_buf_unref(p->bytes);
    }
    for (unsigned i = 0; i < 2; i++) {
        braid_core_run(both[i]->core, now);
        braid_core_flush(both[i]->core, now);
        next = braid_core_deadline(both[i]->core) < next ? braid_core_deadline(both[i]->core) : next;
    }
    if (head != tail && queue[head % QUEUE].at < next)
        next = queue[head % QUEUE].at;
    now = next > now ? next : now;
    return next != BRAID_NEVER;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"connections", "trips", "up", "down"};

    while (argc == 3 && kind < 4 && strcmp(argv[1], kinds[kind]) != 0)
        kind++;
    wanted = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (wanted == 0 || kind > DOWN) {
        fprintf(stderr, "usage: stack connections|trips|up|down N\n");
        return 2;
    }
    to_write = to_read = kind >= UP ? wanted * MEGABYTE : 0;
    begin();
    while (step())
        ;
    if (ours || theirs || to_read > 0 || (kind < UP && done != wanted)) {
        fprintf(stderr, "stack: the load was not done\n");
        return 1;
    }
    printf("{\"client\": %lu, \"server\": %lu}\n", client.packets, server.packets);
    braid_core_free(client.core);
    braid_core_free(server.core);
    return 0;
}
