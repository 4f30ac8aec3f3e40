/* See race.h. What the core tells of the candidates is only noted in its callbacks, which have no time; what
 * follows from it is done when the deadline is served. Only the end is not put off: who is established first
 * has won. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "role/race_questions.h"
#include "role/race_sights.h"
#include "role/race_state.h"

/* A second later the core leaves MP_CAPABLE or payload out of its fourth SYN, and an answer without them
 * tells nothing of the way. */
#define EVIDENCE_AGE (6 * BRAID_SECOND)

const char *race_loss_text(enum race_loss why)
{
    static const char *const texts[] = {
        [RACE_LOST_RESOURCES] = "out of memory, connections or ports",
        [RACE_LOST_TIMEOUT] = "no answer in time",
        [RACE_LOST_UNREACHABLE] = "unreachable",
        [RACE_LOST_PLAIN] = "answered without MPTCP",
        [RACE_LOST_REFUSED] = "refused",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == RACE_LOST_REFUSED + 1, "a text for each loss");
    return texts[why];
}

static bool any_in(const struct race *r, enum candidate_state state)
{
    for (unsigned i = 0; i < r->params.n_lanes; i++) {
        const struct candidate *c = r->lanes[i].candidates;
        if (c[CAPABLE].state == state || c[PLAIN].state == state)
            return true;
    }
    return false;
}

/* The bytes that a connection of this lane is to begin with, perhaps in room. */
static const void *opening_of(const struct race *r, const struct lane *l, uint8_t room[RACE_OPENING],
                              size_t *len)
{
    const struct race_params *p = &r->params;
    *len = p->opening_for ? p->opening_for(p->arg, &l->where, room) : p->opening_len;
    assert(*len <= RACE_OPENING);
    return p->opening_for ? room : p->opening;
}

static bool write_opening(struct candidate *c)
{
    uint8_t room[RACE_OPENING];
    size_t len;
    const void *bytes = opening_of(c->race, c->lane, room, &len);
    return braid_conn_write(c->conn, bytes, len) == (ssize_t)len;
}

/* ---- what the core tells ------------------------------------------------------------------------------- */

/* What follows needs the time. */
static void candidate_failed(struct candidate *c, enum race_loss loss)
{
    struct race *r = c->race;
    c->conn = NULL;
    c->state = FAILED;
    c->loss = loss;
    r->deadline = 0;
    r->params.events->due(r->params.arg);
}

/* All that has no connection yet, or has one that carries nothing: no FIN, but a RST. */
static void candidate_drop(struct candidate *c)
{
    if (c->state == UNDER_WAY)
        braid_conn_release(c->conn);
    c->conn = NULL;
    c->state = SETTLED;
}

static void win(struct candidate *c)
{
    struct race *r = c->race;
    struct race_params params = r->params;
    struct braid_conn *conn = c->conn;
    unsigned lane = (unsigned)(c->lane - r->lanes);
    race_see_end(r, c);
    c->state = SETTLED; /* race_free leaves it alone */
    race_free(r);
    braid_conn_set_ops(conn, params.connect.ops, params.connect.user);
    params.events->won(params.arg, conn, lane);
}

static void on_established(struct braid_conn *conn, void *user)
{
    struct candidate *c = user;
    const struct race *r = c->race;
    if (!r->params.fallback && !braid_conn_is_mptcp(conn) && !race_is_told(c)) {
        if (!r->late)
            race_see(r, c->lane, RACE_SEEN_STRIPPED);
        candidate_drop(c);
        candidate_failed(c, RACE_LOST_PLAIN);
    } else if (!c->data && !write_opening(c)) {
        candidate_drop(c);
        candidate_failed(c, RACE_LOST_RESOURCES);
    } else {
        win(c);
    }
}

static void on_closed(struct braid_conn *conn, void *user, enum braid_close why)
{
    (void)conn;
    switch (why) {
    case BRAID_CLOSE_REFUSED:
    case BRAID_CLOSE_RESET:
        candidate_failed(user, RACE_LOST_REFUSED);
        break;
    case BRAID_CLOSE_TIMEOUT:
        candidate_failed(user, RACE_LOST_TIMEOUT);
        break;
    case BRAID_CLOSE_RESOURCES:
        candidate_failed(user, RACE_LOST_RESOURCES);
        break;
    default:
        candidate_failed(user, RACE_LOST_UNREACHABLE);
    }
}

/* Nothing comes to be read before it is established, and then it is somebody else's. */
static const struct braid_conn_ops candidate_ops = {.established = on_established, .closed = on_closed};

