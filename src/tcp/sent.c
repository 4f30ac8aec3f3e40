/* The scoreboard of sent data: see sent.h. */
#include "tcp/sent.h"

#include "tcp/internal.h"

#include <assert.h>
#include <stdlib.h>

/* Every byte is in exactly one of the three. */
static uint64_t *sum_of(struct subflow *sf, enum sent_state state)
{
    switch (state) {
    case SENT_LOST:
        return &sf->flight->board.lost_bytes;
    case SENT_SACKED:
        return &sf->flight->board.sacked_bytes;
    default:
        return &sf->flight->board.pipe;
    }
}

/* Adds a run's bytes to a state's sum, or takes them off; runs: +1, -1, or 0 if the run only changes its
 * length. */
static void book(struct subflow *sf, enum sent_state state, int64_t bytes, int runs)
{
    uint64_t *sum = sum_of(sf, state);

    assert(bytes >= 0 || *sum >= (uint64_t)-bytes);
    *sum += (uint64_t)bytes;
    if (state == SENT_FLIGHT)
        sf->flight->board.n_flight += (uint32_t)runs;
    sf->cc.in_flight = sf->flight->board.pipe;
}

/* enter and leave keep the sums alone; the lists are for the caller. */
static void enter(struct subflow *sf, struct tcp_sent *s, enum sent_state state)
{
    s->state = state;
    book(sf, state, (int64_t)sent_len(s), 1);
}

static void leave(struct subflow *sf, struct tcp_sent *s)
{
    book(sf, s->state, -(int64_t)sent_len(s), -1);
}

/* What the account is charged for a run: malloc's overhead included. */
#define RUN_COST mem_cost(sizeof(struct tcp_sent))

/* Runs are charged to the connection: how many there are is up to its peer. */
static void free_run(struct subflow *sf, struct tcp_sent *s)
{
    mem_give(sf->account, RUN_COST);
    free(s);
}

/* One ahead, so that nothing can fail between the scheduler's decision and the packet. */
bool sent_reserve(struct subflow *sf)
{
    if (!sf->flight->board.spare) {
        sf->flight->board.spare = malloc(sizeof(*sf->flight->board.spare));
        if (sf->flight->board.spare)
            mem_take(sf->account, RUN_COST);
    }
    return sf->flight->board.spare != NULL;
}

void sent_forget_spare(struct subflow *sf)
{
    if (!sf->flight->board.spare)
        return;
    free_run(sf, sf->flight->board.spare);
    sf->flight->board.spare = NULL;
}

static struct tcp_sent *take_spare(struct subflow *sf)
{
    struct tcp_sent *s = sf->flight->board.spare;

    assert(s);
    sf->flight->board.spare = NULL;
    return s;
}

/* When what leaves now leaves: by_time stays in order, though a state from elsewhere (flight_freeze.c) may
 * tell of a last transmission that is still to come. */
static braid_time not_before_last(const struct subflow *sf, braid_time now)
{
    const struct list *by_time = &sf->flight->board.by_time;
    if (list_empty(by_time))
        return now;
    braid_time last = sent_of_link(by_time->prev)->at;
    return last > now ? last : now;
}

/* At the end of all three orders: nothing lies behind it in the stream, and nothing left later. */
struct tcp_sent *sent_add(struct subflow *sf, uint32_t len, struct tcp_map *map, braid_time now)
{
    struct tcp_sent *s = take_spare(sf);

    *s = (struct tcp_sent){.start = sf->snd.nxt,
                           .end = sf->snd.nxt + len,
                           .at = not_before_last(sf, now),
                           .map = map,
                           .seg = sf->size.mss};
    delivery_on_sent(&sf->delivery, &sf->flight->pace, &s->mark, sf->flight->board.pipe == 0, now);
    list_append(&sf->flight->board.runs, &s->node);
    list_append(&sf->flight->board.by_time, &s->link);
    sf->flight->board.n_sent++;
    sf->snd.nxt += len;
    enter(sf, s, SENT_FLIGHT);
    return s;
}

