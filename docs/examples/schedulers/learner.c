/* Scheduler learner: takes the path that it believes to deliver the next segment soonest, and learns that by
 * watching. Of each path it watches one segment at a time, from when it was handed over until it is
 * acknowledged, and fits a line to what it saw (least squares, the past fading): so long does it take with so
 * many bytes ahead. What the path has lost comes on top. When it is asked, it draws one of the lines that
 * would explain what it saw, the likely ones more often (Thompson sampling): a path of which it knows little,
 * or nothing of late, gets a segment now and then, and one that is known to be slow gets none. While the path
 * that it prefers is full it waits for it, if that one would have delivered all that is left before the
 * other path delivers its first segment.
 *
 * Deterministic: the random numbers are drawn from `seed`, so the same calls get the same answers. What goes
 * wrong if one is careless: a scheduler looks only when it is asked, and who writes seldom is asked
 * seldom. An acknowledgement that is noticed now came since the look before, and the round-trip time says
 * when in between it will have been. And who waits has to be sure that something will happen: may_wait. */
#include <braid/sched.h>
#include <math.h>

#define FADE      0.98   /* what is left of a sample's weight after the next one */
#define DEAR      10.0   /* round trips that a lost segment counts for: all that comes behind it waits */
#define FORGET_US 10e6   /* in so long without a sample, knowledge is worth 1/e of what it was */
#define SEED      20120u /* any number */
#define UNKNOWN   1e9    /* microseconds: after all paths of which something is known */

struct belief {                 /* of one subflow; times in microseconds */
    uint64_t key;               /* 1 + its id; 0: unused */
    double n, x, y, xx, xy, yy; /* sums over the samples: 1, bytes ahead, time, and their products */
    braid_time learnt;          /* when the last sample came */
    uint64_t watched;           /* bytes_sent behind the segment that is watched; 0: none is */
    double ahead;               /* bytes that were in flight before it */
    braid_time since, looked;   /* when it was sent, and when it was looked for last */
};

struct learner {
    uint64_t seed;
    struct belief of[SCHED_MAX_PATHS];
};

struct line {
    double level, slope, x, spread; /* level at x; standard deviation of a sample */
};

