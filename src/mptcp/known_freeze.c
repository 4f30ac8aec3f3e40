/* Address lists, announcements, the path manager's words and what the user has said, as state: see
 * known_freeze.h. */
#include "mptcp/known_freeze.h"

#include <string.h>

#include "mptcp/conn.h"
#include "mptcp/known.h"

enum { COMMON = 1, LOCALS, REMOTES, ANNOUNCEMENTS, WITHDRAWALS, ECHOES, PAIR, RIGHTS, RIGHT, DEMAND, PAIRS };
enum { ONE = 1 };
enum { PAIR_LOCAL = 1, PAIR_REMOTE, PAIR_FIELDS };

static const struct braid_field common_fields[] = {BRAID_NUMBERS(1, struct conn_known, priv, 8, UINT64_MAX),
                                                   BRAID_ANY(2, struct conn_known, load.call_bytes),
                                                   BRAID_TIME(3, struct conn_known, load.call_waited),
                                                   BRAID_TIME(4, struct conn_known, load.waits_since),
                                                   BRAID_ANY(5, struct conn_known, next_id),
                                                   BRAID_BOOL(6, struct conn_known, departing),
                                                   BRAID_ANY(7, struct conn_known, ports.at),
                                                   BRAID_BOOL(8, struct conn_known, ports.begun),
                                                   BRAID_TIME(9, struct conn_known, opens.start),
                                                   BRAID_ANY(10, struct conn_known, opens.n),
                                                   {0}};
static const struct braid_field local_fields[] = {BRAID_NUMBERS(1, struct pm_local, addr.ip.b, 1, UINT8_MAX),
                                                  BRAID_ANY(2, struct pm_local, addr.port),
                                                  BRAID_ANY(3, struct pm_local, id),
                                                  BRAID_BOOL(4, struct pm_local, usable),
                                                  BRAID_BOOL(5, struct pm_local, subflow),
                                                  BRAID_BOOL(6, struct pm_local, signal),
                                                  BRAID_BOOL(7, struct pm_local, backup),
                                                  BRAID_BOOL(8, struct pm_local, announced),
                                                  {0}};
static const struct braid_field remote_fields[] = {
    BRAID_NUMBERS(1, struct pm_remote, addr.ip.b, 1, UINT8_MAX),
    BRAID_ANY(2, struct pm_remote, addr.port),
    BRAID_ANY(3, struct pm_remote, id),
    BRAID_BOOL(4, struct pm_remote, usable),
    {0}};
static const struct braid_field announcement_fields[] = {BRAID_BOOL(1, struct announcement, due),
                                                         BRAID_BOOL(2, struct announcement, echoed),
                                                         BRAID_NUMBER(3, struct announcement, sent, 31),
                                                         {0}};
/* A withdrawal has bits, which have no address. */
struct withdrawn {
    uint8_t id, left;
    bool due, held;
};
static const struct braid_field withdrawal_fields[] = {BRAID_ANY(1, struct withdrawn, id),
                                                       BRAID_ANY(2, struct withdrawn, left),
                                                       BRAID_BOOL(3, struct withdrawn, due),
                                                       BRAID_BOOL(4, struct withdrawn, held),
                                                       {0}};
static const struct braid_field echo_fields[] = {
    BRAID_BOOL(1, struct mptcp_add_addr, echo),
    BRAID_BOOL(2, struct mptcp_add_addr, has_port),
    BRAID_ANY(3, struct mptcp_add_addr, id),
    BRAID_NUMBERS(4, struct mptcp_add_addr, addr.ip.b, 1, UINT8_MAX),
    BRAID_ANY(5, struct mptcp_add_addr, addr.port),
    {0}};
static const struct braid_field pair_fields[] = {BRAID_TIME(1, struct pm_pair, open_at),
                                                 BRAID_ANY(2, struct pm_pair, failures),
                                                 BRAID_BOOL(3, struct pm_pair, worked),
                                                 BRAID_BOOL(4, struct pm_pair, closed),
                                                 {0}};
