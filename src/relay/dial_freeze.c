/* See dial_freeze.h. */
#include "relay/dial_freeze.h"

enum { DIAL_COMMON = 1, DIAL_ATTEMPT };
enum { ATTEMPT_ADDR = 1, ATTEMPT_PROBING, ATTEMPT_FD };

static const struct braid_field fields[] = {BRAID_NUMBER(1, struct dial_progress, next, TARGETS_MAX),
                                            BRAID_NUMBER(2, struct dial_progress, error, 4095),
                                            BRAID_TIME(3, struct dial_progress, deadline),
                                            {0}};

void dial_freeze(const struct dial *d, struct freezer *f, unsigned tag, struct refs_out *out)
{
    struct dial_progress p;
    dial_look(d, &p);
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, DIAL_COMMON, fields, &p);
    for (unsigned i = 0; i < p.n; i++) {
        size_t g = freeze_begin(f, DIAL_ATTEMPT);
        freeze_struct(f, ATTEMPT_ADDR, addr_fields, &p.attempts[i].addr);
        freeze_number(f, ATTEMPT_PROBING, p.attempts[i].probing);
        if (p.attempts[i].fd >= 0)
            refs_put(f, ATTEMPT_FD, out, p.attempts[i].fd);
        freeze_end(f, g);
    }
    freeze_end(f, all);
}

static void thaw_attempt(const struct thaw_item *group, struct dial_attempt *a, struct refs *refs)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    a->fd = -1;
    while (thaw_next(&t, &i)) {
        if (i.tag == ATTEMPT_ADDR)
            thaw_struct(&i, addr_fields, &a->addr);
        else if (i.tag == ATTEMPT_PROBING)
            a->probing = thaw_number(&i, 1);
        else if (i.tag == ATTEMPT_FD && a->fd < 0)
            a->fd = refs_fd(refs, &i);
        else
            thaw_unknown(&i);
    }
}

struct dial *dial_thaw(const struct thaw_item *group, struct event_base *base,
                       const struct dial_params *params, struct refs *refs)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct dial_progress p = {.n = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == DIAL_COMMON)
            thaw_struct(&i, fields, &p);
        else if (i.tag == DIAL_ATTEMPT && p.n < TARGETS_MAX)
            thaw_attempt(&i, &p.attempts[p.n++], refs);
        else
            thaw_unknown(&i);
    }
    for (unsigned n = p.next; n < p.n; n++)
        if (p.attempts[n].fd >= 0)
            thaw_fail(group->all, THAW_WRONG);
    if (p.n == 0 || p.next > p.n)
        thaw_fail(group->all, THAW_WRONG);
    struct dial *d = thaw_fine(group->all) ? dial_resume(base, params, &p) : NULL;
    if (!d)
        thaw_fail(group->all, THAW_MEMORY);
    return d;
}