/* splitmix64; in [0, 1). */
static double uniform(struct learner *l)
{
    uint64_t z = l->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

/* About normal: the sum of twelve has the variance 1. */
static double normal(struct learner *l)
{
    double sum = -6;
    for (unsigned i = 0; i < 12; i++)
        sum += uniform(l);
    return sum;
}

static void add_sample(struct belief *b, double ahead, double took, braid_time now)
{
    b->n = FADE * b->n + 1;
    b->x = FADE * b->x + ahead;
    b->y = FADE * b->y + took;
    b->xx = FADE * b->xx + ahead * ahead;
    b->xy = FADE * b->xy + ahead * took;
    b->yy = FADE * b->yy + took * took;
    b->learnt = now;
}

/* A subflow that is new takes the place of one that is gone, or of the one whose news is oldest. */
static struct belief *belief_of(struct learner *l, const struct sched_path *p)
{
    struct belief *oldest = &l->of[0];
    for (unsigned i = 0; i < SCHED_MAX_PATHS; i++) {
        if (l->of[i].key == p->id + UINT64_C(1))
            return &l->of[i];
        if (oldest->key && (!l->of[i].key || l->of[i].learnt < oldest->learnt))
            oldest = &l->of[i];
    }
    *oldest = (struct belief){.key = p->id + UINT64_C(1)};
    return oldest;
}

/* Has the watched segment been delivered? */
static void look(struct belief *b, const struct sched_path *p, braid_time now)
{
    double took, rtt = (double)p->srtt_us;

    if (b->n == 0 && p->srtt_us > 0)
        add_sample(b, 0, rtt, now); /* of the handshake */
    if (b->watched && p->bytes_sent - p->in_flight >= b->watched) {
        double least = (double)(b->looked - b->since), most = (double)(now - b->since);

        took = rtt < least ? least : rtt > most ? most : rtt;
        add_sample(b, b->ahead, took, now);
        b->watched = 0;
    }
    b->looked = now;
}

static struct line fit(const struct belief *b)
{
    double x = b->x / b->n, y = b->y / b->n, var_x = b->xx / b->n - x * x, cov = b->xy / b->n - x * y, rest;
    struct line line = {.level = y, .x = x};
    if (var_x > 1 && cov > 0)
        line.slope = cov / var_x;
    rest = b->yy / b->n - y * y - line.slope * cov;
    /* A handful of samples says little of the spread: a quarter of the level counts as one of them. */
    line.spread = sqrt((b->n * (rest > 0 ? rest : 0) + y * y / 16) / (b->n + 1));
    return line;
}

/* When a segment behind all that is in flight would be delivered, as one of the likely lines has it, with the
 * round trips besides that it costs as often as the path loses. */
static double draw(struct learner *l, const struct belief *b, const struct sched_path *p, braid_time now)
{
    double segments = (double)p->bytes_sent / p->mss + 1, fresh, time;
    struct line line;

    if (b->n == 0)
        return UNKNOWN;
    line = fit(b);
    fresh = b->n * exp(-(double)(now - b->learnt) / FORGET_US) + 0.1;
    time = line.level + line.slope * ((double)p->in_flight - line.x) + line.spread * normal(l) / sqrt(fresh);
    return (time > 0 ? time : 0) + DEAR * (double)p->srtt_us * (double)p->retransmits / segments;
}

/* Subflows that may be used: no backups as long as there are others (RFC 8684 section 3.3.8). */
static bool is_in_play(const struct sched_view *v, unsigned i)
{
    bool spare = v->paths[i].backup || v->paths[i].over_quota;
    for (unsigned k = 0; k < v->n_paths; k++)
        if (v->paths[k].usable && !v->paths[k].backup && !v->paths[k].over_quota)
            return v->paths[i].usable && !spare;
    return v->paths[i].usable;
}

/* Something is in flight there, so an ACK or a timeout will come, and not for longer than an ACK may take. */
static bool may_wait(const struct sched_view *v, const struct sched_path *p)
{
    if (p->srtt_us == 0 || p->in_flight == 0)
        return false;
    if (*p->mark == 0)
        *p->mark = (uint64_t)v->now;
    return v->now - (braid_time)*p->mark <= 2 * p->srtt_us + 4 * p->rttvar_us;
}

static int learner_pick(struct sched *s, const struct sched_view *v)
{
    struct learner *l = (struct learner *)s->priv;
    double soonest = INFINITY, preferred = INFINITY, rest = 0;
    int best = -1, again = -1, full = -1;
    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        struct belief *b = belief_of(l, p);
        double time;

        look(b, p, v->now);
        if (!is_in_play(v, i))
            continue;
        time = draw(l, b, p, v->now);
        if (p->space > 0 && (v->tried >> i & 1))
            again = (int)i; /* it carries these bytes already: only if no other can */
        else if (p->space > 0 && time < soonest)
            soonest = time, best = (int)i;
        else if (p->space == 0 && p->cwnd > 0 && time < preferred)
            preferred = time, full = (int)i, rest = time * (double)v->unsent / (double)p->cwnd;
    }
    if (best >= 0 && full >= 0 && !v->tried && preferred + rest < soonest && may_wait(v, &v->paths[full]))
        return -1;
    return best >= 0 ? best : full < 0 || v->tried == 0 ? again : -1;
}

static void learner_sent(struct sched *s, const struct sched_view *v, int i, uint64_t bytes)
{
    const struct sched_path *p = &v->paths[i];
    struct belief *b = belief_of((struct learner *)s->priv, p);
    *p->mark = 0;
    if (b->watched)
        return;
    b->watched = p->bytes_sent + bytes;
    b->ahead = (double)p->in_flight;
    b->since = b->looked = v->now;
}

static void learner_init(struct sched *s)
{
    ((struct learner *)s->priv)->seed = SEED;
}

const struct sched_ops sched_learner = {
    .name = "learner",
    .about = "the path that is believed to deliver soonest, by what was seen (Thompson sampling)",
    .opportunistic = true,
    .priv_size = sizeof(struct learner),
    .init = learner_init,
    .pick = learner_pick,
    .sent = learner_sent,
};
