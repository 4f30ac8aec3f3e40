/* A far side that answers a SYN only when somebody behind it has answered (a converter, for its server) may
 * be silent for long without the uplink being dead. If it is not known by the end of the head start that it
 * lives, the next lane has its turn, and the server behind gets a connection that comes to nothing. So
 * before that, another SYN on the same lane asks something that the far side can answer by itself. */
#include "role/race_questions.h"

static bool is_asked(const struct race *r)
{
    const struct lane *l = r->newest;
    return l && r->next < r->params.n_lanes && lane_is_open(l) && !l->question;
}

void race_question_prepare(const struct race *r, struct lane *l, braid_time now)
{
    bool asks = r->params.question_len > 0 && l->where.question_after > 0;
    l->question_at = asks ? now + l->where.question_after : BRAID_NEVER;
    l->trusted_until = now + l->where.plain_after;
}

/* Nothing is wanted of it but to be there. */
static void on_established(struct braid_conn *c, void *user)
{
    struct lane *l = user;
    braid_conn_release(c);
    l->question = NULL;
    l->answered = l->alive = true;
    l->race->deadline = 0;
    l->race->params.events->due(l->race->params.arg);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)why;
    ((struct lane *)user)->question = NULL;
}

static const struct braid_conn_ops question_ops = {.established = on_established, .closed = on_closed};

static void ask(struct race *r, struct lane *l, braid_time now)
{
    struct braid_connect_params p = r->params.connect;
    p.local.ip = l->where.local.ip; /* it is no subflow */
    p.remote = l->where.remote;
    p.plain = true;
    p.ops = &question_ops;
    p.user = l;
    if (!l->where.bare) {
        p.syn_data = r->params.question;
        p.syn_len = (uint16_t)r->params.question_len;
    }
    l->question_at = BRAID_NEVER;
    l->question = braid_connect(r->params.core, &p, now);
}

/* The others wait, and it is asked once more before their time comes. Whoever takes too long for that is not
 * waited for alone. */
static void heed(struct race *r, struct lane *l, braid_time now)
{
    braid_time notice = l->where.head_start - l->where.question_after;
    l->answered = false;
    if (l != r->newest || r->next_at == BRAID_NEVER)
        return;
    r->next_at = now + RACE_TRUST;
    if (r->next_at < l->trusted_until)
        l->question_at = r->next_at - notice;
    else if (r->next_at > l->trusted_until)
        r->next_at = l->trusted_until > now ? l->trusted_until : now;
}

void race_question_expire(struct race *r, braid_time now)
{
    for (unsigned i = 0; i < r->next; i++) {
        if (r->lanes[i].answered)
            heed(r, &r->lanes[i], now);
    }
    if (is_asked(r) && r->newest->question_at <= now)
        ask(r, r->newest, now);
}

braid_time race_question_deadline(const struct race *r)
{
    return is_asked(r) ? r->newest->question_at : BRAID_NEVER;
}

void race_question_drop(struct lane *l)
{
    if (l->question)
        braid_conn_release(l->question);
    l->question = NULL;
}
