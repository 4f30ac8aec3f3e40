/* Data level, sending: the send buffer, DATA_ACKs, and the mappings that subflows carry. What goes where is
 * decided in choice.c. Bytes have two kinds of owners (RFC 8684 section 3.3.6): their chunk, until they are
 * DATA_ACKed, and the mappings of all subflows that carried them, until those have acknowledged them as well.
 * Both hold references on one buffer, which is freed with the last: nothing is copied between the user's
 * write and the TUN. */
#include "mptcp/sendbuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/data_timeout.h"
#include "mptcp/marks.h"
#include "mptcp/reinject.h"
#include "mptcp/tapped.h"
#include "tcp/pacer.h"
#include "wire/checksum.h"

/* Bytes of a chunk. A small one is what a short answer takes; a large one is about the payload of a
 * super-packet. */
#define CHUNK_SMALL 4096u
#define CHUNK_LARGE 65024u /* with malloc's and buf's headers just below 64 KiB */
/* Chunks that one mapping may refer to: so many small ones hold as many bytes as a mapping can have. */
#define MAP_SLICES      16u
#define WRITE_STEP      (256u << 10)
#define SNDBUF_UNPROVEN ((uint64_t)8 << 20) /* for whoever has delivered nothing yet */
#define SAFE_WINDOW     65536u              /* of the peer, see conn_send_edge */
#define CHUNK_COST      mem_cost(sizeof(struct send_chunk))

void conn_send_init(struct braid_conn *c)
{
    c->send.una = c->send.nxt = c->send.end = DATA_FIRST;
    c->send.edge = c->send.una; /* the peer's window comes with its first DATA_ACK */
}

/* ---- the send buffer --------------------------------------------------------------------------------------
 */

static struct send_chunk *chunk_of(struct list *n)
{
    return list_entry(n, struct send_chunk, node);
}

/* The buffer lives on while mappings in flight refer to it. */
static void chunk_free(struct braid_conn *c, struct send_chunk *k)
{
    if (c->send.cursor == k)
        c->send.cursor = NULL;
    list_remove(&k->node);
    buf_unref(k->buf);
    mem_give(&c->mem, CHUNK_COST);
    free(k);
}

/* Its first byte. */
static uint8_t *chunk_data(const struct send_chunk *k)
{
    return k->buf->data + k->at;
}

/* Bytes of its buffer behind those that are filled. */
static size_t chunk_room(const struct send_chunk *k)
{
    return k->buf->cap - k->at - k->len;
}

/* The last one, empty; takes over the buffer, unless memory is short (NULL). */
static struct send_chunk *chunk_of_buf(struct braid_conn *c, struct buf *b)
{
    struct send_chunk *k = malloc(sizeof(*k));
    if (!k)
        return NULL;
    mem_take(&c->mem, CHUNK_COST);
    *k = (struct send_chunk){.buf = b, .dsn = c->send.end};
    list_append(&c->send.chunks, &k->node);
    return k;
}

bool conn_chunk_append(struct braid_conn *c, const struct send_chunk *chunk)
{
    struct send_chunk *k = chunk_of_buf(c, chunk->buf);
    if (!k)
        return false;
    k->dsn = chunk->dsn;
    k->at = chunk->at;
    k->len = chunk->len;
    return true;
}

/* A large one if much is to be written, a small one for a short answer, and for whoever is near the end of
 * the memory. */
static struct send_chunk *chunk_add(struct braid_conn *c, size_t want)
{
    size_t room = mem_room(&c->mem),
           cap = want < CHUNK_LARGE / 4 || room <= CHUNK_LARGE ? CHUNK_SMALL : CHUNK_LARGE;
    struct buf *b = room > cap ? buf_new(cap, &c->mem) : NULL;
    struct send_chunk *k = b ? chunk_of_buf(c, b) : NULL;
    if (!k)
        buf_unref(b);
    return k;
}

/* The last chunk, if it has room worth an iovec. */
static struct send_chunk *tail_with_room(struct braid_conn *c)
{
    if (list_empty(&c->send.chunks))
        return NULL;
    struct send_chunk *k = chunk_of(c->send.chunks.prev);
    return chunk_room(k) >= 512 ? k : NULL;
}

