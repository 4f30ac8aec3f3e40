/* A certain number of subflows, whatever the path manager would have (REQ7 of RFC 6897): what it does beside
 * that, such as announcing, it goes on doing. */
#include "pm/wanted.h"

/* One that ends, or that is lost, is none that the user could have wanted. */
static bool counts(const struct pm_subflow *s)
{
    return !s->closing && !s->lost;
}

static bool is_planned(const struct pm_plan *plan, enum pm_do what, uint32_t id)
{
    for (unsigned i = 0; i < plan->n; i++)
        if (plan->actions[i].what == what && (what == PM_OPEN || plan->actions[i].subflow == id))
            return true;
    return false;
}

/* Those that the plan leaves. */
static unsigned counted(const struct pm_view *v, const struct pm_plan *plan)
{
    unsigned n = 0;

    for (unsigned i = 0; i < v->n_subflows; i++)
        n += counts(&v->subflows[i]) && !is_planned(plan, PM_CLOSE, v->subflows[i].id);
    return n;
}

/* Whether any is up. While none is, nobody knows which of them would work: all are tried, whatever the
 * number. */
static bool has_one(const struct pm_view *v)
{
    for (unsigned i = 0; i < v->n_subflows; i++)
        if (counts(&v->subflows[i]) && v->subflows[i].established)
            return true;
    return false;
}

unsigned pm_number_limit(const struct pm_view *v)
{
    const struct pm_plan none = {.n = 0};
    unsigned others = v->n_subflows - counted(v, &none);

    if (v->wanted == 0 || v->wanted + others > v->max_subflows || !has_one(v))
        return v->max_subflows;
    return v->wanted + others;
}

/* How little is lost with it. The first subflow, by whose ends programs know the connection, is the last. */
static unsigned spareness(const struct pm_subflow *s)
{
    return s->stale ? 4 : !s->established ? 3 : s->backup ? 2 : s->id > 0;
}

/* The newest of those that can be spared most; v->n_subflows: none is to be closed. */
static unsigned most_spare(const struct pm_view *v, const struct pm_plan *plan)
{
    unsigned most = v->n_subflows;

    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        if (!counts(s) || is_planned(plan, PM_CLOSE, s->id) || (s->wished && s->id == 0))
            continue;
        if (most == v->n_subflows || spareness(s) >= spareness(&v->subflows[most]))
            most = i;
    }
    return most;
}

/* Those that are lost, once others have taken their places, and what there is beside as many as are wanted.
 */
static void close_surplus(const struct pm_view *v, struct pm_plan *plan, unsigned have)
{
    for (unsigned i = 0; i < v->n_subflows && have >= v->wanted; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        if (s->ours && s->lost && !s->closing && !s->wished && !is_planned(plan, PM_CLOSE, s->id))
            pm_close(plan, s->id);
    }
    for (unsigned i; have > v->wanted && (i = most_spare(v, plan)) < v->n_subflows; have--)
        pm_close(plan, v->subflows[i].id);
}

/* One more between each two addresses, until there are enough; only then a second one, with the next view. */
static void open_missing(const struct pm_view *v, struct pm_plan *plan, unsigned have)
{
    if (!has_one(v))
        pm_want_mesh(v, plan, 1);
    for (unsigned each = 1; each <= v->wanted && have < v->wanted && !is_planned(plan, PM_OPEN, 0); each++)
        pm_want_mesh(v, plan, each);
}

void pm_keep_number(const struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    if (v->wanted == 0)
        return;
    if (!pm->ops->opens) /* else it has */
        pm_give_up(v, plan, v->wanted);
    unsigned have = counted(v, plan);
    if (has_one(v))
        close_surplus(v, plan, have);
    if (v->opener || pm->ops->opens)
        open_missing(v, plan, have);
}