/* Both parts keep state, time and place in the order of time; the rest begins in the middle of a segment
 * if `at` is no border. */
struct tcp_sent *sent_split(struct subflow *sf, struct tcp_sent *s, uint64_t at)
{
    assert(s->start < at && at < s->end);
    if (sf->flight->board.n_sent >= SENT_MAX || !sent_reserve(sf))
        return NULL;
    struct tcp_sent *rest = take_spare(sf);

    *rest = *s;
    rest->start = at;
    rest->lead = (uint32_t)((s->lead + (at - s->start)) % s->seg);
    s->end = at;
    list_insert_after(&s->node, &rest->node);
    if (s->state == SENT_SACKED)
        list_init(&rest->link);
    else
        list_insert_after(&s->link, &rest->link);
    sf->flight->board.n_sent++;
    book(sf, s->state, 0, 1);
    return rest;
}

/* Takes a run out of board.by_time or board.lost. */
static void unlink_run(struct subflow *sf, struct tcp_sent *s)
{
    /* The hint moves to a neighbour: losses that follow are most likely near. */
    if (sf->flight->board.lost_hint == s) {
        struct list *near = s->link.prev != &sf->flight->board.lost ? s->link.prev : s->link.next;

        sf->flight->board.lost_hint = near != &sf->flight->board.lost ? sent_of_link(near) : NULL;
    }
    list_remove(&s->link);
}

/* Puts a run into board.lost, which is ordered by offset. Losses are found in that order, each at its end, at
 * its front (a retransmission) or behind the one before. */
static void insert_lost(struct subflow *sf, struct tcp_sent *s)
{
    struct list *lost = &sf->flight->board.lost, *after = lost->prev;

    if (list_empty(lost) || s->start < sent_of_link(lost->next)->start)
        after = lost;
    else if (sent_of_link(after)->start > s->start && sf->flight->board.lost_hint)
        after = &sf->flight->board.lost_hint->link;
    while (after != lost && sent_of_link(after)->start > s->start)
        after = after->prev;
    while (after->next != lost && sent_of_link(after->next)->start < s->start)
        after = after->next;
    list_insert_after(after, &s->link);
    sf->flight->board.lost_hint = s;
}

/* SACKed runs are in neither of the two further lists: they wait for the cumulative ACK only. */
void sent_mark(struct subflow *sf, struct tcp_sent *s, enum sent_state state)
{
    assert(state != SENT_FLIGHT);
    if (s->state == state)
        return;
    leave(sf, s);
    unlink_run(sf, s);
    enter(sf, s, state);
    if (state == SENT_LOST)
        insert_lost(sf, s);
}

/* SACKed runs reach over many maps. Makes s a run of one map again and leaves the rest behind it; *at: where
 * the search for its map begins. False: memory is short, or there are too many runs. */
static bool confine(struct subflow *sf, struct tcp_sent *s, struct list **at)
{
    if (!s->map)
        return true;
    while (list_entry(*at, struct tcp_map, node)->off + list_entry(*at, struct tcp_map, node)->len <=
           s->start)
        *at = (*at)->next;
    s->map = list_entry(*at, struct tcp_map, node);
    uint64_t end = s->map->off + s->map->len;
    return s->end <= end || sent_split(sf, s, end);
}

/* In order of offsets, so that board.lost need not be searched. */
void sent_lose_all(struct subflow *sf, bool sacked_too)
{
    struct list *map = sf->flight->maps.next;

    for (struct list *pos = sf->flight->board.runs.next; pos != &sf->flight->board.runs; pos = pos->next) {
        struct tcp_sent *s = sent_of(pos);

        if (s->state == SENT_SACKED && !(sacked_too && confine(sf, s, &map)))
            continue;
        leave(sf, s);
        enter(sf, s, SENT_LOST);
        list_remove(&s->link);
        list_append(&sf->flight->board.lost, &s->link);
    }
}