/* Half of the memory is for whoever comes first, but nobody takes more than a part of what is left of that;
 * from the other half everybody gets the same. So many slow readers leave room for who comes later. */
size_t conn_send_limit(const struct braid_conn *c)
{
    const struct mem_account *all = &c->env->mem;
    size_t room = mem_room(all), half = all->limit / 2;
    size_t share = room > half ? (room - half) / 4 : 0, least = half / 4 / c->env->n_conns;
    if (share < least)
        share = least;
    if (share < CHUNK_SMALL)
        share = CHUNK_SMALL;
    return share < c->send.sndbuf ? share : c->send.sndbuf;
}

/* Smaller pieces are not worth a call. A part of a large buffer would be a window in which nothing new comes,
 * while a path has room for it. */
size_t conn_send_step(const struct braid_conn *c)
{
    return c->send.sndbuf / 4 < WRITE_STEP ? c->send.sndbuf / 4 : WRITE_STEP;
}

/* Nothing can be written any more. */
static bool is_shut(const struct braid_conn *c)
{
    return c->send.shutdown || c->closing.abort_due || c->closing.fail_due || c->phase > CONN_ESTABLISHED;
}

/* Room is reserved behind what is written: chunks without bytes yet, or not full ones. They stay in the list,
 * and `end` stays before them until the commit. Who reserves again without one gives the first reservation
 * back. */
static unsigned reserve(struct braid_conn *c, size_t want, struct iovec *iov, unsigned n)
{
    if (c->send.reserved)
        braid_conn_commit(c, 0);
    if (is_shut(c))
        return 0;
    uint64_t used = c->send.end - c->send.una;
    size_t limit = conn_send_limit(c), room = used < limit ? limit - used : 0;
    if (want > room)
        want = room;
    unsigned i = 0;
    while (i < n && want > 0) {
        struct send_chunk *k = i == 0 ? tail_with_room(c) : NULL;
        if (!k)
            k = chunk_add(c, want);
        if (!k) {
            conn_count(c, MEM_REFUSED);
            c->send.starved = true;
            conn_dirty(c); /* arms the timer that tries again */
            break;
        }
        if (i == 0)
            c->send.reserved = k;
        size_t len = chunk_room(k);
        if (len > want)
            len = want;
        iov[i].iov_base = chunk_data(k) + k->len;
        iov[i].iov_len = len;
        want -= len;
        i++;
    }
    if (i == 0)
        c->send.want_writable = true;
    return i;
}

/* What makes whole super-packets together with what waits, if it is more than one: a rest would leave as a
 * packet of its own, which costs the kernel nearly as much as a full one. It is asked for next time. */
static size_t whole_packets(const struct braid_conn *c, size_t want)
{
    if (!c->subflows)
        return want;
    uint64_t burst = pacer_burst(c->subflows->tcp.size.mss), waits = c->send.end - c->send.nxt;
    uint64_t whole = (waits + want) / burst * burst;
    return whole > waits ? (size_t)(whole - waits) : want;
}

unsigned braid_conn_reserve(struct braid_conn *c, size_t want, struct iovec *iov, unsigned n)
{
    conn_tap(c, BRAID_TAP_RESERVE, 0, want, n);
    return reserve(c, whole_packets(c, want), iov, n);
}

size_t conn_send_reserved(const struct braid_conn *c)
{
    size_t room = 0;
    const struct list *at = c->send.reserved ? &c->send.reserved->node : &c->send.chunks;
    for (; at != &c->send.chunks; at = at->next)
        room += chunk_room(chunk_of((struct list *)at));
    return room;
}