static const struct braid_field rights_fields[] = {BRAID_BOOL(1, struct conn_rights, listed_only), {0}};
static const struct braid_field right_fields[] = {BRAID_NUMBERS(1, struct right, ip.b, 1, UINT8_MAX),
                                                  BRAID_ANY(2, struct right, port),
                                                  BRAID_BOOL(3, struct right, may_use),
                                                  {0}};
static const struct braid_field demand_fields[] = {
    BRAID_ANY(1, struct conn_demand, expected.bytes),
    BRAID_NUMBER(2, struct conn_demand, expected.time, INT64_MAX),
    BRAID_ANY(3, struct conn_demand, expected.rate),
    BRAID_NUMBER(4, struct conn_demand, subflows, PM_MAX_SUBFLOWS),
    {0}};

/* The lists of struct conn_known whose lengths it has. */
#define LIST_LOCALS(m)  LOCALS, local_fields, (m)->locals, sizeof((m)->locals[0]), PM_MAX_LOCALS
#define LIST_REMOTES(m) REMOTES, remote_fields, (m)->remotes, sizeof((m)->remotes[0]), PM_MAX_REMOTES
#define LIST_ANNOUNCEMENTS(m)                                                                                \
    ANNOUNCEMENTS, announcement_fields, (m)->announcements, sizeof((m)->announcements[0]), PM_MAX_LOCALS
#define LIST_WITHDRAWALS(v) WITHDRAWALS, withdrawal_fields, v, sizeof((v)[0]), PM_MAX_LOCALS
#define LIST_ECHOES(m)      ECHOES, echo_fields, (m)->echoes, sizeof((m)->echoes[0]), ECHOES_MAX

static void freeze_list(struct freezer *f, unsigned n, unsigned tag, const struct braid_field *fields,
                        const void *list, size_t size, unsigned max)
{
    size_t g = freeze_begin(f, tag);
    for (unsigned i = 0; i < n && i < max; i++)
        freeze_struct(f, ONE, fields, (const uint8_t *)list + i * size);
    freeze_end(f, g);
}

static void freeze_withdrawals(struct freezer *f, const struct conn_known *m)
{
    struct withdrawn v[PM_MAX_LOCALS];
    for (unsigned i = 0; i < m->n_withdrawals; i++) {
        const struct withdrawal *w = &m->withdrawals[i];
        v[i] = (struct withdrawn){w->id, w->left, w->due, w->held};
    }
    freeze_list(f, m->n_withdrawals, LIST_WITHDRAWALS(v));
}

static void freeze_pairs(struct freezer *f, const struct conn_known *m)
{
    static const struct pm_pair nothing;
    freeze_number(f, PAIRS, 1);
    for (unsigned l = 0; l < PM_MAX_LOCALS; l++) {
        for (unsigned r = 0; r < PM_MAX_REMOTES; r++) {
            const struct pm_pair *p = &m->pairs[l][r];
            if (memcmp(p, &nothing, sizeof(nothing)) == 0)
                continue;
            size_t g = freeze_begin(f, PAIR);
            freeze_number(f, PAIR_LOCAL, l);
            freeze_number(f, PAIR_REMOTE, r);
            freeze_struct(f, PAIR_FIELDS, pair_fields, p);
            freeze_end(f, g);
        }
    }
}

void conn_freeze_known(const struct braid_conn *c, struct freezer *f, unsigned tag)
{
    const struct conn_known *m = c->pm.known;
    if (!m)
        return;
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, COMMON, common_fields, m);
    freeze_list(f, m->n_locals, LIST_LOCALS(m));
    freeze_list(f, m->n_remotes, LIST_REMOTES(m));
    freeze_list(f, m->n_locals, LIST_ANNOUNCEMENTS(m));
    freeze_withdrawals(f, m);
    freeze_list(f, m->n_echoes, LIST_ECHOES(m));
    if (m->pairs)
        freeze_pairs(f, m);
    if (m->rights) {
        freeze_struct(f, RIGHTS, rights_fields, m->rights);
        for (unsigned i = 0; i < m->rights->n; i++)
            freeze_struct(f, RIGHT, right_fields, &m->rights->list[i]);
    }
    if (m->demand)
        freeze_struct(f, DEMAND, demand_fields, m->demand);
    freeze_end(f, all);
}

