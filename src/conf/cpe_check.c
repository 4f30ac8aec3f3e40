/* See cpe_check.h. */
#include "conf/cpe_check.h"
#include "base/addr.h"
#include "conf/algorithms.h"
#include "conf/sections.h"
#include "role/flaw.h"

#define PATH_MANAGER "fullmesh" /* a subflow over each uplink; docs/algorithms.md has why not on demand */

/* Private addresses are seldom what lies behind an uplink. */
static const char usual_exceptions[] = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7";

static const char *const usual_listen[CPE_LISTEN_MAX] = {"127.0.0.1:8684", "[::1]:8684"};

static int check_peers(struct parser *p, const struct conf_section *s)
{
    const struct cpe_params *c = &p->conf->cpes[s->place];
    char flaw[FLAW_TEXT];
    struct braid_ip ip;
    if (c->kind == CPE_TRANSPARENT && c->n_peers > 0)
        return parser_fail_at(
            p, parser_key_line(s, "peer"), s->title, "peer",
            "has no meaning with mode = transparent, which goes straight to the server that "
            "the device meant; remove it, or set mode = convert or explicit");
    if (c->kind != CPE_TRANSPARENT && c->n_peers == 0)
        return parser_fail_at(p, s->line, s->title, "peer",
                              "is missing; add one, such as peer = 198.51.100.1:5124");
    for (unsigned i = 0; i < c->n_peers; i++)
        if (ip_parse(c->peers[i].host, &ip) == 0 && flaw_of(p->conf->edges, p->conf->n_edges, &ip, flaw))
            return parser_fail_at(p, parser_key_line(s, "peer"), s->title, "peer",
                                  "%s %s; give the address of another machine", c->peers[i].host, flaw);
    return 0;
}

static int check_convert(struct parser *p, const struct conf_section *s)
{
    static const char *const keys[] = {"bypass", "cookie", "psk"};
    const struct cpe_params *c = &p->conf->cpes[s->place];
    int psk = parser_given_line(s, "psk");
    for (unsigned i = 0; c->kind != CPE_CONVERT && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (parser_given_line(s, keys[i]))
            return parser_fail_at(p, parser_given_line(s, keys[i]), s->title, keys[i],
                                  "has a meaning only with mode = convert; remove it, or set that");
    if (c->cookie == CONVERT_COOKIE_PSK && !psk)
        return parser_fail_at(p, parser_key_line(s, "cookie"), s->title, "psk",
                              "is missing; add the secret that this CPE shares with its peers, %d to %d "
                              "characters, or set cookie = address",
                              CONVERT_PSK_MIN, CONVERT_PSK_MAX);
    if (psk && c->cookie != CONVERT_COOKIE_PSK)
        return parser_fail_at(p, psk, s->title, "psk",
                              "has a meaning only with cookie = psk; remove it, or set that");
    return 0;
}

/* Without any: the usual ones. */
static int check_listen(struct parser *p, const struct conf_section *s)
{
    struct cpe_params *c = &p->conf->cpes[s->place];
    int line = parser_key_line(s, "listen");
    if (!c->tproxy && c->n_listen > 0)
        return parser_fail_at(p, line, s->title, "listen",
                              "has no meaning with intercept = tun, where nothing listens; remove it, or set "
                              "intercept = tproxy");
    bool usual = c->tproxy && c->n_listen == 0;
    for (unsigned i = 0; usual && i < CPE_LISTEN_MAX; i++)
        if (cpe_add_listen(p, c, usual_listen[i]) < 0)
            return -1;
    for (unsigned i = 0; i < p->conf->n_cpes; i++) {
        const struct cpe_params *other = &p->conf->cpes[i];
        for (unsigned j = 0; other < c && j < other->n_listen; j++)
            for (unsigned k = 0; k < c->n_listen; k++)
                if (addr_equal(&other->listen[j], &c->listen[k]))
                    return parser_fail_at(p, line, s->title, "listen",
                                          "has an address of [cpe %s]; give each CPE others", other->name);
    }
    return 0;
}

/* The ports of what takes connections to any address; false: it does not. */
static bool ports_of(const struct parser *p, const struct conf_section *s, uint16_t *first, uint16_t *last)
{
    if (s->kind == &section_cpe && !p->conf->cpes[s->place].tproxy) {
        *first = p->conf->cpes[s->place].port_first;
        *last = p->conf->cpes[s->place].port_last;
        return true;
    }
    if (s->kind != &section_edge || p->conf->edges[s->place].kind != EDGE_TRANSPARENT)
        return false;
    *first = p->conf->edges[s->place].port_first;
    *last = p->conf->edges[s->place].port_last;
    return true;
}

/* Wherever it stands in the file: only one of two CPEs reports that they meet. */
static int check_ports(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    uint16_t first = 0, last = 0, from, to;
    if (!ports_of(p, s, &first, &last))
        return 0;
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *other = &p->sections[i];
        if (i == index || (other->kind == s->kind && i > index) || !ports_of(p, other, &from, &to))
            continue;
        if (from <= last && first <= to)
            return parser_fail_at(p, parser_key_line(s, "ports"), s->title, "ports",
                                  "%u-%u meets %u-%u of [%s] in line %d; give each CPE and each transparent "
                                  "edge ports of its own",
                                  first, last, from, to, other->title, parser_key_line(other, "ports"));
    }
    return 0;
}

static int check_uplinks(struct parser *p, const struct conf_section *s)
{
    for (unsigned i = 0; i < p->conf->n_uplinks; i++)
        if (!p->conf->uplinks[i].gone)
            return 0;
    return parser_fail_at(p, s->line, s->title, NULL,
                          "has no way out: there is no [uplink NAME] section; add one for each line to the "
                          "internet, with its interface");
}

int cpe_check(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    struct cpe_params *c = &p->conf->cpes[s->place];
    if (check_peers(p, s) < 0 || check_convert(p, s) < 0 || check_listen(p, s) < 0 ||
        check_ports(p, index) < 0 || check_uplinks(p, s) < 0)
        return -1;
    if (!c->pm)
        c->pm = conf_path_manager(PATH_MANAGER);
    return parser_given_line(s, "except") ? 0 : cpe_add_except(p, c, usual_exceptions);
}