/* The first n bytes of what was reserved are written, chunk by chunk; chunks that got none are given back. */
void braid_conn_commit(struct braid_conn *c, size_t n)
{
    conn_tap(c, BRAID_TAP_COMMIT, 0, n);
    struct list *at = c->send.reserved ? &c->send.reserved->node : &c->send.chunks;
    c->send.reserved = NULL;
    if (n > 0)
        conn_dirty(c);
    while (at != &c->send.chunks) {
        struct send_chunk *k = chunk_of(at);
        at = at->next;
        size_t take = chunk_room(k);
        if (take > n)
            take = n;
        /* When it was reserved nobody knew how much would go into those in front of it. */
        if (k->len == 0)
            k->dsn = c->send.end;
        k->len += (uint32_t)take;
        c->send.end += take;
        n -= take;
        if (k->len == 0)
            chunk_free(c, k);
    }
    assert(n == 0);
}

/* May take fewer bytes than it is given, also none: then writable() follows when there is room. */
ssize_t braid_conn_write(struct braid_conn *c, const void *data, size_t len)
{
    struct iovec iov[8];
    conn_tap(c, BRAID_TAP_WRITE, 0, len);
    if (is_shut(c))
        return BRAID_SHUT;
    unsigned n = reserve(c, len, iov, 8);
    size_t done = 0;
    for (unsigned i = 0; i < n; i++) {
        memcpy(iov[i].iov_base, (const uint8_t *)data + done, iov[i].iov_len);
        done += iov[i].iov_len;
    }
    braid_conn_commit(c, done);
    if (done < len)
        c->send.want_writable = true;
    return (ssize_t)done;
}

bool conn_send_append(struct braid_conn *c, const struct slice *s)
{
    conn_tap(c, BRAID_TAP_APPEND, 0, s->len, (uint64_t)(s->data - s->buf->data), s->buf->cap);
    if (c->send.reserved)
        braid_conn_commit(c, 0);
    bool fits = c->send.end - c->send.una + s->len <= conn_send_limit(c);
    if (!fits || is_shut(c) || mem_room(&c->mem) <= buf_cost(s->buf->cap) + CHUNK_COST)
        return false;
    struct send_chunk *k = chunk_of_buf(c, s->buf);
    if (!k)
        return false;
    buf_charge(s->buf, &c->mem);
    k->at = (uint32_t)(s->data - s->buf->data);
    k->len = s->len;
    c->send.end += s->len;
    conn_dirty(c);
    return true;
}

void braid_conn_shutdown(struct braid_conn *c)
{
    conn_tap(c, BRAID_TAP_SHUTDOWN, 0);
    if (!c->send.shutdown) {
        c->send.shutdown = true;
        conn_dirty(c);
    }
}

/* The chunk that holds dsn, which is in [una, end). New data is found at once, by the cursor; what is
 * repeated mostly lies near the head. */
static struct send_chunk *chunk_find(struct braid_conn *c, uint64_t dsn)
{
    struct list *n = c->send.chunks.next;
    if (c->send.cursor && !seq64_before(dsn, c->send.cursor->dsn))
        n = &c->send.cursor->node;
    while (!seq64_before(dsn, chunk_of(n)->dsn + chunk_of(n)->len))
        n = n->next;
    return chunk_of(n);
}

/* Those of which every byte was DATA_ACKed. */
static void drop_acked_chunks(struct braid_conn *c)
{
    while (!list_empty(&c->send.chunks)) {
        struct send_chunk *k = chunk_of(c->send.chunks.next);
        /* the user may be writing to it */
        if (k == c->send.reserved || seq64_before(c->send.una, k->dsn + k->len))
            break;
        chunk_free(c, k);
    }
}

unsigned conn_send_peek(const struct braid_conn *c, size_t room, struct iovec *iov, unsigned n)
{
    unsigned i = 0;
    for (struct list *at = c->send.chunks.next; at != &c->send.chunks && i < n && room > 0; at = at->next) {
        const struct send_chunk *k = chunk_of(at);
        iov[i] = (struct iovec){chunk_data(k), k->len < room ? k->len : room};
        room -= iov[i++].iov_len;
    }
    return i;
}

/* A chunk that is skipped in part begins before DATA_FIRST from now on. */
void conn_send_skip(struct braid_conn *c, uint32_t len)
{
    assert(c->send.nxt == c->send.una && len <= c->send.end - c->send.una);
    list_each (n, tmp, &c->send.chunks)
        chunk_of(n)->dsn -= len;
    c->send.end -= len;
    drop_acked_chunks(c);
    conn_dirty(c);
}

