/* See uplink_news.h: in the workers' threads. */
#include "io/log.h"
#include "role/cpe.h"
#include "role/learned.h"
#include "role/node.h"
#include "role/probes.h"
#include "service/uplink_news.h"

static void tell_probes(struct probes *ps, const struct uplink_news *news)
{
    bool again[UPLINKS_MAX][UPLINK_FAMILIES] = {0};
    for (unsigned i = 0; i < news->view.n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            again[i][f] = news->come & UPLINK_ENDPOINT(i, f);
    probes_set_uplinks(ps, &news->view, again);
}

static void change_endpoint(struct worker *w, const struct uplink_news *news, unsigned i, unsigned f)
{
    const struct uplink *u = &news->view.all[i];
    const struct braid_endpoint e = {.addr = {.ip = u->inner[f]}, .subflow = true, .backup = u->backup};
    if (news->mended)
        braid_core_ask(worker_core(w), &u->inner[f], worker_now(w));
    if (news->gone & UPLINK_ENDPOINT(i, f))
        braid_core_endpoint_remove(worker_core(w), &u->inner[f]);
    if ((news->come & UPLINK_ENDPOINT(i, f)) && braid_core_endpoint_add(worker_core(w), &e) < 0 &&
        worker_number(w) == 0)
        log_warn(
            "uplink %s: IPv%d is not used by connections: there are too many addresses, or memory is short",
            u->name, f == UPLINK_V6 ? 6 : 4);
}

static void take_news(struct worker *w, const void *what)
{
    const struct uplink_news *news = what;
    const struct node *node = worker_user(w);
    struct cpes *cs = node ? cpes_of(node) : NULL;
    for (unsigned i = 0; node && node->learned && i < news->view.n; i++)
        if (news->moved & 1u << i)
            learned_forget(node->learned, i);
    for (unsigned i = 0; cs && i < news->view.n; i++)
        if (news->moved & 1u << i)
            cpes_forget(cs, i);
    if (cs)
        cpes_set_uplinks(cs, &news->view);
    for (unsigned i = 0; i < news->view.n; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            change_endpoint(w, news, i, f);
    struct probes *ps = node ? probes_of(node) : NULL;
    if (ps)
        tell_probes(ps, news);
}

int uplink_news_tell(const struct workers *workers, const struct uplink_news *news)
{
    return worker_tell_all(workers->all, workers->n, NULL, take_news, news, sizeof(*news));
}