static struct list *take_first(struct list *from)
{
    struct list *n = from->next;

    list_remove(n);
    return n;
}

/* Sorts the n runs of a list by their time; those of the same time stay in their order. By merging: no memory
 * is needed, and the depth is at most the logarithm of SENT_MAX, 14. */
static void sort_by_time(struct list *runs, uint32_t n)
{
    struct list front;

    if (n < 2)
        return;
    list_init(&front);
    for (uint32_t i = 0; i < n / 2; i++)
        list_append(&front, take_first(runs));
    sort_by_time(&front, n / 2);
    sort_by_time(runs, n - n / 2);
    struct list *before = runs->next;
    while (!list_empty(&front)) {
        while (before != runs && sent_of_link(before)->at < sent_of_link(front.next)->at)
            before = before->next;
        list_insert_between(take_first(&front), before->prev, before);
    }
}

static uint32_t count_links(const struct list *head)
{
    uint32_t n = 0;

    for (const struct list *pos = head->next; pos != head; pos = pos->next)
        n++;
    return n;
}

/* The lost ones are the oldest, or nearly: RACK marks runs in the order of by_time. */
void sent_unlose_all(struct subflow *sf)
{
    struct list *before = sf->flight->board.by_time.next;

    sort_by_time(&sf->flight->board.lost, count_links(&sf->flight->board.lost));
    sf->flight->board.lost_hint = NULL;
    while (!list_empty(&sf->flight->board.lost)) {
        struct tcp_sent *s = sent_of_link(take_first(&sf->flight->board.lost));

        leave(sf, s);
        enter(sf, s, SENT_FLIGHT);
        while (before != &sf->flight->board.by_time && sent_of_link(before)->at <= s->at)
            before = before->next;
        list_insert_between(&s->link, before->prev, before);
    }
}

uint32_t sent_seg_again(const struct subflow *sf, const struct tcp_sent *s)
{
    return (uint32_t)min_u64(s->seg, sf->size.mss);
}

uint64_t sent_once_again(const struct subflow *sf, const struct tcp_sent *s)
{
    bool as_before = s->lead == 0 && s->seg <= sf->size.mss;
    return as_before ? sent_len(s) : min_u64(s->seg - s->lead, sent_len(s));
}

/* With a new time it belongs to the end of by_time, and no segment of it is larger than is allowed now. */
void sent_again(struct subflow *sf, struct tcp_sent *s, braid_time now)
{
    assert(s->state != SENT_SACKED);
    delivery_on_sent(&sf->delivery, &sf->flight->pace, &s->mark, sf->flight->board.pipe == 0, now);
    leave(sf, s);
    enter(sf, s, SENT_FLIGHT);
    s->at = not_before_last(sf, now);
    s->seg = sent_seg_again(sf, s);
    s->lead = 0;
    s->retrans = true;
    unlink_run(sf, s);
    list_append(&sf->flight->board.by_time, &s->link);
}

/* A middlebox may acknowledge parts of segments; `lead` remembers where the borders were. */
void sent_trim(struct subflow *sf, struct tcp_sent *s, uint64_t start)
{
    assert(s->start < start && start < s->end);
    book(sf, s->state, -(int64_t)(start - s->start), 0);
    s->lead = (uint32_t)((s->lead + (start - s->start)) % s->seg);
    s->start = start;
}

/* The memory is kept as the next spare: in a steady flow nothing is allocated. */
void sent_remove(struct subflow *sf, struct tcp_sent *s)
{
    leave(sf, s);
    list_remove(&s->node);
    unlink_run(sf, s);
    if (sf->flight->board.hint == s)
        sf->flight->board.hint = NULL;
    sf->flight->board.n_sent--;
    if (sf->flight->board.spare)
        free_run(sf, s);
    else
        sf->flight->board.spare = s;
}

