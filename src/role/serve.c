/* What the splices of an edge tell, for its counters and for the profiles of its clients. */
#include "role/edge_client.h"
#include "role/serve.h"

static void on_moved(struct splice *s, unsigned from, size_t n)
{
    struct client *cl = client_of_splice(s);
    client_edge(cl)->counters.v[from == CLIENT_END ? EDGE_TO_SERVER : EDGE_FROM_SERVER] += n;
    if (from != SERVER_END)
        return;
    if (!cl->heard)
        client_hears(cl);
    client_profile_watch(cl, n);
}

/* The client tells its end by on_gone. */
static void on_failed(struct splice *s, unsigned end)
{
    (void)end;
    struct client *cl = client_of_splice(s);
    client_edge(cl)->counters.v[EDGE_SERVER_RESET]++;
    cl->why = FAREWELL_SERVER_RESET;
}

static void on_gone(struct splice *s, unsigned end, enum braid_close why)
{
    (void)end;
    struct client *cl = client_of_splice(s);
    uint64_t *count = client_edge(cl)->counters.v;
    if (cl->why == FAREWELL_UNKNOWN)
        cl->why = farewell_of_close(why);
    if (cl->opening && cl->opening->conversion.stage == CONVERSION_TOLD)
        return; /* it was counted then */
    if (why == BRAID_CLOSE_DONE)
        count[EDGE_CLOSED]++;
    else if (why == BRAID_CLOSE_TIMEOUT)
        count[EDGE_TIMEOUT]++;
    else if (why == BRAID_CLOSE_FATE)
        count[EDGE_FATE]++;
    else if (why == BRAID_CLOSE_ABORTED && !s->ending)
        count[EDGE_KILLED]++;
    else if (!s->ending) /* else it was us */
        count[EDGE_CLIENT_RESET]++;
}

static void on_over(struct splice *s)
{
    client_free(client_of_splice(s));
}

const struct splice_events serve_events = {
    .moved = on_moved, .failed = on_failed, .gone = on_gone, .over = on_over};
