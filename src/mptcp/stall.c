/* Data that stands still and keeps memory from others: because the peer answers but does not take it, by a
 * closed window or by withholding DATA_ACKs, or because the user does not read it. After a time such a
 * connection ends; when memory is short, those that hold most of it end soon. */
#include "mptcp/stall.h"

#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/tapped.h"

#define STALL_LOOK    (10 * BRAID_SECOND) /* between looks; the limit while memory is scarce */
#define RECLAIM_AFTER (5 * BRAID_SECOND)  /* what has moved within this is not given up for its memory */
#define RECLAIM_EVERY (100 * BRAID_MS)    /* one walk over all connections */

/* Notes where a direction stands. waits: somebody has to move it; at: the next byte that has to go. It counts
 * from when that byte was first seen to wait. */
static void look(struct standstill *s, bool waits, uint64_t at, braid_time now)
{
    if (!waits) {
        s->since = BRAID_NEVER;
    } else if (s->since == BRAID_NEVER || s->at != at) {
        s->at = at;
        s->since = now;
    }
}

/* limit, or less while others need the memory: with half of it in use nobody may stand still for long. */
static braid_time limit_now(const struct braid_conn *c, braid_time limit)
{
    const struct mem_account *all = &c->env->mem;
    bool scarce = mem_room(all) < all->limit / 2;
    return scarce && limit > STALL_LOOK ? STALL_LOOK : limit;
}

/* When it has stood still for too long; BRAID_NEVER: it does not, or may for ever. */
static braid_time due(const struct braid_conn *c, const struct standstill *s, braid_time limit)
{
    if (s->since == BRAID_NEVER || limit == 0)
        return BRAID_NEVER;
    return s->since + limit_now(c, limit);
}

void conn_note_stall(struct braid_conn *c, braid_time now)
{
    bool counts = c->phase == CONN_ESTABLISHED;
    /* the handshake, and the end of both directions, have timeouts of their own */
    look(&c->stall.sending, counts && c->send.una != c->send.end, c->send.una, now);
    look(&c->stall.reading, counts && c->recv.bytes > 0, c->recv.user, now);
    braid_time unsent = due(c, &c->stall.sending, c->sockopt->user_timeout);
    braid_time at = due(c, &c->stall.reading, c->env->params.unread);
    no_later(&at, unsent);
    c->deadlines.stall = at;
    if (at != BRAID_NEVER) /* memory may become scarce until then */
        no_later(&c->deadlines.stall, now + STALL_LOOK);
}

void conn_stall_timeout(struct braid_conn *c, braid_time now)
{
    conn_note_stall(c, now);
    if (due(c, &c->stall.sending, c->sockopt->user_timeout) <= now) {
        conn_count(c, MP_STALLED);
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
    } else if (due(c, &c->stall.reading, c->env->params.unread) <= now) {
        conn_count(c, MP_UNREAD);
        conn_fail(c, BRAID_CLOSE_TIMEOUT, true);
    }
}

/* In either direction. What is about to end gives its memory back by itself. */
static bool stands_still(const struct braid_conn *c, braid_time now)
{
    braid_time since = c->stall.sending.since;
    no_later(&since, c->stall.reading.since);
    return !c->closing.fail_due && since != BRAID_NEVER && now - since >= RECLAIM_AFTER;
}

/* One at a time: the next look shows whether that was enough. Walking over all connections is not for each
 * packet. */
void conn_reclaim(struct mptcp_env *env, braid_time now)
{
    struct braid_conn *fattest = NULL;
    if (!env_short_of_memory(env) || now < env->reclaim_at)
        return;
    env->reclaim_at = now + RECLAIM_EVERY;
    each_conn (c, env) {
        if (stands_still(c, now) && (!fattest || c->mem.used > fattest->mem.used))
            fattest = c;
    }
    if (!fattest)
        return;
    conn_count(fattest, MEM_RECLAIMED);
    conn_tap(fattest, BRAID_TAP_FAIL, 0, BRAID_CLOSE_RESOURCES, true);
    conn_fail(fattest, BRAID_CLOSE_RESOURCES, true);
}