/* As much as chunk_add wants for a small chunk. */
bool conn_send_has_memory(const struct braid_conn *c)
{
    return mem_room(&c->mem) > CHUNK_SMALL;
}

void conn_send_free(struct braid_conn *c)
{
    while (!list_empty(&c->send.chunks))
        chunk_free(c, chunk_of(c->send.chunks.next));
    ranges_free(&c->send.reinject);
    conn_charge_reinject(c);
}

/* ---- acknowledgements ---- */

/* Twice what all subflows together send in the longest round trip, for that long the slowest may hold up the
 * rest (section 3.3.4 has the same bound for receivers). It only grows: a limit that is not used costs
 * nothing. But what a window promises in an instant, while the round trip of a path changes, may be a hundred
 * times what comes of it, and a server is quick to fill it. So a large buffer wants as much to have arrived.
 */
static void tune_sndbuf(struct braid_conn *c)
{
    int64_t longest = 1;
    uint64_t goal = 0, most = SNDBUF_UNPROVEN + 2 * (c->send.una - DATA_FIRST);
    each_flow (s, c)
        longest = s->tcp.rtt.srtt_us > longest ? s->tcp.rtt.srtt_us : longest;
    each_flow (s, c) {
        const struct subflow *t = &s->tcp;
        if (t->rtt.srtt_us > 0)
            goal += 2 * (t->cc.cwnd * (uint64_t)longest / (uint64_t)t->rtt.srtt_us);
    }
    most = most < c->sockopt->sndbuf_max ? most : c->sockopt->sndbuf_max;
    goal = goal < most ? goal : most;
    if (goal > c->send.sndbuf)
        c->send.sndbuf = goal;
}

/* Bytes before una are done with at the data level; mappings in flight go on holding theirs. Progress ends
 * the backoff of the data-level timeout. */
static void advance_una(struct braid_conn *c, uint64_t una, braid_time now)
{
    if (seq64_before(c->send.end, una)) { /* the DATA_FIN */
        c->send.fin_acked = true;
        una = c->send.end;
    }
    if (seq64_before(c->send.una, una)) {
        ranges_subtract(&c->send.reinject, c->send.una, una);
        conn_charge_reinject(c);
        c->send.una = una;
        if (seq64_before(c->send.nxt, una))
            c->send.nxt = una;
        drop_acked_chunks(c);
        tune_sndbuf(c);
    }
    c->send.backoff = 0;
    c->deadlines.data_rtx = BRAID_NEVER;
    conn_arm_data_timer(c, now);
    conn_dirty(c);
}

/* What was never sent cannot be acknowledged, and an old DATA_ACK has an old window: both are ignored. The
 * right edge never goes back (section 3.3.5), so the largest that any subflow brought counts. */
void conn_data_ack(struct braid_conn *c, uint64_t data_ack, uint64_t wnd, braid_time now)
{
    /* a DATA_ACK of `end` and one more acknowledges the DATA_FIN, once that was sent */
    uint64_t top = c->send.nxt + (c->send.fin_sent ? 1 : 0);
    if (seq64_before(data_ack, c->send.una) || seq64_before(top, data_ack))
        return;
    if (seq64_before(c->send.edge, data_ack + wnd)) {
        c->send.edge = data_ack + wnd;
        conn_dirty(c);
    }
    bool fin = seq64_before(c->send.end, data_ack);
    if (seq64_before(c->send.una, data_ack) && !(fin && c->send.fin_acked))
        advance_una(c, data_ack, now);
}

static size_t map_cost(uint32_t n_slices)
{
    return mem_cost(sizeof(struct mp_map) + n_slices * sizeof(struct slice));
}

/* The subflow has no more use for a mapping. Only after falling back that says something of the data:
 * section 3.7 then forbids all but subflow ACKs. */
