/* See presented.h. */
#include "role/presented.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "relay/end_conn.h"
#include "wire/proxy_protocol.h"

bool presented_by(const struct edge_params *p, const struct braid_ip *peer)
{
    return reach_first(p->balancers, p->n_balancers, peer, false);
}

void presented_complain(struct client *cl, const char *how)
{
    struct edge *e = client_edge(cl);
    struct braid_addr ours, peer;
    char text[ADDR_TEXT], since[64] = "";
    unsigned unsaid;
    if (!complaint_due(&e->headless, clock_now(), &unsaid))
        return;
    if (unsaid > 0)
        snprintf(since, sizeof(since), " (%u more such connections since the last line)", unsaid);
    braid_conn_addrs(client_conn(cl), &ours, &peer);
    log_warn("edge %s: %s is in accept_proxy_protocol and sent no PROXY protocol header %s%s; have it send "
             "one, or "
             "take it out of there",
             e->params->name, ip_text(&peer.ip, text), how, since);
}

/* Without addresses it is about the balancer itself. */
static enum presentation take(struct client *cl, const struct proxy_header *h)
{
    if (h->has_addresses) {
        cl->presented = malloc(sizeof(*cl->presented));
        if (!cl->presented)
            return PRESENTED_NO_MEMORY;
        *cl->presented = (struct presented){.client = h->source, .meant = h->destination};
    }
    braid_conn_consume(client_conn(cl), h->len);
    return PRESENTED;
}

enum presentation presented_read(struct client *cl)
{
    uint8_t bytes[PROXY_READ_MAX];
    struct proxy_header h;
    size_t n = end_conn_copy(client_conn(cl), bytes, sizeof(bytes));
    enum proxy_status s = proxy_parse(bytes, n, &h);
    if (s == PROXY_COMPLETE)
        return take(cl, &h);
    if (s == PROXY_MORE) /* what has ended behind a part of a header is read no further: time ends it */
        return braid_conn_eof(client_conn(cl)) ? PRESENTED_NOTHING : PRESENTED_MORE;
    presented_complain(cl, "that is whole and right");
    return PRESENTED_BADLY;
}