/* ---- candidates ---------------------------------------------------------------------------------------- */

static void candidate_open(struct race *r, struct candidate *c, braid_time now)
{
    const struct race_lane *where = &c->lane->where;
    struct braid_connect_params p = r->params.connect;
    uint8_t room[RACE_OPENING];
    size_t len = 0;
    p.local = where->local;
    p.remote = where->remote;
    p.plain = c->plain;
    p.ops = &candidate_ops;
    p.user = c;
    p.version_0 = where->version_0;
    if (!c->plain && !where->bare && !where->version_0)
        p.syn_data = opening_of(r, c->lane, room, &len);
    p.syn_len = (uint16_t)len;
    c->data = len > 0;
    c->asked_at = now;
    c->lane->plain_at =
        now + (where->plain_after > where->head_start ? where->plain_after : where->head_start);
    c->conn = braid_connect(r->params.core, &p, now);
    c->state = c->conn ? UNDER_WAY : FAILED;
    if (!c->conn)
        c->loss = braid_core_error(r->params.core) == BRAID_ERROR_ADDRESS ? RACE_LOST_UNREACHABLE
                                                                          : RACE_LOST_RESOURCES;
}

static void strike(struct race *r, const struct braid_addr *remote)
{
    for (unsigned i = 0; i < r->params.n_lanes; i++) {
        if (addr_equal(&r->lanes[i].where.remote, remote))
            r->lanes[i].struck = true;
    }
}

/* See race.h for what a RST means. */
static void settle_refusal(struct race *r, struct candidate *c, braid_time now)
{
    struct lane *l = c->lane;
    struct candidate *plain = &l->candidates[PLAIN];
    if (c->plain) {
        strike(r, &l->where.remote);
    } else if (r->params.fallback && !r->params.alone && !l->struck && plain->state == UNTRIED) {
        candidate_open(r, plain, now);
        /* somebody answers here: the others wait once more */
        if (l == r->newest)
            r->next_at = now + l->where.head_start;
    }
}

/* An error other than a refusal may have to do with the option as well: both follow, the plain SYN and the
 * next uplink. */
static void settle(struct race *r, struct candidate *c, braid_time now)
{
    c->state = SETTLED;
    if (c->loss > r->loss)
        r->loss = c->loss;
    if (c->loss == RACE_LOST_REFUSED)
        settle_refusal(r, c, now);
    else if (!c->plain) {
        c->lane->plain_at = now;
        if (c->lane == r->newest)
            r->next_at = now;
    }
}

/* ---- the course of the race ---------------------------------------------------------------------------- */

/* True if there was one. Opening a candidate may fail at once, so there may be more. */
static bool settle_all(struct race *r, braid_time now)
{
    bool any = false;
    each_candidate(c, i, r)
    {
        if (c->state == FAILED) {
            settle(r, c, now);
            any = true;
        }
    }
    return any;
}

/* When a candidate is given up whose address has refused elsewhere; BRAID_NEVER: nobody has refused. */
static braid_time patience_of(const struct candidate *c)
{
    return c->lane->struck ? c->asked_at + c->lane->where.head_start : BRAID_NEVER;
}

static void drop_refused(struct race *r, braid_time now)
{
    each_candidate(c, i, r)
    {
        if (c->state == UNDER_WAY && patience_of(c) <= now)
            candidate_drop(c);
    }
}

/* The plain SYN of a lane is still to come. Where the port is given, not beside another SYN: that one is
 * plain itself in the end (RFC 8684 section 3.7). */
static bool plain_waits(const struct race *r, const struct lane *l)
{
    if (l->where.local.port > 0 && l->candidates[CAPABLE].state == UNDER_WAY)
        return false;
    return r->params.fallback && !r->params.alone && !l->struck && l->candidates[CAPABLE].state != UNTRIED &&
           l->candidates[PLAIN].state == UNTRIED;
}

static void open_plain_ones(struct race *r, braid_time now)
{
    for (unsigned i = 0; i < r->next; i++) {
        struct lane *l = &r->lanes[i];
        if (plain_waits(r, l) && l->plain_at <= now)
            candidate_open(r, &l->candidates[PLAIN], now);
    }
}

/* When the SYN is due once more, since an answer would be here by now. */
static braid_time again_at(const struct candidate *c)
{
    return c->again ? BRAID_NEVER : c->asked_at + c->lane->where.head_start;
}

