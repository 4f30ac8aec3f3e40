/* Checks that concern more than one key: required keys, and addresses that must not meet. */
#include <string.h>
#include "base/addr.h"
#include "conf/parser.h"
#include "conf/values.h"

/* Line of the key, or of its section if the key was not given. */
static int key_line(const struct conf_section *s, const char *key)
{
    for (unsigned i = 0; s->kind->keys[i].name; i++)
        if (strcmp(s->kind->keys[i].name, key) == 0 && s->key_lines[i])
            return s->key_lines[i];
    return s->line;
}

static int check_required(struct parser *p, const struct conf_section *s)
{
    for (unsigned i = 0; s->kind->keys[i].name; i++) {
        const struct conf_key *k = &s->kind->keys[i];
        if (k->required && !s->key_lines[i])
            return parser_fail_at(p, s->line, s->title, k->name, "is missing; add one, such as %s = %s",
                                  k->name, k->example);
    }
    return 0;
}

static int check_listen_unique(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    const struct edge_params *e = &p->conf->edges[s->edge];
    char text[ADDR_TEXT];
    addr_text(&e->listen, text);
    if (addr_equal(&e->listen, &p->conf->admin.listen))
        return parser_fail_at(
            p, key_line(s, "listen"), s->title, "listen",
            "%s is the listen address of [admin] already; give each its own address or port", text);
    for (unsigned i = 0; i < index; i++) {
        const struct conf_section *other = &p->sections[i];
        if (other->kind->named && addr_equal(&p->conf->edges[other->edge].listen, &e->listen))
            return parser_fail_at(p, key_line(s, "listen"), s->title, "listen",
                                  "%s is taken by [%s] in line %d; give each edge its own address or port",
                                  text, other->title, key_line(other, "listen"));
    }
    return 0;
}

/* A target that is an address Braid listens on would send every connection back to Braid for ever. */
static int check_target(struct parser *p, const struct conf_section *s)
{
    const struct edge_params *e = &p->conf->edges[s->edge];
    struct braid_addr target = {.port = e->target_port};
    if (ip_parse(e->target_host, &target.ip) < 0)
        return 0;
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *other = &p->sections[i];
        if (other->kind->named && addr_equal(&p->conf->edges[other->edge].listen, &target))
            return parser_fail_at(
                p, key_line(s, "target"), s->title, "target",
                "is the address that [%s] listens on (line %d): a loop; give the server's own address",
                other->title, key_line(other, "listen"));
    }
    return 0;
}

static int check_signal(struct parser *p, const struct conf_section *s)
{
    const struct edge_params *e = &p->conf->edges[s->edge];
    char text[ADDR_TEXT];
    for (unsigned i = 0; i < e->n_signal; i++)
        if (ip_equal(&e->signal[i], &e->listen.ip))
            return parser_fail_at(
                p, key_line(s, "signal"), s->title, "signal",
                "%s is the listen address, which every client knows; give other addresses only",
                ip_text(&e->signal[i], text));
    return 0;
}

int conf_check(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++)
        if (check_required(p, &p->sections[i]) < 0)
            return -1;
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (s->kind->named &&
            (check_listen_unique(p, i) < 0 || check_target(p, s) < 0 || check_signal(p, s) < 0))
            return -1;
    }
    if (p->conf->n_edges == 0)
        return parser_fail_at(
            p, p->line ? p->line : 1, NULL, NULL,
            "there is no [edge NAME] section; add at least one, with its listen and target");
    return 0;
}
