/* Congestion control as state: see cc_freeze.h. The algorithms' own words are written by their tables
 * (cc_ops.state). One that has none begins afresh where it goes on, as one that takes over in mid-connection
 * does: the windows stay. */
#include "tcp/cc_freeze.h"

#include "tcp/internal.h"
#include "tcp/sound.h"

enum { NAME = 1, COMMON, MADE, STATE };
enum { UNDO_COMMON = 1, UNDO_SAVED };

static const struct braid_field common_fields[] = {BRAID_BOOL(1, struct cc, in_recovery),
                                                   BRAID_BOOL(2, struct cc, usable),
                                                   BRAID_NUMBER(3, struct cc, srtt_us, INT32_MAX),
                                                   BRAID_NUMBER(4, struct cc, min_rtt_us, INT32_MAX),
                                                   BRAID_NUMBER(5, struct cc, cwnd, SOUND_WINDOW),
                                                   BRAID_ANY(6, struct cc, ssthresh),
                                                   {0}};
static const struct braid_field undo_fields[] = {BRAID_NUMBER(1, struct tcp_undo, marker, BRAID_MUCH),
                                                 BRAID_ANY(2, struct tcp_undo, retrans),
                                                 BRAID_ANY(3, struct tcp_undo, tsval),
                                                 BRAID_BOOL(4, struct tcp_undo, armed),
                                                 {0}};

void tcp_freeze_cc(const struct subflow *sf, struct freezer *f, unsigned tag)
{
    size_t g = freeze_begin(f, tag);

    freeze_text(f, NAME, sf->cc.ops->name);
    freeze_struct(f, COMMON, common_fields, &sf->cc);
    freeze_number(f, MADE, sf->cc.priv != NULL);
    if (sf->cc.priv && sf->cc.ops->state)
        freeze_struct(f, STATE, sf->cc.ops->state, sf->cc.priv);
    freeze_end(f, g);
}

/* Once: the sizes of what is made later are the algorithm's. */
static void name(struct subflow *sf, const struct thaw_item *i)
{
    if (sf->cc.ops)
        thaw_fail(i->all, THAW_WRONG);
    for (const struct cc_ops *const *a = cc_algorithms; *a; a++)
        if (thaw_is_text(i, (*a)->name))
            sf->cc.ops = *a;
    if (!sf->cc.ops)
        thaw_fail(i->all, THAW_NOBODY);
}

/* The windows, which were read before, stay what they are. */
static void begin(struct subflow *sf, const struct thaw_item *i)
{
    uint64_t cwnd = sf->cc.cwnd, ssthresh = sf->cc.ssthresh;

    if (!thaw_number(i, 1))
        return;
    if (!sf->cc.ops || sf->cc.priv) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    if (!tcp_cc_reserve(sf)) {
        thaw_fail(i->all, THAW_MEMORY);
        return;
    }
    sf->cc.mss = sf->size.mss;
    sf->cc.ops->init(&sf->cc, sf->env->wheel.now);
    sf->cc.cwnd = cwnd;
    sf->cc.ssthresh = ssthresh;
}

void tcp_thaw_cc(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;

    while (thaw_next(&t, &i)) {
        if (i.tag == NAME)
            name(sf, &i);
        else if (i.tag == COMMON)
            thaw_struct(&i, common_fields, &sf->cc);
        else if (i.tag == MADE)
            begin(sf, &i);
        else if (i.tag == STATE && sf->cc.priv)
            thaw_struct(&i, sf->cc.ops->state, sf->cc.priv);
        else
            thaw_unknown(&i);
    }
}

void tcp_freeze_undo(const struct subflow *sf, struct freezer *f, unsigned tag)
{
    if (!recovery_has_undo(sf))
        return;
    size_t g = freeze_begin(f, tag);
    freeze_struct(f, UNDO_COMMON, undo_fields, sf->undo);
    if (sf->cc.ops->saved_state)
        freeze_struct(f, UNDO_SAVED, sf->cc.ops->saved_state, sf->undo->saved);
    freeze_end(f, g);
}

/* Of an algorithm without a table nothing is saved: an undo that finds zeros would put the window to zero, so
 * there is none. */
static bool may_undo(const struct subflow *sf)
{
    return sf->cc.ops->saved_size == 0 || sf->cc.ops->saved_state;
}

void tcp_thaw_undo(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;

    if (!sf->cc.ops || recovery_has_undo(sf)) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    if (!may_undo(sf))
        return;
    recovery_reserve_undo(sf);
    if (!recovery_has_undo(sf)) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == UNDO_COMMON)
            thaw_struct(&i, undo_fields, sf->undo);
        else if (i.tag == UNDO_SAVED)
            thaw_struct(&i, sf->cc.ops->saved_state, sf->undo->saved);
        else
            thaw_unknown(&i);
    }
}
