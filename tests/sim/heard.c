/* See heard.h. What is known of a connection is kept from its first event to its last. */
#include "heard.h"

#include <stdlib.h>
#include <braid/events.h>
#include "world.h"

#define UP_MAX 32

struct heard_conn {
    struct heard_conn *next;
    uint64_t id;
    bool fell_back;
    unsigned n_up;
    uint32_t up[UP_MAX]; /* numbers of subflows */
    bool announced[256]; /* by the number of the address */
};

static struct heard_conn **place_of(struct sim_core *c, uint64_t id)
{
    struct heard_conn **at = &c->heard;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void wrong(struct sim_core *c, const struct braid_event *e, uint64_t id, const char *what)
{
    sim_fail(c->world, "event %s of subflow %u, connection %llu: %s", braid_event_text(e->kind), e->subflow,
             (unsigned long long)id, what);
}

/* Its place among those that are up; n_up: it is not. */
static unsigned up_at(const struct heard_conn *h, uint32_t subflow)
{
    unsigned i = 0;

    while (i < h->n_up && h->up[i] != subflow)
        i++;
    return i;
}

/* What is wrong with an event of an established connection; NULL: nothing. */
static const char *take(struct heard_conn *h, const struct braid_event *e)
{
    unsigned i = up_at(h, e->subflow);
    bool is_up = i < h->n_up;

    switch (e->kind) {
    case BRAID_EVENT_SUBFLOW_UP:
        if (is_up || h->n_up == UP_MAX)
            return "it is up, or too many are";
        h->up[h->n_up++] = e->subflow;
        return NULL;
    case BRAID_EVENT_SUBFLOW_DOWN:
        if (is_up)
            h->up[i] = h->up[--h->n_up];
        return is_up ? NULL : "it was not up";
    case BRAID_EVENT_FAILED:
        return is_up ? "it was up" : NULL;
    case BRAID_EVENT_PRIORITY:
    case BRAID_EVENT_SILENT:
    case BRAID_EVENT_HEARD:
        return is_up ? NULL : "it is not up";
    case BRAID_EVENT_ANNOUNCED:
        h->announced[e->address_id] = true;
        return e->address_id > 0 ? NULL : "nobody announces the initial address";
    case BRAID_EVENT_WITHDRAWN:
        return e->address_id == 0 || h->announced[e->address_id] ? NULL : "it was not announced";
    case BRAID_EVENT_FALLBACK:
        if (h->fell_back)
            return "once more";
        h->fell_back = true;
        return NULL;
    case BRAID_EVENT_CLOSED:
        return h->n_up == 0 ? NULL : "subflows are still up";
    default:
        return "not the first";
    }
}

static void on_event(void *ctx, const struct braid_conn *conn, const struct braid_event *e)
{
    struct sim_core *c = ctx;
    uint64_t id = braid_conn_id(conn);
    struct heard_conn **at = place_of(c, id), *h = *at;
    bool closed = e->kind == BRAID_EVENT_CLOSED;
    const char *flaw = NULL;

    if (closed && e->established != (h != NULL)) {
        flaw = "it says wrongly whether the connection was established";
    } else if (h) {
        flaw = take(h, e);
    } else if (e->kind == BRAID_EVENT_ESTABLISHED) {
        *at = h = calloc(1, sizeof(*h));
        if (!h)
            abort();
        h->id = id;
    } else if (!closed) {
        flaw = "before the connection was established, or behind its end";
    }
    if (flaw)
        wrong(c, e, id, flaw);
    if (closed && h) {
        *at = h->next;
        free(h);
    }
}

void heard_begin(struct sim_core *c)
{
    braid_core_on_event(c->core, on_event, c);
}

void heard_end(struct sim_core *c)
{
    while (c->heard) {
        struct heard_conn *next = c->heard->next;
        free(c->heard);
        c->heard = next;
    }
}