void flow_map_done(struct subflow *sf, struct tcp_map *t, bool acked)
{
    struct mp_map *m = (struct mp_map *)t;
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    if (acked && !conn_is_mptcp(c) && seq64_before(c->send.una, m->dsn + m->tcp.len))
        advance_una(c, m->dsn + m->tcp.len, sf->activity.last_recv); /* no DATA_ACK tells */
    for (uint32_t i = 0; i < m->tcp.n_slices; i++)
        slice_drop(&m->slices[i]);
    mem_give(&c->mem, map_cost(m->tcp.n_slices));
    free(m);
}

/* ---- maps ---- */

struct mp_map *conn_map_alloc(struct braid_conn *c, uint32_t n_slices)
{
    struct mp_map *m = malloc(sizeof(*m) + n_slices * sizeof(struct slice));
    if (!m)
        return NULL;
    mem_take(&c->mem, map_cost(n_slices));
    memset(m, 0, sizeof(*m) + n_slices * sizeof(struct slice));
    m->tcp.n_slices = n_slices;
    m->tcp.slices = m->slices;
    return m;
}

/* A mapping for at most MAP_SLICES chunks, so it may be shorter than len. Its slices hold references on their
 * buffers, which flow_map_done drops. The sum is taken once, however often the mapping is sent (section
 * 3.3.1). */
struct mp_map *conn_map_new(struct braid_conn *c, uint64_t dsn, uint32_t len)
{
    struct send_chunk *first = chunk_find(c, dsn), *k = first;
    uint32_t n = 0, left = len;
    uint64_t at = dsn;
    while (left > 0 && n < MAP_SLICES) {
        uint32_t in = (uint32_t)(k->dsn + k->len - at);
        uint32_t take = in < left ? in : left;
        left -= take;
        at += take;
        n++;
        k = chunk_of(k->node.next);
    }
    struct mp_map *m = conn_map_alloc(c, n);
    if (!m)
        return NULL;
    m->dsn = dsn;
    m->tcp.len = len - left;
    uint64_t sum = 0;
    left = m->tcp.len;
    k = first;
    for (uint32_t i = 0; i < n; i++, k = chunk_of(k->node.next)) {
        uint32_t skip = i == 0 ? (uint32_t)(dsn - k->dsn) : 0;
        uint32_t take = k->len - skip < left ? k->len - skip : left;
        m->slices[i] = slice_of(k->buf, chunk_data(k) + skip, take);
        if (c->dss.checksum)
            sum = checksum_add_at(sum, chunk_data(k) + skip, take, m->tcp.len - left);
        left -= take;
        /* new data: the next goes on in this chunk */
        if (dsn == c->send.nxt && i + 1 == n)
            c->send.cursor = k;
    }
    m->sum = sum;
    return m;
}

void conn_sent_new(struct braid_conn *c, uint32_t len, braid_time now)
{
    c->send.nxt += len;
    c->send.news_at = now;
}

/* Linux counts the memory of what it keeps out of order, which for small segments is nearly twice their
 * bytes, but as of 6.18 announces a window that is up to four fifths of that memory once it has seen large
 * ones. If a path that carries the front of the window fails, the rest fills the memory, and then it takes
 * nothing more from its subflows, not even what closes the gap: the connection stands still for ever. So with
 * several paths a third of the window stays free. The 64 KB that it begins with are half of the memory, and
 * safe. */
uint64_t conn_send_edge(const struct braid_conn *c)
{
    uint64_t peer = c->send.edge - c->send.una, safe = peer - peer / 3;
    if (c->n_subflows < 2 || peer <= SAFE_WINDOW)
        return c->send.edge;
    return c->send.una + (safe > SAFE_WINDOW ? safe : SAFE_WINDOW);
}

/* Bytes that may be in flight in all. Both sides count from send.una: the window because it is relative to
 * the DATA_ACK (section 3.3.4), the buffer because it keeps bytes until then. */
uint64_t conn_send_window(const struct braid_conn *c)
{
    uint64_t peer = conn_send_edge(c) - c->send.una, own = conn_send_limit(c);
    return peer < own ? peer : own;
}
