/* See cluster.h: what is said of a cluster. */
#include "ctl/cluster.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "ctl/client.h"

#define TIMEOUT                                                                                              \
    9000 /* longer than two hours, after which a daemon asks an idle client for a sign of life               \
          */
#define TIMEOUT_MAX 604800
#define ITEM_MAX    64

struct reading {
    struct cluster *c;
    FILE *err;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct reading *r, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("braidctl: cluster: ", r->err);
    vfprintf(r->err, format, ap);
    fputs("; as in \"braidctl cluster rules of=8 service=192.0.2.1 1=10.0.0.11 2=10.0.0.12\"\n", r->err);
    va_end(ap);
    return CLIENT_USAGE;
}

/* False: it is no such number. */
static bool number(const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < min || n > max)
        return false;
    *out = (unsigned)n;
    return true;
}

/* The next item of a list that commas separate. False: there is none, or it is too long. */
static bool next_item(const char **list, char item[ITEM_MAX])
{
    size_t len = strcspn(*list, ",");
    if (len == 0 || len >= ITEM_MAX)
        return false;
    memcpy(item, *list, len);
    item[len] = '\0';
    *list += len + ((*list)[len] == ',');
    return true;
}

static int take_services(const struct reading *r, const char *list)
{
    char item[ITEM_MAX];
    struct cluster *c = r->c;
    do {
        if (!next_item(&list, item) || c->n_services == CLUSTER_SERVICES ||
            ip_parse(item, &c->services[c->n_services]) < 0)
            return wrong(r, "service is a list of up to %d addresses", CLUSTER_SERVICES);
        c->n_services++;
    } while (*list);
    return CLIENT_OK;
}

static bool is_device(const char *name)
{
    return isalpha((unsigned char)name[0]) && strlen(name) < IFNAMSIZ && !strpbrk(name, "/ :;|&$`\"'\\\n");
}

/* An address of each family, or a device. */
static int take_machine(const struct reading *r, unsigned i, const char *list)
{
    char item[ITEM_MAX];
    struct braid_ip ip;
    struct cluster_machine *m = &r->c->machines[i];
    do {
        if (!next_item(&list, item))
            return wrong(r, "%u= takes the address of machine %u, or a device that leads there", i, i);
        if (ip_parse(item, &ip) == 0) {
            bool v6 = !ip_is_v4(&ip);
            m->has[v6] = true;
            m->at[v6] = ip;
        } else if (is_device(item)) {
            strcpy(m->device, item);
        } else {
            return wrong(r, "\"%s\" is neither an address nor a device", item);
        }
    } while (*list);
    m->known = true;
    return CLIENT_OK;
}

static int take(const struct reading *r, const char *word)
{
    struct cluster *c = r->c;
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value++ - word) : 0;
    char key[ITEM_MAX] = "";
    unsigned i;
    if (len > 0 && len < sizeof(key))
        memcpy(key, word, len);
    if (strcmp(key, "of") == 0)
        return number(value, 2, TOKEN_SHARES_MAX, &c->of)
                   ? CLIENT_OK
                   : wrong(r, "of is how many machines there may be, from 2 to %d", TOKEN_SHARES_MAX);
    if (strcmp(key, "self") == 0)
        return number(value, 1, TOKEN_SHARES_MAX, &c->self)
                   ? CLIENT_OK
                   : wrong(r, "self is the number of the machine that the rules are for");
    if (strcmp(key, "timeout") == 0)
        return number(value, 10, TIMEOUT_MAX, &c->timeout)
                   ? CLIENT_OK
                   : wrong(r, "timeout is a number of seconds, from 10 to %d", TIMEOUT_MAX);
    if (strcmp(key, "service") == 0)
        return take_services(r, value);
    if (number(key, 1, TOKEN_SHARES_MAX, &i))
        return take_machine(r, i, value);
    bool *wish = strcmp(word, "tables=kept") == 0      ? &c->tables_kept
                 : strcmp(word, "strangers=pass") == 0 ? &c->ring
                                                       : NULL;
    if (!wish)
        return wrong(r,
                     "\"%s\" is none of of=, service=, self=, timeout=, strangers=pass, tables=kept, and a "
                     "machine's NUMBER=",
                     word);
    *wish = true;
    return CLIENT_OK;
}

/* What is passed on to whoever may know it goes round, and has to know who is there. */
static int check_ring(const struct reading *r, unsigned known)
{
    const struct cluster *c = r->c;
    if (c->self == 0)
        return wrong(r, "strangers=pass is for machines, with self=; a router remembers all flows");
    if (!c->tables_kept)
        return wrong(r, "strangers=pass needs tables=kept: a machine that has gone must not be next");
    unsigned others = known - c->machines[c->self].known;
    return others <= CLUSTER_HOPS ? CLIENT_OK
                                  : wrong(r, "strangers=pass is for up to %d other machines", CLUSTER_HOPS);
}

static int check(const struct reading *r)
{
    const struct cluster *c = r->c;
    unsigned known = 0, beyond = c->self > c->of ? c->self : 0;
    for (unsigned i = 1; i <= TOKEN_SHARES_MAX; i++) {
        known += c->machines[i].known;
        if (c->machines[i].known && i > c->of)
            beyond = i;
    }
    if (c->of == 0)
        return wrong(r, "of= is missing, how many machines there may be");
    if (c->n_services == 0)
        return wrong(r, "service= is missing, the addresses that the machines share");
    if (known == 0)
        return wrong(r, "no machine is named");
    if (beyond)
        return wrong(r, "there is no machine %u of %u", beyond, c->of);
    return c->ring ? check_ring(r, known) : CLIENT_OK;
}

int cluster_run(int n, char **words, FILE *out, FILE *err)
{
    struct cluster c = {.timeout = TIMEOUT};
    const struct reading r = {.c = &c, .err = err};
    bool rules = n > 1 && strcmp(words[1], "rules") == 0, routes = n > 1 && strcmp(words[1], "routes") == 0;
    int flaw = rules || routes ? CLIENT_OK : wrong(&r, "what is wanted is \"rules\" or \"routes\"");
    for (int i = 2; i < n && flaw == CLIENT_OK; i++)
        flaw = take(&r, words[i]);
    if (flaw == CLIENT_OK)
        flaw = check(&r);
    if (flaw != CLIENT_OK)
        return flaw;
    if (rules)
        cluster_print_rules(&c, out);
    else
        cluster_print_routes(&c, out);
    return CLIENT_OK;
}
