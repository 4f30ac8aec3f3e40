/* What is right by itself, and will have no effect, or another one than whoever wrote it may think. */
#include "base/addr.h"
#include "base/port_range.h"
#include "conf/admin_check.h"
#include "conf/policy_check.h"
#include "conf/relay_keys.h"
#include "conf/sections.h"
#include "conf/warnings.h"

static bool same_prefixes(const struct braid_path_rule *a, const struct braid_path_rule *b)
{
    return a->local_bits == b->local_bits && a->remote_bits == b->remote_bits &&
           ip_equal(&a->local, &b->local) && ip_equal(&a->remote, &b->remote);
}

/* The first path that a subflow matches counts. */
static void warn_of_path(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    for (unsigned i = 0; i < index; i++) {
        const struct conf_section *other = &p->sections[i];
        if (other->kind != s->kind ||
            !same_prefixes(&p->conf->paths[other->place], &p->conf->paths[s->place]))
            continue;
        parser_warn(p, s->line, s->title, NULL,
                    "has the prefixes of [%s] in line %d, which comes first and counts: this one never does; "
                    "remove one of the two",
                    other->title, other->line);
        return;
    }
}

static bool uses(const struct relay_choice *choice, const struct profile *profile)
{
    const struct profile *own = *choice->profile;
    if (own == profile || (own && (own->bulk == profile || own->interactive == profile)))
        return true;
    for (unsigned i = 0; i < *choice->n_port_profiles; i++) {
        const struct profile *q = choice->port_profiles[i].profile;
        if (q == profile || q->bulk == profile || q->interactive == profile)
            return true;
    }
    return false;
}

static void warn_of_profile(struct parser *p, const struct conf_section *s)
{
    const struct profile *profile = p->conf->profiles[s->place];
    struct relay_choice choice;
    for (unsigned i = 0; i < p->n_sections; i++)
        if (relay_choice_of(p->conf, &p->sections[i], &choice) && uses(&choice, profile))
            return;
    if (policies_use(p->conf, profile))
        return;
    parser_warn(
        p, s->line, s->title, NULL,
        "no edge and no CPE uses it; name it with profile or profiles, or set it with \"braidctl set\"");
}

static void warn_of_ports(struct parser *p, const struct conf_section *s, const struct relay_choice *choice,
                          uint16_t first, uint16_t last)
{
    for (unsigned i = 0; i < *choice->n_port_profiles; i++) {
        const struct port_profile *q = &choice->port_profiles[i];
        if (q->last < first || q->first > last)
            parser_warn(p, parser_key_line(s, "profiles"), s->title, "profiles",
                        "%u-%u:%s is outside of its ports, %u-%u: no connection will have it", q->first,
                        q->last, q->name, first, last);
    }
}

static void warn_of_relay(struct parser *p, const struct conf_section *s)
{
    const struct conf *c = p->conf;
    struct relay_choice choice;
    if (!relay_choice_of(p->conf, s, &choice))
        return;
    if (s->kind == &section_edge)
        warn_of_ports(p, s, &choice, c->edges[s->place].port_first, c->edges[s->place].port_last);
    else
        warn_of_ports(p, s, &choice, c->cpes[s->place].port_first, c->cpes[s->place].port_last);
}

/* An open converter that asks for no proof is everybody's way to every server that this machine reaches. */
static void warn_of_converter(struct parser *p, const struct conf_section *s)
{
    const struct edge_params *e = s->kind == &section_edge ? &p->conf->edges[s->place] : NULL;
    if (e && e->kind == EDGE_CONVERT && e->convert.open && e->convert.cookie != CONVERT_COOKIE_PSK)
        parser_warn(p, parser_key_line(s, "open"), s->title, "open",
                    "lets everybody who reaches listen connect to servers from here; name the clients by "
                    "allow, or have them prove that they may by cookie = psk");
}

static void warn_of_limits(struct parser *p, const struct conf_section *s)
{
    const struct braid_core_params *limits = &p->conf->limits;
    if (limits->memory == 0)
        return; /* it follows the machine's */
    if (limits->rcvbuf_max > limits->memory)
        parser_warn(p, parser_key_line(s, "rcvbuf"), s->title, "rcvbuf",
                    "is more than memory allows to all connections together; one connection will not get it");
    if (limits->sndbuf_max > limits->memory)
        parser_warn(p, parser_key_line(s, "sndbuf"), s->title, "sndbuf",
                    "is more than memory allows to all connections together; one connection will not get it");
}

static void warn_of_tun(struct parser *p, const struct conf_section *s)
{
    const struct braid_core_params *core = &p->conf->limits;
    unsigned n = port_range_count((struct port_range){core->port_first, core->port_last});
    unsigned workers = p->conf->daemon.workers > 0 ? p->conf->daemon.workers : 1, share = n / workers;
    int line = parser_key_line(s, "local_ports");
    if (share == 0)
        parser_warn(
            p, line, s->title, "local_ports",
            "has %u port%s for %u workers: connections of two of them may take the same one, and fail", n,
            n == 1 ? "" : "s", workers);
    else if (share < core->max_subflows)
        parser_warn(p, line, s->title, "local_ports",
                    "has %u port%s %sfor the %u subflows that a connection may have: some cannot be opened",
                    share, share == 1 ? "" : "s", workers > 1 ? "of each worker " : "", core->max_subflows);
}

void conf_warn(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (s->kind == &section_path)
            warn_of_path(p, i);
        else if (s->kind == &section_profile)
            warn_of_profile(p, s);
        else if (s->kind == &section_tun)
            warn_of_tun(p, s);
        else if (s->kind == &section_limits)
            warn_of_limits(p, s);
        else if (s->kind == &section_admin)
            admin_warn(p, s);
        warn_of_relay(p, s);
        warn_of_converter(p, s);
        policy_warn(p, i);
    }
}
