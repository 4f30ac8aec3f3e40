/* [cpe NAME]. What it has like an edge is in relay_keys.c. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/convert_keys.h"
#include "conf/cpe_check.h"
#include "conf/names.h"
#include "conf/reach_rules.h"
#include "conf/relay_keys.h"
#include "conf/sections.h"
#include "conf/values.h"

#define FIRST_WAIT   5    /* milliseconds */
#define LEAST_BUFFER 4096 /* bytes: not even three segments */

static int add_cpe(struct parser *p, const char *name, unsigned *place)
{
    struct conf *c = p->conf;
    struct cpe_params *grown = realloc(c->cpes, (c->n_cpes + 1) * sizeof(*grown));
    const char *copy = conf_name(name);
    if (grown)
        c->cpes = grown;
    if (!grown || !copy)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    *place = c->n_cpes++;
    c->cpes[*place] = (struct cpe_params){.name = copy,
                                          .port_first = 1,
                                          .port_last = 65535,
                                          .bypass = true,
                                          .heed = CPE_HEED_ALL,
                                          .least_buffer = LEAST_BUFFER,
                                          .first_wait = FIRST_WAIT * BRAID_MS,
                                          .cookie = CONVERT_COOKIE_ADDRESS};
    return 0;
}

/* The one being read. */
static struct cpe_params *current(struct parser *p)
{
    return &p->conf->cpes[parser_section(p)->place];
}

static int set_intercept(struct parser *p, const char *value)
{
    static const char *const words[] = {"tun", "tproxy", NULL};
    unsigned tproxy;
    if (parser_word(p, "intercept", value, words, &tproxy) < 0)
        return -1;
    current(p)->tproxy = tproxy;
    return 0;
}

int cpe_add_listen(struct parser *p, void *cpe, const char *item)
{
    struct cpe_params *c = cpe;
    static const char right[] = "give an address of this machine and a port, or one of each family, such as "
                                "127.0.0.1:8684, [::1]:8684";
    struct braid_addr *addr = &c->listen[c->n_listen];
    char host[VALUE_HOST_MAX + 1];
    if (c->n_listen == CPE_LISTEN_MAX)
        return parser_fail(p, "listen", "there are more than %d addresses; give one of each family",
                           CPE_LISTEN_MAX);
    if (value_host_port(item, host, &addr->port) < 0 || ip_parse(host, &addr->ip) < 0 ||
        ip_is_unspecified(&addr->ip) || ip_is_multicast(&addr->ip))
        return parser_fail(p, "listen", "\"%.80s\" is not ADDRESS:PORT; %s", item, right);
    for (unsigned i = 0; i < c->n_listen; i++)
        if (ip_is_v4(&c->listen[i].ip) == ip_is_v4(&addr->ip))
            return parser_fail(p, "listen", "\"%.80s\" is the second address of its family; %s", item, right);
    c->n_listen++;
    return 0;
}

static int set_listen(struct parser *p, const char *value)
{
    return parser_items(p, "listen", value, "ADDRESS:PORT", cpe_add_listen, current(p));
}

static int set_mode(struct parser *p, const char *value)
{
    static const char *const words[] = {"transparent", "explicit", "convert", NULL}; /* enum cpe_kind */
    unsigned kind;
    if (parser_word(p, "mode", value, words, &kind) < 0)
        return -1;
    current(p)->kind = kind;
    return 0;
}

static int add_peer(struct parser *p, void *cpe, const char *item)
{
    static const char right[] = "give the address or host name of the peer and its port, several of them "
                                "separated by commas, such as 198.51.100.1:5124, [2001:db8::1]:5124";
    struct cpe_params *c = cpe;
    char host[VALUE_HOST_MAX + 1];
    struct cpe_peer *peer = &c->peers[c->n_peers];
    struct braid_ip ip;
    if (c->n_peers == CPE_PEERS_MAX)
        return parser_fail(p, "peer", "there are more than %d peers; give at most %d", CPE_PEERS_MAX,
                           CPE_PEERS_MAX);
    if (value_host_port(item, host, &peer->port) < 0)
        return parser_fail(p, "peer", "\"%.80s\" is not HOST:PORT; %s", item, right);
    const char *flaw = ip_parse(host, &ip) == 0 ? value_unroutable(&ip) : NULL;
    if (flaw)
        return parser_fail(p, "peer", "%s is %s address, and no uplink leads there; %s", host, flaw, right);
    for (unsigned i = 0; i < c->n_peers; i++)
        if (c->peers[i].port == peer->port && strcmp(c->peers[i].host, host) == 0)
            return parser_fail(p, "peer", "%s is there twice; give each peer once", item);
    if (parser_string(p, "peer", host, &peer->host) < 0)
        return -1;
    c->n_peers++;
    return 0;
}