/* Before others are asked: who has lost nothing but a packet still wins. */
static void ask_again(struct race *r, braid_time now)
{
    each_candidate(c, i, r)
    {
        if (c->state != UNDER_WAY || again_at(c) > now)
            continue;
        c->again = true;
        braid_conn_ask_again(c->conn, now);
    }
}

/* The newest lane's head start is over. */
static void advance(struct race *r, braid_time now)
{
    struct lane *l;
    while (r->next < r->params.n_lanes && r->lanes[r->next].struck)
        r->next++;
    r->next_at = BRAID_NEVER;
    if (r->next == r->params.n_lanes)
        return;
    r->newest = l = &r->lanes[r->next++];
    candidate_open(r, &l->candidates[l->where.plain && r->params.fallback ? PLAIN : CAPABLE], now);
    r->next_at = now + l->where.head_start;
    race_question_prepare(r, l, now);
}

/* There is nothing to wait for on the newest lane. */
static bool newest_is_over(const struct race *r)
{
    return r->newest && (r->newest->struck || !lane_is_open(r->newest)) && r->next < r->params.n_lanes;
}

static void go_on(struct race *r, braid_time now)
{
    do {
        while (settle_all(r, now))
            ;
        drop_refused(r, now);
        ask_again(r, now);
        open_plain_ones(r, now);
        race_question_expire(r, now);
        if (newest_is_over(r) || r->next_at <= now)
            advance(r, now);
    } while (r->next_at <= now || newest_is_over(r) || any_in(r, FAILED));
}

static void lose(struct race *r, enum race_loss why)
{
    struct race_params params = r->params;
    race_free(r);
    params.events->lost(params.arg, why);
}

static void no_later(braid_time *t, braid_time than)
{
    if (than < *t)
        *t = than;
}

static void arm(struct race *r)
{
    r->deadline = r->give_up_at;
    no_later(&r->deadline, r->next_at);
    no_later(&r->deadline, race_question_deadline(r));
    if (!r->late)
        no_later(&r->deadline, r->evidence_until);
    each_candidate(c, i, r)
    {
        if (c->state == UNDER_WAY)
            no_later(&r->deadline, patience_of(c) < again_at(c) ? patience_of(c) : again_at(c));
        if (!c->plain && c->state == UNDER_WAY && plain_waits(r, c->lane))
            no_later(&r->deadline, c->lane->plain_at);
    }
}

void race_expire(struct race *r, braid_time now)
{
    r->late = r->late || now >= r->evidence_until;
    go_on(r, now);
    if (!any_in(r, UNDER_WAY))
        lose(r, r->loss);
    else if (now >= r->give_up_at)
        lose(r, r->loss > RACE_LOST_TIMEOUT ? r->loss : RACE_LOST_TIMEOUT);
    else
        arm(r);
}

braid_time race_deadline(const struct race *r)
{
    return r->deadline;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct race *race_new(const struct race_params *params)
{
    unsigned n = params->n_lanes;
    assert(n > 0 && n <= RACE_LANES && params->opening_len <= RACE_OPENING);
    assert(params->question_len <= RACE_OPENING);
    struct race *r =
        calloc(1, sizeof(*r) + n * sizeof(r->lanes[0]) + params->opening_len + params->question_len);
    if (!r)
        return NULL;
    r->params = *params;
    r->params.lanes = NULL;
    uint8_t *copies = (uint8_t *)&r->lanes[n];
    if (params->opening_len > 0)
        memcpy(copies, params->opening, params->opening_len);
    if (params->question_len > 0)
        memcpy(copies + params->opening_len, params->question, params->question_len);
    r->params.opening = copies;
    r->params.question = copies + params->opening_len;
    for (unsigned i = 0; i < n; i++) {
        r->lanes[i].race = r;
        r->lanes[i].where = params->lanes[i];
        for (unsigned k = 0; k < CANDIDATES; k++)
            r->lanes[i].candidates[k] =
                (struct candidate){.race = r, .lane = &r->lanes[i], .plain = k == PLAIN};
    }
    return r;
}

void race_begin(struct race *r, braid_time now)
{
    r->give_up_at = now + r->params.timeout;
    r->evidence_until = now + EVIDENCE_AGE;
    r->next_at = now;
    race_expire(r, now);
}

void race_free(struct race *r)
{
    if (!r)
        return;
    each_candidate(c, i, r) candidate_drop(c);
    for (unsigned i = 0; i < r->params.n_lanes; i++)
        race_question_drop(&r->lanes[i]);
    free(r);
}
