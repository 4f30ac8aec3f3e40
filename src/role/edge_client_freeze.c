/* A client of an edge, as state: its splice, which profile it has, and how far its opening is. */
#include <stdlib.h>
#include <string.h>
#include "relay/dial_freeze.h"
#include "relay/splice_freeze.h"
#include "role/edge_client.h"
#include "role/edge_freeze.h"
#include "role/edge_mode.h"
#include "role/farewell_freeze.h"

enum {
    CLIENT_CONN = 1,
    CLIENT_PLACE,
    CLIENT_SPLICE,
    CLIENT_PROFILE,
    CLIENT_SERVER,
    CLIENT_CONNECTING,
    CLIENT_OPENING,
    CLIENT_PRESENTED,
    CLIENT_PRESENTED_MEANT,
    CLIENT_PAST
};
enum {
    OPENING_COMMON = 1,
    OPENING_BITS,
    OPENING_DIAL,
    OPENING_CONVERSION,
    OPENING_BITS_OF_CONVERSION,
    OPENING_ANSWER
};

static const struct braid_field opening_fields[] = {BRAID_DUE(1, struct opening, patience), {0}};
static const struct braid_field conversion_fields[] = {
    BRAID_NUMBER(1, struct conversion, stage, CONVERSION_TOLD),
    BRAID_DUE(2, struct conversion, deadline),
    BRAID_ANY(3, struct conversion, icmp_code),
    {0}};

#define OPENING(X)                                                                                           \
    X(0, probing)                                                                                            \
    X(1, established)                                                                                        \
    X(2, accepted)                                                                                           \
    X(3, unproven.entered)                                                                                   \
    X(4, awaits_header)
#define CONVERSION(X)                                                                                        \
    X(0, asks_info)                                                                                          \
    X(1, is_extended)                                                                                        \
    X(2, asks_mptcp)                                                                                         \
    X(3, pending.entered)
FREEZE_BITS(OPENING, struct opening)
FREEZE_BITS(CONVERSION, struct conversion)
#define OPENING_BITS_MOST    31
#define CONVERSION_BITS_MOST 15

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_opening(const struct opening *o, struct freezer *f, struct refs_out *out)
{
    size_t g = freeze_begin(f, CLIENT_OPENING);
    freeze_struct(f, OPENING_COMMON, opening_fields, o);
    freeze_number(f, OPENING_BITS, OPENING_freeze(o));
    if (o->dial)
        dial_freeze(o->dial, f, OPENING_DIAL, out);
    freeze_struct(f, OPENING_CONVERSION, conversion_fields, &o->conversion);
    freeze_number(f, OPENING_BITS_OF_CONVERSION, CONVERSION_freeze(&o->conversion));
    freeze_bytes(f, OPENING_ANSWER, o->conversion.answer, o->conversion.answer_len);
    freeze_end(f, g);
}

static struct farewells *farewells_of(const struct client *cl)
{
    return client_edge(cl)->owner->role.node->farewells;
}

void client_freeze(const struct client *cl, enum client_place place, struct freezer *f, unsigned tag,
                   struct refs_out *out)
{
    size_t g = freeze_begin(f, tag);
    freeze_number(f, CLIENT_CONN, braid_conn_id(client_conn(cl)));
    freeze_number(f, CLIENT_PLACE, place);
    splice_freeze(&cl->splice, f, CLIENT_SPLICE, out);
    profile_use_freeze(&cl->profile, f, CLIENT_PROFILE);
    freeze_addr(f, CLIENT_SERVER, &cl->server);
    if (cl->presented) {
        freeze_addr(f, CLIENT_PRESENTED, &cl->presented->client);
        freeze_addr(f, CLIENT_PRESENTED_MEANT, &cl->presented->meant);
    }
    if (cl->opening)
        freeze_opening(cl->opening, f, out);
    farewells_freeze(farewells_of(cl), braid_conn_id(client_conn(cl)), f, FREEZE_OPTIONAL + CLIENT_PAST);
    freeze_end(f, g);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* What has to be known before there is a client. */
struct head {
    uint64_t conn;
    enum client_place place;
    bool has_opening;
    struct thaw_item splice;
};

static struct head read_head(const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct head h = {.conn = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == CLIENT_CONN)
            h.conn = thaw_number(&i, BRAID_MUCH);
        else if (i.tag == CLIENT_PLACE)
            h.place = (enum client_place)thaw_number(&i, PLACE_OPEN);
        else if (i.tag == CLIENT_SPLICE)
            h.splice = i;
        h.has_opening |= i.tag == CLIENT_OPENING;
    }
    return h;
}

static void take_answer(const struct thaw_item *i, struct conversion *co)
{
    if (i->len > sizeof(co->answer)) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    co->answer_len = i->len;
    thaw_bytes(i, co->answer, i->len);
}

static void thaw_opening(struct role_thaw *t, const struct thaw_item *group, struct client *cl)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct opening *o = cl->opening;
    while (thaw_next(&in, &i)) {
        if (i.tag == OPENING_COMMON)
            thaw_struct(&i, opening_fields, o);
        else if (i.tag == OPENING_BITS)
            OPENING_thaw(o, thaw_number(&i, OPENING_BITS_MOST));
        else if (i.tag == OPENING_DIAL && !o->dial)
            o->dial = client_edge(cl)->mode->resume(cl, &i, &t->refs);
        else if (i.tag == OPENING_CONVERSION)
            thaw_struct(&i, conversion_fields, &o->conversion);
        else if (i.tag == OPENING_BITS_OF_CONVERSION)
            CONVERSION_thaw(&o->conversion, thaw_number(&i, CONVERSION_BITS_MOST));
        else if (i.tag == OPENING_ANSWER)
            take_answer(&i, &o->conversion);
        else
            thaw_unknown(&i);
    }
}

