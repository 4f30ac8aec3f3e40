/* See watched.h. */
#include "admin/watched.h"
#include <string.h>
#include "base/addr.h"

static const char *kind_text(unsigned kind)
{
    if (kind == WATCHED_UPLINK)
        return BRAID_WATCH_UPLINK;
    return kind == WATCHED_TARGET ? BRAID_WATCH_TARGET : braid_event_text((enum braid_event_kind)kind);
}

static bool take_kind(struct watched *w, const char *word, size_t len)
{
    for (unsigned i = 0; i < WATCHED_KINDS; i++) {
        const char *text = kind_text(i);
        if (strlen(text) != len || strncmp(text, word, len) != 0)
            continue;
        w->kinds |= 1u << i;
        return true;
    }
    return false;
}

static bool take_kinds(struct watched *w, const char *value)
{
    for (;;) {
        size_t len = strcspn(value, ",");
        if (!take_kind(w, value, len))
            return false;
        if (!value[len])
            return true;
        value += len + 1;
    }
}

bool watched_take(struct watched *w, const char *parameter)
{
    const char *unused;
    if (strncmp(parameter, "kind=", 5) == 0)
        return take_kinds(w, parameter + 5);
    if (filter_take(&w->filter, parameter, &unused) <= 0)
        return false;
    return (w->filter.said & ~(1u << BRAID_FILTER_EDGE | 1u << BRAID_FILTER_CLIENT)) == 0;
}

static bool has_kind(const struct watched *w, unsigned kind)
{
    return w->kinds == 0 || w->kinds >> kind & 1;
}

bool watched_has(const struct watched *w, const struct watch_event *e)
{
    const struct filter *f = &w->filter;
    bool of_target = e->target != WATCH_NO_TARGET;
    if (e->lost > 0)
        return true;
    if (!has_kind(w, of_target ? WATCHED_TARGET : (unsigned)e->event.kind))
        return false;
    if (filter_says(f, BRAID_FILTER_EDGE) && strcmp(f->edge, e->edge) != 0)
        return false;
    return !filter_says(f, BRAID_FILTER_CLIENT) ||
           (!of_target && ip_in_prefix(&e->client.ip, &f->client.ip, f->client.bits));
}

bool watched_has_uplinks(const struct watched *w)
{
    return has_kind(w, WATCHED_UPLINK) && w->filter.said == 0;
}
