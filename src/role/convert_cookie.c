/* See convert_cookie.h. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include "base/bytes.h"
#include "base/freeze.h"
#include "base/thaw.h"
#include "io/mac.h"
#include "role/convert_cookie.h"

#define DAY    86400 /* seconds */
#define WINDOW 60    /* seconds that both clocks may differ */

static void draw(void *out, size_t n)
{
    ssize_t got = getrandom(out, n, 0);
    assert(got == (ssize_t)n); /* so few bytes are never cut short */
    (void)got;
}

/* ---- of an address ----------------------------------------------------------------------------- */

static uint8_t secret[MAC_SIZE];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool drawn;

static void draw_secret(void)
{
    draw(secret, sizeof(secret));
    atomic_store(&drawn, true);
}

static void address_cookie(const struct braid_ip *client, int64_t day, uint8_t out[CONVERT_ADDRESS_COOKIE])
{
    uint8_t said[sizeof(client->b) + 8], mac[MAC_SIZE];
    pthread_once(&once, draw_secret);
    memcpy(said, client->b, sizeof(client->b));
    put64(said + sizeof(client->b), (uint64_t)day);
    mac_sha256(secret, sizeof(secret), said, sizeof(said), mac);
    memcpy(out, mac, CONVERT_ADDRESS_COOKIE);
}

void convert_address_cookie(const struct braid_ip *client, int64_t now, uint8_t out[CONVERT_ADDRESS_COOKIE])
{
    address_cookie(client, now / DAY, out);
}

enum convert_cookie_verdict convert_address_check(const struct braid_ip *client, int64_t now,
                                                  const uint8_t *cookie, size_t n)
{
    if (n != CONVERT_ADDRESS_COOKIE)
        return CONVERT_COOKIE_WRONG;
    for (int64_t day = now / DAY; day >= now / DAY - 1; day--) {
        uint8_t right[CONVERT_ADDRESS_COOKIE];
        address_cookie(client, day, right);
        if (mac_equal(cookie, right, n))
            return CONVERT_COOKIE_GOOD;
    }
    return CONVERT_COOKIE_WRONG;
}

/* ---- cookies that are spent ---------------------------------------------------------------------- */

/* Of all edges and workers. A word is a part of the cookie's code above, and below the second from which on
 * it is forgotten. Only who knows a secret can fill it. Words of a bucket are taken in their order, so that
 * two workers that are shown the same cookie meet at the same word. */
#define BUCKETS     (1u << 16)
#define BUCKET      16
#define LIFE        (2 * WINDOW + 1)
#define EXPIRY_MASK 0xffffffffu

static _Atomic uint64_t spent[BUCKETS][BUCKET];
static atomic_bool any_spent;

static bool is_over(uint64_t word, uint32_t now)
{
    return word == 0 || (int32_t)((uint32_t)(word & EXPIRY_MASK) - now) <= 0;
}

/* The word of the bucket that has it, or the first that is free. NULL: there is neither. */
static _Atomic uint64_t *find(_Atomic uint64_t bucket[BUCKET], uint64_t mark, uint32_t now, bool *has)
{
    _Atomic uint64_t *room = NULL;
    *has = false;
    for (unsigned i = 0; i < BUCKET && !*has; i++) {
        uint64_t word = atomic_load(&bucket[i]);
        bool over = is_over(word, now);
        *has = !over && word >> 32 == mark >> 32;
        if (*has || (over && !room))
            room = &bucket[i];
    }
    return room;
}

static enum convert_cookie_verdict spend(const uint8_t code[8], uint32_t now)
{
    uint64_t mark = (uint64_t)get32(code) << 32 | (uint32_t)(now + LIFE);
    _Atomic uint64_t *bucket = spent[get32(code + 4) % BUCKETS];
    for (;;) {
        bool has;
        _Atomic uint64_t *word = find(bucket, mark, now, &has);
        if (!word)
            return CONVERT_COOKIE_FULL;
        if (has)
            return CONVERT_COOKIE_SPENT;
        uint64_t old = atomic_load(word);
        if (is_over(old, now) && atomic_compare_exchange_strong(word, &old, mark)) {
            atomic_store(&any_spent, true);
            return CONVERT_COOKIE_GOOD;
        }
    }
}

