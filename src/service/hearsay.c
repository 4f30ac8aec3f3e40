/* See hearsay.h. */
#include "service/hearsay.h"
#include <assert.h>
#include <sys/random.h>
#include "role/edge.h"
#include "role/learned.h"
#include "role/node.h"

struct finding {
    unsigned edge; /* its number */
    struct braid_addr server;
    braid_time until;
};

static void take_finding(struct worker *w, const void *what)
{
    const struct finding *f = what;
    const struct node *node = worker_user(w);
    if (node)
        edges_learn(edges_of(node), f->edge, &f->server, f->until);
}

/* In the thread of the worker that found it, who is told, too. */
static void on_learned(void *arg, unsigned number, const struct braid_addr *server, braid_time until)
{
    const struct workers *workers = arg;
    struct finding f = {.edge = number, .server = *server, .until = until};
    worker_tell_all(workers->all, workers->n, NULL, take_finding, &f, sizeof(f));
}

void hearsay_of_edges(struct edges *es, struct workers *workers)
{
    edges_on_learned(es, on_learned, workers);
}

struct sight {
    struct race_lane lane;
    enum race_seen what;
};

static void take_sight(struct worker *w, const void *what)
{
    const struct sight *s = what;
    const struct node *node = worker_user(w);
    if (node)
        learned_hear(node->learned, &s->lane, s->what, worker_now(w));
}

static void on_news(void *arg, const struct race_lane *lane, enum race_seen what)
{
    const struct workers *workers = arg;
    struct sight s = {.lane = *lane, .what = what};
    if (workers->n > 1)
        worker_tell_all(workers->all, workers->n, NULL, take_sight, &s, sizeof(s));
}

int hearsay_make_learned(struct node *node, struct workers *workers)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    assert(got == sizeof(key)); /* so few bytes are never cut short */
    node->learned = learned_new(&key, LEARNED_MAX);
    if (!node->learned)
        return -1;
    learned_on_news(node->learned, on_news, workers);
    return 0;
}
