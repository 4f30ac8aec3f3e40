/* See edge_modes.h. */
#include <string.h>
#include "conf/edge_modes.h"

#define BIT(kind)   (1u << (kind))
#define EXPLICIT    BIT(EDGE_EXPLICIT)
#define TRANSPARENT BIT(EDGE_TRANSPARENT)
#define CONVERT     BIT(EDGE_CONVERT)

static const char only_convert[] = "has a meaning only with mode = convert; remove it, or set that";

static const char only_behind[] =
    "has a meaning only with mode = explicit, to which a balancer can connect; remove it, or set that";

static const char only_explicit[] =
    "has a meaning only with mode = explicit, which has targets; remove it, or set that";

/* What is not here goes with every mode. */
static const struct {
    const char *key;
    unsigned without; /* modes that do not know it */
    const char *flaw;
} keys[] = {
    {"listen", TRANSPARENT,
     "has no meaning with mode = transparent, which answers for every server whose connections are "
     "routed to the TUN; remove it, or set mode = explicit"},
    {"target", TRANSPARENT,
     "has no meaning with mode = transparent, which connects to the server that the client meant; "
     "remove it, or set mode = explicit"},
    {"target", CONVERT,
     "has no meaning with mode = convert, which connects to the server that the client names; remove it, or "
     "set mode = explicit"},
    {"balance", TRANSPARENT | CONVERT, only_explicit},
    {"slow_start", TRANSPARENT | CONVERT, only_explicit},
    {"eject", TRANSPARENT | CONVERT, only_explicit},
    {"eject_time", TRANSPARENT | CONVERT, only_explicit},
    {"health", TRANSPARENT | CONVERT, only_explicit},
    {"health_interval", TRANSPARENT | CONVERT, only_explicit},
    {"health_rise", TRANSPARENT | CONVERT, only_explicit},
    {"health_fall", TRANSPARENT | CONVERT, only_explicit},
    {"accept_proxy_protocol", TRANSPARENT | CONVERT, only_behind},
    {"proxy_protocol", CONVERT,
     "has no meaning with mode = convert, whose clients name any server, and few servers expect it; remove "
     "it, "
     "or set mode = explicit or transparent"},
    {"source", EXPLICIT | CONVERT, "has a meaning only with mode = transparent; remove it, or set that"},
    {"ports", EXPLICIT | CONVERT,
     "has a meaning only with mode = transparent; remove it (listen names the port), or set that"},
    {"targets", EXPLICIT,
     "has a meaning only with mode = transparent or convert; remove it (target is the only one), or set one "
     "of these"},
    {"profiles", EXPLICIT,
     "has a meaning only with mode = transparent or convert; remove it (profile is that of all connections "
     "to target), or set one of these"},
    {"bypass", EXPLICIT,
     "has a meaning only with mode = transparent; remove it (the target is not asked for MPTCP), or set "
     "that"},
    {"bypass", CONVERT,
     "has a meaning only with mode = transparent; remove it (clients are told which servers speak MPTCP), or "
     "set that"},
    {"open", EXPLICIT | TRANSPARENT, only_convert},
    {"cookie", EXPLICIT | TRANSPARENT, only_convert},
    {"psk", EXPLICIT | TRANSPARENT, only_convert},
    {"pending", EXPLICIT | TRANSPARENT, only_convert},
    {"bare_syn", EXPLICIT | TRANSPARENT, only_convert},
    {"early", EXPLICIT | TRANSPARENT, only_convert},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

bool edge_mode_has(enum edge_kind kind, const char *key)
{
    for (unsigned i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].key, key) == 0 && (keys[i].without & BIT(kind)))
            return false;
    return true;
}

static int check_keys(struct parser *p, const struct conf_section *s, const struct edge_params *e)
{
    for (unsigned i = 0; i < N_KEYS; i++) {
        int line = parser_given_line(s, keys[i].key);
        if (line && (keys[i].without & BIT(e->kind)))
            return parser_fail_at(p, line, s->title, keys[i].key, "%s", keys[i].flaw);
    }
    return 0;
}

/* Who may convert is to be said, even if it is everybody. */
static int check_convert(struct parser *p, const struct conf_section *s, const struct edge_params *e)
{
    const struct convert_params *c = &e->convert;
    int psk = parser_given_line(s, "psk");
    bool allows = false;
    for (unsigned i = 0; i < e->access.n_allow; i++)
        allows |= e->access.allow[i].allow;
    if (!allows && !c->open)
        return parser_fail_at(p, parser_key_line(s, "allow"), s->title, "allow",
                              "names no clients; name those that may connect to servers from here, such as "
                              "allow = 203.0.113.0/24, or let everybody do so by open = yes");
    if (c->cookie == CONVERT_COOKIE_PSK && !psk)
        return parser_fail_at(p, parser_key_line(s, "cookie"), s->title, "psk",
                              "is missing; add the secret that clients share with this edge, %d to %d "
                              "characters, or set cookie = off",
                              CONVERT_PSK_MIN, CONVERT_PSK_MAX);
    if (psk && c->cookie != CONVERT_COOKIE_PSK)
        return parser_fail_at(p, psk, s->title, "psk",
                              "has a meaning only with cookie = psk; remove it, or set that");
    return 0;
}

/* Some target takes new connections; and several of them are no addresses of one server. */
static int settle_targets(struct parser *p, const struct conf_section *s, struct pool_params *pool)
{
    bool any = pool->n == 0;
    for (unsigned i = 0; i < pool->n; i++)
        any |= pool->targets[i].weight > 0;
    if (!any)
        return parser_fail_at(p, parser_key_line(s, "target"), s->title, "target",
                              "has no target with a weight above 0; give one of them another, or remove it");
    if (pool->n > 1 && pool->balance == BALANCE_ORDER)
        pool->balance = BALANCE_LEAST;
    return 0;
}

static int check_listen(struct parser *p, const struct conf_section *s, const struct edge_params *e)
{
    if (e->kind == EDGE_CONVERT || e->n_listen <= 1)
        return 0;
    return parser_fail_at(p, parser_key_line(s, "listen"), s->title, "listen",
                          "has more than one address, which only mode = convert may have; give one, and "
                          "others as signal or in edges of their own");
}

/* A server that is left to its clients would have no header from them. */
static int settle_bypass(struct parser *p, const struct conf_section *s, struct edge_params *e)
{
    int line = parser_given_line(s, "bypass");
    if (e->proxy_protocol == PROXY_NONE)
        return 0;
    if (line && e->bypass > 0)
        return parser_fail_at(p, line, s->title, "bypass",
                              "leaves servers to their clients, which send no proxy_protocol; set bypass = "
                              "off, or remove one of the two");
    e->bypass = 0;
    return 0;
}

int edge_modes_check(struct parser *p, const struct conf_section *s)
{
    struct edge_params *e = &p->conf->edges[s->place];
    if (check_keys(p, s, e) < 0 || check_listen(p, s, e) < 0 || settle_targets(p, s, &e->pool) < 0 ||
        settle_bypass(p, s, e) < 0)
        return -1;
    return e->kind == EDGE_CONVERT ? check_convert(p, s, e) : 0;
}
