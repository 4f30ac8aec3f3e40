/* OLIA, the Opportunistic Linked Increases algorithm of Khalili, Gast, Popovic and Le Boudec ("MPTCP is not
 * Pareto-optimal", 2013; draft-khalili-mptcp-congestion-control). Each segment acknowledged adds
 *
 *   (window / RTT^2) / (sum of window / RTT)^2 + a / window
 *
 * segments. The first term couples the subflows, as in LIA. With a the window moves from the subflows whose
 * window is largest to those that have the best path and a smaller window: l is the number of bytes between
 * losses, the best paths are those with the largest l / RTT^2, since a TCP's rate on a path is the root of
 * that. Where no best path has a smaller window a is 0; else 1 / (n |B|) for those paths, B of n, and
 * -1 / (n |M|) for the M subflows with the largest window. Decrease is that of RFC 5681.
 *
 * Windows are compared in whole segments, as the paper counts them: subflows that are equal but for some
 * bytes are equal. ssthresh is two segments at least, where the draft also allows one. */
#include "cc/coupled.h"

/* Bytes delivered, to estimate l. */
struct distance {
    uint64_t from;    /* cc.delivered at the last loss */
    uint64_t between; /* the last two losses */
};

struct olia {
    struct aimd aimd; /* first */
    struct distance distance;
};

/* As it was before the congestion episode. */
struct before {
    struct before_episode episode; /* first */
    struct distance distance;
};

static const struct braid_field olia_state[] = {AIMD_FIELDS(struct olia, aimd.),
                                                BRAID_ANY(10, struct olia, distance.from),
                                                BRAID_ANY(11, struct olia, distance.between),
                                                {0}};
static const struct braid_field olia_before[] = {BEFORE_FIELDS(struct before, episode.),
                                                 BRAID_ANY(10, struct before, distance.from),
                                                 BRAID_ANY(11, struct before, distance.between),
                                                 {0}};

const struct cc_ops cc_olia;

static struct olia *state(struct cc *cc)
{
    return (struct olia *)cc->priv;
}

static void olia_init(struct cc *cc, braid_time now)
{
    (void)now;
    *state(cc) = (struct olia){.distance.from = cc->delivered};
}

/* l / RTT^2. A sibling under another algorithm has no l, and is not among the best. */
static double quality(const struct cc *cc)
{
    double rtt = (double)cc->srtt_us;

    if (cc->ops != &cc_olia)
        return 0;
    const struct distance *d = &((const struct olia *)cc->priv)->distance;
    uint64_t since = cc->delivered - d->from;
    return (double)(since > d->between ? since : d->between) / (rtt * rtt);
}

/* What one walk over the subflows finds out, for a second one to compare with. */
struct best {
    unsigned n; /* subflows that count */
    double quality;
    uint64_t segments; /* of the largest window */
};

/* Window of the subflow i as it counts for cc, in whole segments of its own. */
static uint64_t segments(const struct cc *cc, const struct cc *i, braid_time now)
{
    return (uint64_t)coupled_window(cc, i, now) / i->mss;
}

static struct best find_best(const struct cc *cc, braid_time now)
{
    struct best b = {0};
    const struct cc *i = cc;

    do {
        if (coupled_window(cc, i, now) > 0) {
            uint64_t size = segments(cc, i, now);
            b.n++;
            b.quality = quality(i) > b.quality ? quality(i) : b.quality;
            b.segments = size > b.segments ? size : b.segments;
        }
        i = i->group_next;
    } while (i != cc);
    return b;
}

/* a of cc, which counts itself. Equality of floating point is meant: b.quality is one of these very values,
 * and a tie is two subflows with the same numbers. */
static double transfer(const struct cc *cc, braid_time now)
{
    struct best b = find_best(cc, now);
    unsigned gaining = 0, largest = 0;
    const struct cc *i = cc;

    do {
        if (coupled_window(cc, i, now) > 0) {
            bool is_largest = segments(cc, i, now) == b.segments;
            largest += is_largest;
            gaining += !is_largest && quality(i) == b.quality;
        }
        i = i->group_next;
    } while (i != cc);
    if (gaining == 0)
        return 0;
    if (segments(cc, cc, now) == b.segments)
        return -1.0 / b.n / largest;
    return quality(cc) == b.quality ? 1.0 / b.n / gaining : 0;
}

/* In segments per byte acknowledged: both terms of the formula per segment acknowledged, windows in bytes
 * instead of segments. Without a round trip, or about to close, the subflow has no share: Reno. */
static double olia_gain(const struct cc *cc, const struct coupled_sum *sum, double reno, braid_time now)
{
    double window = (double)cc->cwnd, rtt = (double)cc->srtt_us;

    if (sum->own == 0)
        return reno;
    return window / (rtt * rtt * sum->rate * sum->rate) + transfer(cc, now) / window;
}

static void olia_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    coupled_on_ack(cc, ack, olia_gain);
}

/* l is counted from loss to loss. A timeout in a recovery belongs to the loss before it, or the distance
 * between the two would pass for the quality of the path. */
static void olia_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    struct olia *o = state(cc);
    struct before *before = (struct before *)cc->saved;

    if (o->aimd.episode == EPISODE_OVER) {
        if (before)
            before->distance = o->distance;
        o->distance = (struct distance){cc->delivered, cc->delivered - o->distance.from};
    }
    aimd_on_loss(cc, loss);
}

static void olia_on_undo(struct cc *cc, braid_time now)
{
    struct olia *o = state(cc);

    (void)now;
    if (episode_undo(&o->aimd.episode, cc))
        o->distance = ((struct before *)cc->saved)->distance;
}

const struct cc_ops cc_olia = {
    .name = "olia",
    .about = "Opportunistic Linked Increases: coupled as LIA is, moves windows to the paths that lose least",
    .priv_size = sizeof(struct olia),
    .saved_size = sizeof(struct before),
    .state = olia_state,
    .saved_state = olia_before,
    .init = olia_init,
    .on_ack = olia_on_ack,
    .on_loss = olia_on_loss,
    .on_undo = olia_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