/* Among those who may be nobody: by its address, as it was entered, if there is still room for it. */
static void count_unproven(struct client *cl)
{
    struct edge *e = client_edge(cl);
    struct opening *o = cl->opening;
    struct braid_addr ours, client;
    braid_conn_addrs(client_conn(cl), &ours, &client);
    bool unproven = o->unproven.entered, pending = o->conversion.pending.entered;
    o->unproven.entered = o->conversion.pending.entered = false;
    if (unproven)
        unproven_enter(&e->owner->unproven, &o->unproven, &client.ip);
    if (pending)
        unproven_enter(&e->pending, &o->conversion.pending, &client.ip);
}

/* Whether what was read of it can be true together. */
static bool is_sound(const struct client *cl, const struct refs_conn *c, enum client_place place)
{
    const struct opening *o = cl->opening;
    const struct end *server = &cl->splice.ends[SERVER_END];
    bool convert = client_edge(cl)->params->kind == EDGE_CONVERT;
    if (cl->splice.ends[CLIENT_END].gone || (place == PLACE_OPEN) != (server->ops != NULL))
        return false;
    if (o->accepted == c->pending || (o->dial && place == PLACE_OPEN) ||
        (c->pending && (place == PLACE_LATE || place == PLACE_LIMITED)))
        return false;
    if (!convert)
        return (place == PLACE_LIMITED) == o->awaits_header && !(o->awaits_header && o->dial) &&
               o->conversion.answer_len == 0;
    if (o->awaits_header)
        return false;
    return !o->dial || o->conversion.stage == CONVERSION_ASKING;
}

/* From where client_new has put it. */
static void put(struct client *cl, enum client_place place, bool opens)
{
    struct edge *e = client_edge(cl);
    struct opening *o = cl->opening;
    count_unproven(cl);
    if (place == PLACE_OPEN || o->dial)
        cl->place = pool_enter(&e->pool, &cl->server);
    if (place == PLACE_OPEN) {
        cl->heard = true; /* or it was not: its time is not known here */
        client_connected(cl);
        o->established |= !opens;
        client_opened(cl);
    } else if (place == PLACE_CONNECTING) {
        role_expire_at(&e->owner->role, o->patience);
    } else {
        list_remove(&cl->link);
        list_append(place == PLACE_LATE ? &e->late : &e->limited, &cl->link);
        if (place == PLACE_LIMITED)
            role_expire_at(&e->owner->role, o->conversion.deadline);
    }
}

static struct presented *presented_of(const struct thaw_item *i, struct client *cl)
{
    if (!cl->presented)
        cl->presented = calloc(1, sizeof(*cl->presented));
    if (!cl->presented)
        thaw_fail(i->all, THAW_MEMORY);
    return cl->presented;
}

static void thaw_presented(const struct thaw_item *i, struct client *cl)
{
    struct presented *p = presented_of(i, cl);
    if (p)
        thaw_struct(i, addr_fields, i->tag == CLIENT_PRESENTED ? &p->client : &p->meant);
}

static void thaw_members(struct role_thaw *t, const struct thaw_item *group, struct client *cl)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        switch (i.tag) {
        case CLIENT_CONN:
        case CLIENT_PLACE:
        case CLIENT_SPLICE:
            break; /* read before */
        case CLIENT_PROFILE:
            profile_use_thaw(t, &i, &cl->profile);
            break;
        case CLIENT_SERVER:
            thaw_struct(&i, addr_fields, &cl->server);
            break;
        case CLIENT_PRESENTED:
        case CLIENT_PRESENTED_MEANT:
            thaw_presented(&i, cl);
            break;
        case CLIENT_OPENING:
            thaw_opening(t, &i, cl);
            break;
        case CLIENT_PAST:
            farewells_thaw(farewells_of(cl), braid_conn_id(client_conn(cl)), &i);
            break;
        default:
            thaw_unknown(&i);
        }
    }
}

void client_thaw(struct role_thaw *t, const struct thaw_item *group,
                 struct edge *(*edge)(void *arg, struct node *node), void *arg)
{
    struct head h = read_head(group);
    struct refs_conn *c = refs_find(&t->refs, h.conn);
    struct edge *e = c && !c->claimed ? edge(arg, c->where) : NULL;
    if (!e || !h.splice.data || braid_conn_get_ops(c->conn) != e->mode->ops) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    struct client *cl = client_new(e, c->conn);
    if (!cl) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    struct splice_thaw with = {.refs = &t->refs,
                               .poller = e->owner->role.node->sockets,
                               .ops = {[CLIENT_END] = e->mode->ops},
                               .sockets = {[SERVER_END] = true}};
    splice_thaw(&cl->splice, &h.splice, &with);
    cl->opening->accepted = !c->pending;
    thaw_members(t, group, cl);
    if (with.conns[CLIENT_END] != c || !is_sound(cl, c, h.place))
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all))
        put(cl, h.place, h.has_opening);
    else /* it is in no table yet */
        cl->opening->unproven.entered = cl->opening->conversion.pending.entered = false;
}

void client_forget(struct client *cl)
{
    cl->why = FAREWELL_UNSAID;
    splice_forget(&cl->splice);
    if (cl->opening) {
        dial_forget(cl->opening->dial);
        cl->opening->dial = NULL;
    }
    client_free(cl);
}
