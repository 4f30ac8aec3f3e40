/* Checks that concern more than one key: required keys, and addresses that must not meet. */
#include <string.h>
#include "base/addr.h"
#include "conf/check.h"
#include "conf/cpe_check.h"
#include "conf/edge_modes.h"
#include "conf/policy_check.h"
#include "conf/profiles.h"
#include "conf/relay_keys.h"
#include "conf/sections.h"
#include "conf/uplink_check.h"
#include "role/flaw.h"

static bool is_edge(const struct conf_section *s)
{
    return s->kind == &section_edge;
}

static bool is_transparent(const struct parser *p, const struct conf_section *s)
{
    return is_edge(s) && p->conf->edges[s->place].kind == EDGE_TRANSPARENT;
}

/* Two transparent edges must not both want a connection. */
static int check_ports(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    const struct edge_params *e = &p->conf->edges[s->place];
    for (unsigned i = 0; i < index; i++) {
        const struct conf_section *other = &p->sections[i];
        if (!is_transparent(p, other))
            continue;
        const struct edge_params *o = &p->conf->edges[other->place];
        if (o->port_first <= e->port_last && e->port_first <= o->port_last)
            return parser_fail_at(p, parser_key_line(s, "ports"), s->title, "ports",
                                  "%u-%u meets %u-%u of [%s] in line %d; give each transparent edge ports of "
                                  "its own",
                                  e->port_first, e->port_last, o->port_first, o->port_last, other->title,
                                  parser_key_line(other, "ports"));
    }
    return 0;
}

static int check_required(struct parser *p, const struct conf_section *s)
{
    for (unsigned i = 0; s->kind->keys[i].name; i++) {
        const struct conf_key *k = &s->kind->keys[i];
        bool known = !is_edge(s) || edge_mode_has(p->conf->edges[s->place].kind, k->name);
        if (k->required && !s->key_lines[i] && known)
            return parser_fail_at(p, s->line, s->title, k->name, "is missing; add one, such as %s = %s",
                                  k->name, k->example);
    }
    return 0;
}

static bool listens_at(const struct edge_params *e, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < e->n_listen; i++)
        if (addr_equal(&e->listen[i], addr))
            return true;
    return false;
}

/* Nobody in the sections before this one has the address. */
static int check_free(struct parser *p, unsigned index, const struct braid_addr *addr)
{
    const struct conf_section *s = &p->sections[index];
    char text[ADDR_TEXT];
    addr_text(addr, text);
    if (addr_equal(addr, &p->conf->admin.listen))
        return parser_fail_at(
            p, parser_key_line(s, "listen"), s->title, "listen",
            "%s is the listen address of [admin] already; give each its own address or port", text);
    for (unsigned i = 0; i < index; i++) {
        const struct conf_section *other = &p->sections[i];
        if (is_edge(other) && listens_at(&p->conf->edges[other->place], addr))
            return parser_fail_at(p, parser_key_line(s, "listen"), s->title, "listen",
                                  "%s is taken by [%s] in line %d; give each edge its own address or port",
                                  text, other->title, parser_key_line(other, "listen"));
    }
    return 0;
}

static int check_listen_unique(struct parser *p, unsigned index)
{
    const struct edge_params *e = &p->conf->edges[p->sections[index].place];
    for (unsigned i = 0; i < e->n_listen; i++)
        if (check_free(p, index, &e->listen[i]) < 0)
            return -1;
    return 0;
}

/* A connection to an address that is routed to the TUN comes back to Braid, whatever its port. Names are
 * looked at when they are looked up (role/resolver.c). */
static int check_targets(struct parser *p, const struct conf_section *s)
{
    const struct pool_params *pool = &p->conf->edges[s->place].pool;
    char flaw[FLAW_TEXT];
    struct braid_ip ip;
    for (unsigned i = 0; i < pool->n; i++) {
        const char *host = pool->targets[i].host;
        if (ip_parse(host, &ip) == 0 && flaw_of(p->conf->edges, p->conf->n_edges, &ip, flaw))
            return parser_fail_at(p, parser_key_line(s, "target"), s->title, "target",
                                  "%s %s; give the server's own address, and another one to listen", host,
                                  flaw);
    }
    return 0;
}

static int check_signal(struct parser *p, const struct conf_section *s)
{
    const struct edge_params *e = &p->conf->edges[s->place];
    char text[ADDR_TEXT];
    if (e->n_listen != 1)
        return 0; /* of several, a client knows one */
    for (unsigned i = 0; i < e->n_signal; i++)
        if (ip_equal(&e->signal[i], &e->listen[0].ip))
            return parser_fail_at(
                p, parser_key_line(s, "signal"), s->title, "signal",
                "%s is the listen address, which every client knows; give other addresses only",
                ip_text(&e->signal[i], text));
    return 0;
}

static int check_edge(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    if (is_transparent(p, s))
        return check_ports(p, index);
    if (check_listen_unique(p, index) < 0 || check_targets(p, s) < 0)
        return -1;
    return check_signal(p, s);
}

static int check_path(struct parser *p, const struct conf_section *s)
{
    if (s->kind != &section_path || parser_given_line(s, "local") || parser_given_line(s, "remote"))
        return 0;
    return parser_fail_at(p, s->line, s->title, "remote",
                          "is missing, and so is local; add one of them, such as remote = 192.0.2.0/24");
}

/* Without a user nobody is become. */
static int check_group(struct parser *p, const struct conf_section *s)
{
    if (s->kind != &section_daemon || !parser_given_line(s, "group") || p->conf->daemon.user)
        return 0;
    return parser_fail_at(p, parser_key_line(s, "group"), s->title, "group",
                          "is that of user, which is missing; add one, such as user = braid");
}

int conf_check(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (check_path(p, s) == 0 && check_group(p, s) == 0 && (!is_edge(s) || edge_modes_check(p, s) == 0))
            check_required(p, s);
    }
    if (p->n_errors > 0)
        return -1;
    for (unsigned i = 0; i < p->n_sections; i++)
        if (is_edge(&p->sections[i]))
            check_edge(p, i);
    if (p->conf->n_edges == 0 && p->conf->n_cpes == 0)
        parser_fail_at(p, p->line ? p->line : 1, NULL, NULL,
                       "there is no [edge NAME] section; add at least one, with its listen and target, or a "
                       "[cpe NAME] section");
    uplinks_settle(p);
    if (!profiles_settle(p->conf))
        return parser_fail_at(p, 0, NULL, NULL, "memory is short");
    relay_profiles_find(p);
    policies_settle(p);
    for (unsigned i = 0; i < p->n_sections && p->n_errors == 0; i++)
        if (p->sections[i].kind == &section_cpe)
            cpe_check(p, i);
    return p->n_errors > 0 ? -1 : 0;
}
