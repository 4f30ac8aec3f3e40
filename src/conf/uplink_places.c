/* See uplink_places.h. */
#include "conf/uplink_places.h"
#include "conf/sections.h"

/* Names are compared by where they are (names.h). -1: there is none. */
static int place_of(const struct uplink_params *all, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (all[i].name == name)
            return (int)i;
    return -1;
}

/* Of those that are taken, a bit each; and of those that are kept for what is gone, if there is no other. */
static unsigned free_place(unsigned taken, unsigned kept)
{
    unsigned avoid = taken | kept, all = (1u << UPLINKS_MAX) - 1;
    if ((avoid & all) == all)
        avoid = taken;
    unsigned place = 0;
    while (avoid >> place & 1)
        place++;
    return place;
}

static void place_sections(struct parser *p, const unsigned places[UPLINKS_MAX])
{
    for (unsigned i = 0; i < p->n_sections; i++)
        if (p->sections[i].kind == &section_uplink)
            p->sections[i].place = places[p->sections[i].place];
}

void uplink_places_keep(struct parser *p)
{
    struct conf *c = p->conf;
    const struct conf *before = p->before;
    struct uplink_params read[UPLINKS_MAX];
    unsigned places[UPLINKS_MAX], taken = 0, kept = (1u << before->n_uplinks) - 1;
    for (unsigned i = 0; i < c->n_uplinks; i++) {
        read[i] = c->uplinks[i];
        int place = place_of(before->uplinks, before->n_uplinks, read[i].name);
        places[i] = place < 0 ? UPLINKS_MAX : (unsigned)place;
        taken |= place < 0 ? 0 : 1u << place;
    }
    for (unsigned i = 0; i < c->n_uplinks; i++) {
        if (places[i] == UPLINKS_MAX)
            places[i] = free_place(taken, kept);
        taken |= 1u << places[i];
    }
    for (unsigned i = 0; i < before->n_uplinks; i++) {
        c->uplinks[i] = before->uplinks[i];
        c->uplinks[i].gone = true;
        c->uplinks[i].interface[0] = '\0';
    }
    for (unsigned i = 0; i < c->n_uplinks; i++)
        c->uplinks[places[i]] = read[i];
    place_sections(p, places);
    for (c->n_uplinks = before->n_uplinks; taken >> c->n_uplinks;)
        c->n_uplinks++;
}