static int set_peer(struct parser *p, const char *value)
{
    return parser_items(p, "peer", value, "HOST:PORT", add_peer, current(p));
}

static int set_ports(struct parser *p, const char *value)
{
    struct cpe_params *c = current(p);
    return parser_ports(p, "ports", value, &c->port_first, &c->port_last);
}

int cpe_add_except(struct parser *p, struct cpe_params *c, const char *value)
{
    static const struct rules_key key = {
        .name = "except",
        .usage = "those that are no exception, such as 192.168.0.0/16, fc00::/7; or none",
        .but_allows = true,
    };
    return rules_parse(p, &key, value, c->except, &c->n_except);
}

static int set_except(struct parser *p, const char *value)
{
    return strcmp(value, "none") == 0 ? 0 : cpe_add_except(p, current(p), value);
}

static int set_plain(struct parser *p, const char *value)
{
    static const char *const words[] = {"fallback", "refuse", NULL};
    unsigned refuse;
    if (parser_word(p, "plain", value, words, &refuse) < 0)
        return -1;
    current(p)->no_plain = refuse;
    return 0;
}

static int add_heed(struct parser *p, void *cpe, const char *item)
{
    static const char *const words[] = {"buffer", "segment", "class"}; /* CPE_HEED_..., bit by bit */
    struct cpe_params *c = cpe;
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(item, words[i]) == 0) {
            c->heed |= 1u << i;
            return 0;
        }
    return parser_fail(p, "heed",
                       "\"%.80s\" is nothing that packets show; give buffer, segment, class, several of them "
                       "separated by commas, or none",
                       item);
}

static int set_heed(struct parser *p, const char *value)
{
    current(p)->heed = 0;
    return strcmp(value, "none") == 0 ? 0 : parser_items(p, "heed", value, "a word", add_heed, current(p));
}

static int set_least_buffer(struct parser *p, const char *value)
{
    unsigned bytes;
    if (parser_number(p, "least_buffer", value, 0, 65535, LEAST_BUFFER, &bytes) < 0)
        return -1;
    current(p)->least_buffer = bytes;
    return 0;
}

static int set_bypass(struct parser *p, const char *value)
{
    return parser_yes(p, "bypass", value, &current(p)->bypass);
}

static int set_answer(struct parser *p, const char *value)
{
    static const char *const words[] = {"late", "early", NULL};
    unsigned early;
    if (parser_word(p, "answer", value, words, &early) < 0)
        return -1;
    current(p)->early = early;
    return 0;
}

static int set_first_bytes(struct parser *p, const char *value)
{
    unsigned ms;
    if (parser_number(p, "first_bytes", value, 0, 200, FIRST_WAIT, &ms) < 0)
        return -1;
    current(p)->first_wait = ms * BRAID_MS;
    return 0;
}

static int set_cookie(struct parser *p, const char *value)
{
    static const char *const words[] = {"address", "psk", NULL};
    unsigned psk;
    if (parser_word(p, "cookie", value, words, &psk) < 0)
        return -1;
    current(p)->cookie = psk ? CONVERT_COOKIE_PSK : CONVERT_COOKIE_ADDRESS;
    return 0;
}

static int set_psk(struct parser *p, const char *value)
{
    return convert_parse_psk(p, value, current(p)->psk);
}

static const struct conf_key keys[] = {
    {"intercept", set_intercept, false, NULL},
    {"listen", set_listen, false, NULL},
    {"mode", set_mode, false, NULL},
    {"peer", set_peer, false, NULL},
    {"ports", set_ports, false, NULL},
    {"except", set_except, false, NULL},
    {"plain", set_plain, false, NULL},
    {"heed", set_heed, false, NULL},
    {"least_buffer", set_least_buffer, false, NULL},
    {"bypass", set_bypass, false, NULL},
    {"answer", set_answer, false, NULL},
    {"first_bytes", set_first_bytes, false, NULL},
    {"cookie", set_cookie, false, NULL},
    {"psk", set_psk, false, NULL},
    {"profile", relay_set_profile, false, NULL},
    {"profiles", relay_set_profiles, false, NULL},
    {"scheduler", relay_set_scheduler, false, NULL},
    {"congestion", relay_set_congestion, false, NULL},
    {"path_manager", relay_set_path_manager, false, NULL},
    {"checksum", relay_set_checksum, false, NULL},
    {"fate_sharing", relay_set_fate_sharing, false, NULL},
    {"versions", relay_set_versions, false, NULL},
    {"v0_addresses", relay_set_v0_addresses, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

static void choice(struct conf *c, unsigned place, struct relay_choice *out)
{
    *out = RELAY_CHOICE(&c->cpes[place]);
}

const struct conf_section_kind section_cpe = {"cpe", add_cpe, keys, choice};
