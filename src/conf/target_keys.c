/* See target_keys.h. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/target_keys.h"
#include "conf/values.h"

#define SLOW_START_MAX 3600 /* seconds */
#define EJECT_TIME_MAX 3600
#define EJECT_MAX      1000
#define INTERVAL_MAX   3600
#define ROW_MAX        100
#define PATH_MAX_LEN   255 /* bytes of the path of a health check */

static struct pool_params *current(struct parser *p)
{
    return &p->conf->edges[parser_section(p)->place].pool;
}

/* ---- target -------------------------------------------------------------------------------------------- */

/* Of "weight 2 backup", in whatever order. */
static int take_words(struct parser *p, const char *item, char *words, struct target_params *t)
{
    unsigned weight;
    char *rest = words;
    for (const char *word; (word = strsep(&rest, " \t"));) {
        if (!*word)
            continue;
        const char *number = NULL;
        if (strcmp(word, "weight") == 0)
            while ((number = strsep(&rest, " \t")) && !*number)
                continue;
        if (strcmp(word, "backup") == 0) {
            t->backup = true;
        } else if (number && value_number(number, 0, POOL_WEIGHT_MAX, &weight) == 0) {
            t->weight = (uint16_t)weight;
        } else {
            return parser_fail(p, "target",
                               "\"%.80s\": behind HOST:PORT may be weight and a number from 0 to %d, and "
                               "backup; give it so, such as 10.0.0.2:8080 weight 2",
                               item, POOL_WEIGHT_MAX);
        }
    }
    return 0;
}

static int check_target(struct parser *p, const struct pool_params *pool, const char *item,
                        const struct target_params *t, const char *host)
{
    static const char right[] = "give the server's address or host name and its port, such as 10.0.0.2:8080, "
                                "[2001:db8::2]:8080 or server.example:8080";
    struct braid_ip ip;
    if (!t->port)
        return parser_fail(p, "target", "\"%.80s\" is not HOST:PORT; %s", item, right);
    if (ip_parse(host, &ip) == 0 && (ip_is_unspecified(&ip) || ip_is_multicast(&ip)))
        return parser_fail(p, "target", "%s is not the address of a server; %s", host, right);
    for (unsigned i = 0; i < pool->n; i++)
        if (pool->targets[i].port == t->port && strcmp(pool->targets[i].host, host) == 0)
            return parser_fail(p, "target", "%.80s is there twice; give each target once", item);
    if (pool->n == POOL_TARGETS_MAX)
        return parser_fail(p, "target", "there are more than %d targets; give at most %d", POOL_TARGETS_MAX,
                           POOL_TARGETS_MAX);
    return 0;
}

static int add_target(struct parser *p, void *arg, const char *item)
{
    struct pool_params *pool = arg;
    struct target_params t = {.weight = 1};
    char words[VALUE_HOST_MAX + 40], host[VALUE_HOST_MAX + 1] = "";
    strcpy(words, item); /* no longer than parser_items gives */
    char *rest = words, *address = strsep(&rest, " \t");
    if (value_host_port(address, host, &t.port) < 0)
        t.port = 0;
    if (check_target(p, pool, item, &t, host) < 0 || (rest && take_words(p, item, rest, &t) < 0) ||
        parser_string(p, "target", host, &t.host) < 0)
        return -1;
    pool->targets[pool->n++] = t;
    return 0;
}

int target_set(struct parser *p, const char *value)
{
    return parser_items(p, "target", value, "HOST:PORT", add_target, current(p));
}

/* ---- what is done with them ------------------------------------------------------------------------------
 */

int target_set_balance(struct parser *p, const char *value)
{
    static const char *const words[] = {"least", "hash", NULL};
    static const enum balance meant[] = {BALANCE_LEAST, BALANCE_HASH};
    unsigned i;
    if (parser_word(p, "balance", value, words, &i) < 0)
        return -1;
    current(p)->balance = meant[i];
    return 0;
}

/* In seconds. */
static int set_time(struct parser *p, const char *key, const char *value, unsigned least, unsigned most,
                    unsigned example, braid_time *out)
{
    unsigned seconds;
    if (parser_number(p, key, value, least, most, example, &seconds) < 0)
        return -1;
    *out = seconds * BRAID_SECOND;
    return 0;
}

int target_set_slow_start(struct parser *p, const char *value)
{
    return set_time(p, "slow_start", value, 0, SLOW_START_MAX, 30, &current(p)->slow_start);
}

int target_set_eject(struct parser *p, const char *value)
{
    return parser_number(p, "eject", value, 0, EJECT_MAX, POOL_EJECT, &current(p)->eject);
}

int target_set_eject_time(struct parser *p, const char *value)
{
    return set_time(p, "eject_time", value, 1, EJECT_TIME_MAX, POOL_EJECT_TIME / BRAID_SECOND,
                    &current(p)->eject_time);
}

/* ---- whether they are well -------------------------------------------------------------------------------
 */

/* As a request line has it (RFC 9112 section 3.2.1). */
static bool is_path(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] < '!' || text[i] > '~')
            return false;
    return n > 0 && n <= PATH_MAX_LEN && text[0] == '/';
}

int target_set_health(struct parser *p, const char *value)
{
    struct health_rule *h = &current(p)->health;
    const char *path = strncmp(value, "http", 4) == 0 ? value + 4 + strspn(value + 4, " \t") : NULL;
    if (strcmp(value, "off") == 0 || strcmp(value, "connect") == 0) {
        h->kind = value[0] == 'c' ? HEALTH_CONNECT : HEALTH_NONE;
        return 0;
    }
    if (!path || path == value + 4 || !is_path(path))
        return parser_fail(
            p, "health",
            "\"%.80s\" is neither off, nor connect, nor http and a path of at most %d characters; "
            "give one of them, such as http /healthz",
            value, PATH_MAX_LEN);
    h->kind = HEALTH_HTTP;
    return parser_string(p, "health", path, &h->path);
}

int target_set_health_interval(struct parser *p, const char *value)
{
    return set_time(p, "health_interval", value, 1, INTERVAL_MAX, HEALTH_INTERVAL / BRAID_SECOND,
                    &current(p)->health.interval);
}

int target_set_health_rise(struct parser *p, const char *value)
{
    return parser_number(p, "health_rise", value, 1, ROW_MAX, HEALTH_RISE, &current(p)->health.rise);
}

int target_set_health_fall(struct parser *p, const char *value)
{
    return parser_number(p, "health_fall", value, 1, ROW_MAX, HEALTH_FALL, &current(p)->health.fall);
}
