/* What the kinds of edges do in different ways: a table for each (explicit.c, transparent.c, converter.c). */
#ifndef BRAID_ROLE_EDGE_MODE_H
#define BRAID_ROLE_EDGE_MODE_H

#include "base/targets.h"
#include "role/edge.h"

struct client;
struct dial;
struct edge;
struct refs;
struct thaw_item;

struct edge_mode {
    const char *name;
    const struct braid_conn_ops *ops; /* of its listeners, whose ctx is the edge */
    uint16_t syn_data;                /* bytes of a SYN's payload that are taken */
    bool steered; /* clients' packets come here by policy routing; else by routes to the edge's addresses */
    bool learns;  /* servers that speak MPTCP themselves are left alone, if the edge's bypass says so */

    /* Of the configuration alone. Where it listens: how many. An unspecified address stands for all of its
     * family. */
    unsigned (*addresses)(const struct edge_params *p, struct braid_addr out[EDGE_LISTENERS]);
    /* See edge_listen_text. */
    void (*listen_text)(const struct edge_params *p, char text[EDGE_TEXT]);

    /* A dial of a client of it that was under way, as it was; NULL, and noted as a flaw: something is wrong.
     */
    struct dial *(*resume)(struct client *cl, const struct thaw_item *i, struct refs *refs);

    /* Of an edge at work. Something is due, for which role_expire_at was called. */
    void (*expire)(struct edge *e, braid_time now);

    /* Of one whose ops are those of opening.c. Whether it may connect to the server that a client means. */
    bool (*reaches)(struct edge *e, const struct braid_ip *server);
    /* The addresses to try for this client, which means that one. */
    struct targets (*targets)(struct edge *e, const struct braid_ip *client, const struct braid_addr *meant);
};

extern const struct edge_mode edge_explicit, edge_transparent, edge_convert;

static inline const struct edge_mode *edge_mode_of(enum edge_kind kind)
{
    static const struct edge_mode *const modes[] = {[EDGE_EXPLICIT] = &edge_explicit,
                                                    [EDGE_TRANSPARENT] = &edge_transparent,
                                                    [EDGE_CONVERT] = &edge_convert};
    return modes[kind];
}

static inline const struct edge_mode *edge_mode(const struct edge_params *p)
{
    return edge_mode_of(p->kind);
}

#endif
