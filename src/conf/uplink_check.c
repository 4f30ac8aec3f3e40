/* See uplink_check.h. */
#include <string.h>
#include "base/addr.h"
#include "conf/path_rules.h"
#include "conf/sections.h"
#include "conf/uplink_check.h"
#include "conf/uplink_places.h"

/* Ports that Linux does not draw its own from once they are reserved, and that IANA means for such use. */
#define UPLINK_PORT_FIRST 49152
#define UPLINK_PORT_LAST  61439

static int check_interface(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    const char *name = p->conf->uplinks[s->place].interface;
    if (strcmp(name, p->conf->tun.name) == 0)
        return parser_fail_at(p, parser_key_line(s, "interface"), s->title, "interface",
                              "%s is the TUN itself; give the interface by which packets leave", name);
    for (unsigned i = 0; i < index; i++) {
        const struct conf_section *other = &p->sections[i];
        if (other->kind == s->kind && strcmp(p->conf->uplinks[other->place].interface, name) == 0)
            return parser_fail_at(p, parser_key_line(s, "interface"), s->title, "interface",
                                  "%s is that of [%s] in line %d; give each uplink an interface of its own",
                                  name, other->title, parser_key_line(other, "interface"));
    }
    return 0;
}

/* The subnet's address with this number as its last byte. */
static struct braid_ip inner_address(const struct braid_ip *net, unsigned number)
{
    struct braid_ip ip = *net;
    ip.b[15] = (uint8_t)number;
    return ip;
}

static int check_name(struct parser *p, const struct conf_section *s)
{
    const char *name = p->conf->uplinks[s->place].name;
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *other = &p->sections[i];
        if (other->kind == &section_path && strcmp(p->conf->path_names[other->place], name) == 0)
            return parser_fail_at(p, s->line, s->title, NULL,
                                  "has the name of [%s] in line %d; give one of them another, since both are "
                                  "shown as paths",
                                  other->title, other->line);
    }
    return 0;
}

/* What the file says of paths comes first, so that it counts where it says more. */
static int add_rule(struct parser *p, const struct uplink_params *u)
{
    const struct braid_path_rule rule = {.local = u->inner[UPLINK_V4],
                                         .local_bits = 128,
                                         .also = u->inner[UPLINK_V6],
                                         .also_bits = 128,
                                         .cost = u->cost,
                                         .weight = u->weight,
                                         .quota = u->quota};
    return path_rules_add(p, u->name, &rule);
}

/* Ports that nobody asks for: those of the kernel's own connections would be taken for ours. */
static void settle_ports(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++)
        if (p->sections[i].kind == &section_tun && parser_given_line(&p->sections[i], "local_ports"))
            return;
    p->conf->limits.port_first = UPLINK_PORT_FIRST;
    p->conf->limits.port_last = UPLINK_PORT_LAST;
}

void uplinks_settle(struct parser *p)
{
    struct conf *c = p->conf;
    if (c->n_uplinks == 0 && (!p->before || p->before->n_uplinks == 0))
        return;
    settle_ports(p);
    if (p->before)
        uplink_places_keep(p);
    for (unsigned i = 0; i < p->n_sections; i++)
        if (p->sections[i].kind == &section_uplink && check_interface(p, i) == 0)
            check_name(p, &p->sections[i]);
    for (unsigned i = 0; i < c->n_uplinks; i++) {
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            c->uplinks[i].inner[f] = inner_address(&c->tun.uplinks[f], i + 1);
        add_rule(p, &c->uplinks[i]);
    }
}
