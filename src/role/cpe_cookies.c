/* See cpe_cookies.h. */
#include "role/cpe_cookies.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/recent.h"

struct cookie {
    struct recent_entry entry;
    braid_time given;
    size_t n;
    uint8_t bytes[CONVERT_COOKIE_MAX];
};

struct cpe_cookies {
    struct recent all;
};

struct cpe_cookies *cpe_cookies_new(void)
{
    struct siphash_key key;
    struct cpe_cookies *cs = calloc(1, sizeof(*cs));
    if (!cs)
        return NULL;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    if (recent_init(&cs->all, &key, CPE_COOKIES) < 0) {
        free(cs);
        return NULL;
    }
    return cs;
}

void cpe_cookies_free(struct cpe_cookies *cs)
{
    if (cs)
        recent_free(&cs->all);
    free(cs);
}

static struct recent_key key_of(const struct braid_addr *converter, unsigned uplink)
{
    return (struct recent_key){.ip = converter->ip, .owner = uplink, .port = converter->port};
}

static struct cookie *find(const struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink)
{
    const struct recent_key key = key_of(converter, uplink);
    return (struct cookie *)recent_find(&cs->all, &key);
}

size_t cpe_cookie_find(const struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                       const uint8_t **at)
{
    const struct cookie *c = find(cs, converter, uplink);
    *at = c ? c->bytes : NULL;
    return c ? c->n : 0;
}

bool cpe_cookie_keep(struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                     const uint8_t *cookie, size_t n, braid_time now)
{
    const struct recent_key key = key_of(converter, uplink);
    assert(n > 0 && n <= CONVERT_COOKIE_MAX);
    struct cookie *c = (struct cookie *)recent_put(&cs->all, &key, sizeof(*c));
    if (!c)
        return false;
    memcpy(c->bytes, cookie, n);
    c->n = n;
    c->given = now;
    return true;
}

bool cpe_cookie_drop(struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                     braid_time begun)
{
    struct cookie *c = find(cs, converter, uplink);
    if (!c)
        return false;
    if (c->given <= begun)
        recent_drop(&cs->all, &c->entry);
    return true;
}

void cpe_cookies_forget(struct cpe_cookies *cs, unsigned uplink)
{
    list_each (pos, next, &cs->all.order) {
        if (recent_entry(pos)->key.owner == uplink)
            recent_drop(&cs->all, recent_entry(pos));
    }
}