/* ---- of a secret --------------------------------------------------------------------------------- */

#define STAMP 8 /* bytes: number and time */

static void sign(const char *psk, const struct braid_addr *server, const uint8_t stamp[STAMP],
                 uint8_t mac[MAC_SIZE])
{
    uint8_t said[STAMP + 2 + sizeof(server->ip.b)];
    memcpy(said, stamp, STAMP);
    put16(said + STAMP, server->port);
    memcpy(said + STAMP + 2, server->ip.b, sizeof(server->ip.b));
    mac_sha256(psk, strlen(psk), said, sizeof(said), mac);
}

void convert_psk_cookie(const char *psk, const struct braid_addr *server, int64_t now,
                        uint8_t out[CONVERT_PSK_COOKIE])
{
    uint8_t mac[MAC_SIZE];
    draw(out, STAMP / 2);
    put32(out + STAMP / 2, (uint32_t)now);
    sign(psk, server, out, mac);
    memcpy(out + STAMP, mac, CONVERT_PSK_COOKIE - STAMP);
}

enum convert_cookie_verdict convert_psk_check(const char *psk, const struct braid_addr *server, int64_t now,
                                              const uint8_t *cookie, size_t n)
{
    uint8_t mac[MAC_SIZE];
    if (n != CONVERT_PSK_COOKIE)
        return CONVERT_COOKIE_WRONG;
    int32_t age = (int32_t)((uint32_t)now - get32(cookie + STAMP / 2));
    if (age > WINDOW || age < -WINDOW)
        return CONVERT_COOKIE_WRONG;
    sign(psk, server, cookie, mac);
    if (!mac_equal(cookie + STAMP, mac, CONVERT_PSK_COOKIE - STAMP))
        return CONVERT_COOKIE_WRONG;
    return spend(cookie + STAMP, (uint32_t)now);
}

/* ---- for another process --------------------------------------------------------------------------- */

enum { COOKIES_SECRET = 1, COOKIES_SPENT };

#define PLACE 12 /* bytes: a bucket's number and a word in it */

static void freeze_spent(struct freezer *f, uint32_t now)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (unsigned i = 0; i < BUCKET; i++) {
            uint64_t word = atomic_load(&spent[b][i]);
            uint8_t place[PLACE];
            if (is_over(word, now))
                continue;
            put32(place, b);
            put64(place + 4, word);
            freeze_bytes(f, COOKIES_SPENT, place, PLACE);
        }
}

void convert_cookies_freeze(struct freezer *f, unsigned tag, int64_t now)
{
    size_t g = freeze_begin(f, tag);
    if (atomic_load(&drawn))
        freeze_bytes(f, COOKIES_SECRET, secret, sizeof(secret));
    if (atomic_load(&any_spent))
        freeze_spent(f, (uint32_t)now);
    freeze_end(f, g);
}

static void thaw_spent(const struct thaw_item *item, uint32_t now)
{
    uint8_t place[PLACE];
    bool has;
    thaw_bytes(item, place, PLACE);
    if (!thaw_fine(item->all))
        return;
    uint64_t mark = get64(place + 4);
    _Atomic uint64_t *word = find(spent[get32(place) % BUCKETS], mark, now, &has);
    if (word && !has)
        atomic_store(word, mark);
    atomic_store(&any_spent, true);
}

/* All workers have written the same, and several are read at once. */
void convert_cookies_thaw(const struct thaw_item *group, int64_t now)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    pthread_mutex_lock(&lock);
    while (thaw_next(&in, &i)) {
        if (i.tag == COOKIES_SECRET) {
            pthread_once(&once, draw_secret);
            thaw_bytes(&i, secret, sizeof(secret));
        } else if (i.tag == COOKIES_SPENT) {
            thaw_spent(&i, (uint32_t)now);
        } else {
            thaw_unknown(&i);
        }
    }
    pthread_mutex_unlock(&lock);
}
