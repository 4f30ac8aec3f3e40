/* [path NAME]: what an operator says of the paths between certain addresses. */
#include "conf/path_rules.h"
#include "conf/sections.h"
#include "conf/values.h"

static int add_path(struct parser *p, const char *name, unsigned *place)
{
    int at = path_rules_add(p, name, &(struct braid_path_rule){.weight = 1});
    if (at < 0)
        return -1;
    *place = (unsigned)at;
    return 0;
}

static struct braid_path_rule *current(struct parser *p)
{
    return &p->conf->paths[parser_section(p)->place];
}

static int set_prefix(struct parser *p, const char *key, const char *value, struct braid_ip *ip,
                      uint8_t *bits)
{
    const char *flaw = value_prefix(value, ip, bits);
    if (!flaw)
        return 0;
    return parser_fail(p, key,
                       "\"%.80s\" %s; give an address or a prefix, such as 192.0.2.0/24 or "
                       "2001:db8::/32",
                       value, flaw);
}

static int set_local(struct parser *p, const char *value)
{
    return set_prefix(p, "local", value, &current(p)->local, &current(p)->local_bits);
}

static int set_remote(struct parser *p, const char *value)
{
    return set_prefix(p, "remote", value, &current(p)->remote, &current(p)->remote_bits);
}

static int set_cost(struct parser *p, const char *value)
{
    return parser_number(p, "cost", value, 0, 1000000, 1, &current(p)->cost);
}

static int set_weight(struct parser *p, const char *value)
{
    return parser_number(p, "weight", value, 1, 1000000, 1, &current(p)->weight);
}

static int set_quota(struct parser *p, const char *value)
{
    return parser_quota(p, value, &current(p)->quota);
}

static const struct conf_key keys[] = {
    {"local", set_local, false, NULL},   {"remote", set_remote, false, NULL}, {"cost", set_cost, false, NULL},
    {"weight", set_weight, false, NULL}, {"quota", set_quota, false, NULL},   {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

const struct conf_section_kind section_path = {"path", add_path, keys, NULL};