struct tcp_sent *sent_restore(struct subflow *sf, const struct tcp_sent *run)
{
    struct scoreboard *board = &sf->flight->board;
    struct tcp_sent *s = take_spare(sf);

    *s = *run;
    list_init(&s->node);
    list_init(&s->link);
    if (s->state != SENT_SACKED)
        list_append(s->state == SENT_LOST ? &board->lost : &board->by_time, &s->link);
    board->n_sent++;
    enter(sf, s, s->state);
    return s;
}

static bool may_merge(const struct tcp_sent *a, const struct tcp_sent *b)
{
    return a->state == SENT_SACKED && b->state == SENT_SACKED && a->map && b->map;
}

/* b, which follows a, becomes part of a. */
static void merge(struct subflow *sf, struct tcp_sent *a, struct tcp_sent *b)
{
    uint64_t end = b->end;

    a->retrans |= b->retrans;
    sent_remove(sf, b);
    book(sf, SENT_SACKED, (int64_t)(end - a->end), 0);
    a->end = end;
}

/* A FIN stays a run of its own: it has no map to be sent again from. */
void sent_merge_sacked(struct subflow *sf, struct tcp_sent *s)
{
    if (s->node.next != &sf->flight->board.runs && may_merge(s, sent_of(s->node.next)))
        merge(sf, s, sent_of(s->node.next));
    if (s->node.prev != &sf->flight->board.runs && may_merge(sent_of(s->node.prev), s)) {
        struct tcp_sent *front = sent_of(s->node.prev);

        merge(sf, front, s);
        s = front;
    }
    sf->flight->board.hint = s;
}

void sent_clear(struct subflow *sf)
{
    list_each (pos, tmp, &sf->flight->board.runs)
        sent_remove(sf, sent_of(pos));
}

/* lost is in the order of the stream and does not overlap; by_time in that of sending. */
static void check_orders(const struct subflow *sf)
{
    for (struct list *pos = sf->flight->board.lost.next;
         pos != &sf->flight->board.lost && pos->next != &sf->flight->board.lost; pos = pos->next)
        assert(sent_of_link(pos)->end <= sent_of_link(pos->next)->start);
    for (struct list *pos = sf->flight->board.by_time.next;
         pos != &sf->flight->board.by_time && pos->next != &sf->flight->board.by_time; pos = pos->next)
        assert(sent_of_link(pos)->at <= sent_of_link(pos->next)->at);
}

void sent_check(const struct subflow *sf)
{
    uint64_t at = max_u64(sf->snd.una, 1), sum[3] = {0, 0, 0};
    uint32_t n = 0, linked[3] = {0, 0, 0};

    for (struct list *pos = sf->flight->board.runs.next; pos != &sf->flight->board.runs;
         pos = pos->next, n++) {
        const struct tcp_sent *s = sent_of(pos);

        assert(s->start == at && s->end > s->start);
        assert(!s->map || s->state == SENT_SACKED ||
               (s->map->off <= s->start && s->end <= s->map->off + s->map->len));
        assert(s->map || (sf->fin.sent && s->end == sf->snd.nxt && s->end == s->start + 1));
        sum[s->state] += sent_len(s);
        linked[s->state]++;
        at = s->end;
    }
    assert(n == sf->flight->board.n_sent && linked[SENT_FLIGHT] == sf->flight->board.n_flight);
    assert(list_empty(&sf->flight->board.runs) || at == sf->snd.nxt);
    assert(sf->flight->board.pipe == sum[SENT_FLIGHT] && sf->flight->board.lost_bytes == sum[SENT_LOST] &&
           sf->flight->board.sacked_bytes == sum[SENT_SACKED]);
    assert(count_links(&sf->flight->board.by_time) == linked[SENT_FLIGHT] &&
           count_links(&sf->flight->board.lost) == linked[SENT_LOST]);
    check_orders(sf);
}
