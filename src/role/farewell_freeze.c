/* See farewell_freeze.h. Paths are known by their names, which need not be those of rules that there are. */
#include "role/farewell_freeze.h"
#include "role/farewell_state.h"

enum { PAST_SUBFLOWS = 1, PAST_PROTOCOL, PAST_KEPT, PAST_PATH, PAST_CLIENT, PAST_SERVICE };
enum { PATH_NAME = 1, PATH_IN, PATH_OUT };

#define NAME_MOST 255 /* bytes */

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_path(const struct carried_bytes *b, struct freezer *f)
{
    size_t g = freeze_begin(f, PAST_PATH);
    freeze_text(f, PATH_NAME, b->path);
    freeze_number(f, PATH_IN, b->in);
    freeze_number(f, PATH_OUT, b->out);
    freeze_end(f, g);
}

void farewells_freeze(const struct farewells *f, uint64_t conn, struct freezer *into, unsigned tag)
{
    const struct past *p = f ? farewell_past(f, conn) : NULL;
    if (!p)
        return;
    size_t g = freeze_begin(into, tag);
    freeze_number(into, PAST_SUBFLOWS, p->tally.subflows);
    freeze_text(into, PAST_PROTOCOL, p->tally.protocol);
    freeze_number(into, PAST_KEPT, p->kept);
    for (unsigned i = 0; i <= FAREWELL_PATHS && p->tally.paths[i].path; i++)
        freeze_path(&p->tally.paths[i], into);
    if (p->has_ends) {
        freeze_addr(into, PAST_CLIENT, &p->client);
        freeze_addr(into, PAST_SERVICE, &p->service);
    }
    freeze_end(into, g);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static const char *protocol_of(const struct thaw_item *i)
{
    const char *const *p = farewell_protocols;
    while (*p && !thaw_is_text(i, *p))
        p++;
    return *p;
}

static void thaw_path(struct farewells *f, const struct thaw_item *group, struct tally *t)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    char name[NAME_MOST + 1] = "";
    uint64_t bytes[2] = {0};
    while (thaw_next(&in, &i)) {
        if (i.tag == PATH_NAME && i.len <= NAME_MOST)
            thaw_bytes(&i, name, i.len);
        else if (i.tag == PATH_IN || i.tag == PATH_OUT)
            bytes[i.tag - PATH_IN] = thaw_number(&i, BRAID_MUCH);
        else
            thaw_unknown(&i);
    }
    const char *path = thaw_fine(group->all) ? farewell_path(f, name) : NULL;
    if (path)
        farewell_add(t, path, bytes[0], bytes[1]);
    else
        thaw_fail(group->all, THAW_MEMORY);
}

static void take(struct farewells *f, const struct thaw_item *i, struct past *p)
{
    switch (i->tag) {
    case PAST_SUBFLOWS:
        p->tally.subflows = (unsigned)thaw_number(i, UINT32_MAX);
        break;
    case PAST_PROTOCOL:
        p->tally.protocol = protocol_of(i);
        break;
    case PAST_KEPT:
        p->kept = thaw_number(i, 1);
        break;
    case PAST_PATH:
        thaw_path(f, i, &p->tally);
        break;
    case PAST_CLIENT:
        thaw_struct(i, addr_fields, &p->client);
        break;
    case PAST_SERVICE:
        thaw_struct(i, addr_fields, &p->service);
        p->has_ends = true;
        break;
    default:
        thaw_unknown(i);
    }
}

void farewells_thaw(struct farewells *f, uint64_t conn, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct past *p = f ? farewell_past_made(f, conn) : NULL;
    while (p && thaw_next(&in, &i))
        take(f, &i, p);
}
