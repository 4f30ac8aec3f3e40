/* See ranking.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "admin/ranking.h"
#include "admin/render.h"
#include "base/addr.h"

bool ranking_key(const char *word, enum ranking_key *key)
{
    static const char *const words[] = {
#define X(id, word) word,
        BRAID_TOP_KEYS(X)
#undef X
    };
    for (*key = 0; *key < RANKING_KEY_MAX; ++*key)
        if (strcmp(word, words[*key]) == 0)
            return true;
    return false;
}

struct ranking *ranking_new(const struct ranking_wish *wish, const struct conf *conf, struct census *census)
{
    struct ranking *r = calloc(1, sizeof(*r) + wish->limit * sizeof(r->best[0]));
    if (!r)
        return NULL;
    r->wish = *wish;
    r->conf = conf;
    r->census = census;
    return r;
}

void ranking_free(struct ranking *r)
{
    for (unsigned i = 0; r && i < r->n; i++)
        free(r->best[i].conn);
    free(r);
}

/* ---- what matches ---------------------------------------------------------------------------- */

static bool has(const char *text, const char *find)
{
    return text && strcasestr(text, find) != NULL;
}

static bool addr_has(const struct braid_addr *a, const char *find)
{
    char text[ADDR_TEXT];
    return a->port != 0 && has(addr_text(a, text), find);
}

static bool matches(const struct ranking *r, const struct snapshot_conn *c)
{
    const char *find = r->wish.find;
    const struct render_conn seen = render_conn_of(c);
    if (!*find || has(seen.name, find) || addr_has(&seen.client, find) || addr_has(&seen.service, find) ||
        addr_has(&c->told.server, find))
        return true;
    for (unsigned i = 0; i < c->stats.n_subflows; i++) {
        const struct braid_subflow_stats *s = &c->stats.subflows[i];
        if (has(render_path_name(r->conf, s), find) || addr_has(&s->local, find) ||
            addr_has(&s->remote, find))
            return true;
    }
    return false;
}

/* ---- the order ------------------------------------------------------------------------------- */

uint64_t ranking_worst_rtt(const struct braid_conn_stats *c)
{
    uint64_t worst = 0;
    for (unsigned i = 0; i < c->n_subflows; i++)
        if ((uint64_t)c->subflows[i].srtt_us > worst)
            worst = (uint64_t)c->subflows[i].srtt_us;
    return worst;
}

uint64_t ranking_retransmits(const struct braid_conn_stats *c)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < c->n_subflows; i++)
        sum += c->subflows[i].retransmits;
    return sum;
}

static uint64_t rank_of(enum ranking_key key, const struct ranked *one)
{
    const struct braid_conn_stats *c = &one->conn->stats;
    switch (key) {
    case RANKING_RATE:
        return one->rate.from_client + one->rate.to_client;
    case RANKING_BYTES:
        return c->bytes_in + c->bytes_out;
    case RANKING_AGE:
        return one->now > c->opened_at ? (uint64_t)(one->now - c->opened_at) : 0;
    case RANKING_RTT:
        return ranking_worst_rtt(c);
    case RANKING_RETRANSMITS:
        return ranking_retransmits(c);
    case RANKING_MEMORY:
        return c->memory;
    case RANKING_SUBFLOWS:
        return c->n_subflows;
    case RANKING_KEY_MAX:
        break;
    }
    return 0;
}

/* Of two that are equal the one that came first comes first. False: it is none of the best. */
static bool place(struct ranking *r, const struct ranked *one)
{
    bool full = r->n == r->wish.limit;
    if (full && one->rank <= r->best[r->n - 1].rank)
        return false;
    if (full)
        free(r->best[--r->n].conn);
    unsigned at = r->n++;
    for (; at > 0 && r->best[at - 1].rank < one->rank; at--)
        r->best[at] = r->best[at - 1];
    r->best[at] = *one;
    return true;
}

void ranking_take(struct ranking *r, struct snapshot_job *job, unsigned n_workers)
{
    for (unsigned i = 0; i < job->n; i++) {
        struct ranked one = {.conn = job->conns[i], .worker = job->worker, .now = job->now};
        const struct render_conn c = render_conn_of(one.conn);
        if (c.cpe && !c.wan)
            continue;
        r->seen++;
        one.rate = census_look(r->census, snapshot_conn_id(one.conn->stats.id, job->worker, n_workers),
                               c.from_client, c.to_client, job->now);
        if (!matches(r, one.conn))
            continue;
        r->matching++;
        one.rank = rank_of(r->wish.key, &one);
        if (place(r, &one))
            job->conns[i] = NULL;
    }
}