/* How many were read. */
static uint8_t thaw_list(const struct thaw_item *group, unsigned tag, const struct braid_field *fields,
                         void *list, size_t size, unsigned max)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    uint8_t n = 0;
    (void)tag;
    while (thaw_next(&t, &i)) {
        if (i.tag != ONE)
            thaw_unknown(&i);
        else if (n == max)
            thaw_fail(i.all, THAW_WRONG);
        else
            thaw_struct(&i, fields, (uint8_t *)list + n++ * size);
    }
    return n;
}

static void take_withdrawals(struct conn_known *m, const struct thaw_item *i)
{
    struct withdrawn v[PM_MAX_LOCALS] = {{0}};
    m->n_withdrawals = thaw_list(i, LIST_WITHDRAWALS(v));
    for (unsigned n = 0; n < m->n_withdrawals; n++)
        m->withdrawals[n] =
            (struct withdrawal){.id = v[n].id, .left = v[n].left, .due = v[n].due, .held = v[n].held};
}

static void take_pair(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    unsigned l = 0, r = 0;
    struct pm_pair p = {.failures = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == PAIR_LOCAL)
            l = (unsigned)thaw_number(&i, PM_MAX_LOCALS - 1);
        else if (i.tag == PAIR_REMOTE)
            r = (unsigned)thaw_number(&i, PM_MAX_REMOTES - 1);
        else if (i.tag == PAIR_FIELDS)
            thaw_struct(&i, pair_fields, &p);
        else
            thaw_unknown(&i);
    }
    if (conn_know_pairs(c))
        c->pm.known->pairs[l][r] = p;
    else
        thaw_fail(group->all, THAW_MEMORY);
}

static void take_right(struct braid_conn *c, const struct thaw_item *i)
{
    struct conn_rights *r = conn_rights_of(c);
    if (!r)
        thaw_fail(i->all, THAW_MEMORY);
    else if (i->tag == RIGHTS)
        thaw_struct(i, rights_fields, r);
    else if (r->n == RIGHTS_MAX)
        thaw_fail(i->all, THAW_WRONG);
    else
        thaw_struct(i, right_fields, &r->list[r->n++]);
}

static void take_demand(struct braid_conn *c, const struct thaw_item *i)
{
    struct conn_demand *d = conn_demand_place(c);
    if (d)
        thaw_struct(i, demand_fields, d);
    else
        thaw_fail(i->all, THAW_MEMORY);
}

static void take(struct braid_conn *c, const struct thaw_item *i)
{
    struct conn_known *m = c->pm.known;
    switch (i->tag) {
    case COMMON:
        thaw_struct(i, common_fields, m);
        break;
    case LOCALS:
        m->n_locals = thaw_list(i, LIST_LOCALS(m));
        break;
    case REMOTES:
        m->n_remotes = thaw_list(i, LIST_REMOTES(m));
        break;
    case ANNOUNCEMENTS:
        thaw_list(i, LIST_ANNOUNCEMENTS(m));
        break;
    case WITHDRAWALS:
        take_withdrawals(m, i);
        break;
    case ECHOES:
        m->n_echoes = thaw_list(i, LIST_ECHOES(m));
        break;
    case PAIRS:
        if (thaw_number(i, 1) && !conn_know_pairs(c))
            thaw_fail(i->all, THAW_MEMORY);
        break;
    case PAIR:
        take_pair(c, i);
        break;
    case RIGHTS:
    case RIGHT:
        take_right(c, i);
        break;
    case DEMAND:
        take_demand(c, i);
        break;
    default:
        thaw_unknown(i);
    }
}

void conn_thaw_known(struct braid_conn *c, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    if (!conn_know(c)) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i))
        take(c, &i);
    /* the peer has the initial address without a word: nobody announces it */
    if (c->pm.known->n_locals == 0 || c->pm.known->n_remotes == 0 || c->pm.known->locals[0].signal)
        thaw_fail(group->all, THAW_WRONG);
}
