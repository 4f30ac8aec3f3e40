/* One client of an edge: its connection, the socket to its server, and the splice of both. */
#ifndef BRAID_ROLE_EDGE_CLIENT_H
#define BRAID_ROLE_EDGE_CLIENT_H

#include "relay/dial.h"
#include "relay/end_conn.h"
#include "role/edge_state.h"
#include "role/farewell.h"
#include "role/profile.h"

/* The ends of a client's splice. */
enum { CLIENT_END, SERVER_END };

/* How far a converter's client is. */
enum conversion_stage {
    CONVERSION_READING, /* its message has not come yet */
    CONVERSION_ASKING,  /* it has, and the server is asked, or is to be asked */
    CONVERSION_TOLD     /* it was told, or is being told, all that it will be: an error, or what we can do */
};

#define CONVERSION_ANSWER 64 /* bytes: a header, TCP options, the list of those that we support */

struct conversion {
    enum conversion_stage stage;
    braid_time deadline; /* while it is in edge->limited, a converter's or not */
    struct unproven_client pending;
    bool asks_info;                    /* Info TLV */
    bool is_extended;                  /* its Connect TLV is an extended one ... */
    bool asks_mptcp;                   /* ... that asks for MPTCP */
    int icmp_code;                     /* why the server does not come; see dial.h */
    size_t answer_len;                 /* 0: there is nothing to be said yet */
    uint8_t answer[CONVERSION_ANSWER]; /* what our stream is to begin with, once it may */
};

/* What is needed until the client has completed its handshake and the server has answered. */
struct opening {
    struct dial *dial; /* the server is being asked; NULL: not yet, or not any more */
    struct unproven_client unproven;
    braid_time asked;    /* when the server was; 0: not by this process */
    braid_time patience; /* when the client is answered without the server */
    bool probing;        /* the server is asked for MPTCP */
    bool established;    /* the client completed its handshake */
    bool accepted;       /* the client was answered */
    bool awaits_header;  /* it is a balancer, which has not said whose the connection is (presented.h) */
    struct conversion conversion;
};

/* Whose a balancer's connection is (presented.h). */
struct presented {
    struct braid_addr client, meant;
};

struct client {
    struct splice splice;
    struct list link;            /* in connecting, late or open of its edge */
    struct opening *opening;     /* NULL: it is open */
    struct presented *presented; /* NULL: the connection's own ends */
    struct profile_use profile;  /* of its connection */
    struct braid_addr server;    /* that answered, or the first that is asked */
    bool connecting : 1;         /* the server has not answered */
    bool heard : 1;              /* something of the server's has come */
    uint8_t why : 6;             /* it ends, as enum farewell_reason; as far as that is known */
    uint16_t port;               /* ours of the socket to it; 0: not known */
    uint16_t place;              /* of the pool's member that it is; 0: of none */
};

/* Joins edge->connecting. NULL: memory is short. */
struct client *client_new(struct edge *e, struct braid_conn *c);
/* Its splice is over, or never was: frees. */
void client_free(struct client *cl);
/* Its SYN is answered by a refusal, and it is freed. */
void client_refuse(struct client *cl, enum braid_refusal how);
/* So are all of the edge that were not answered. */
void clients_refuse(struct edge *e);
/* The server is asked from here on. */
void client_asks(struct client *cl);
/* The first byte of the server has come. */
void client_hears(struct client *cl);
/* The server is there: joins edge->open. */
void client_connected(struct client *cl);
/* The one whose socket goes from this address of ours to that server, for the program there that asks. It is
 * opened by that, if the server's answer was not heard yet. NULL: there is none, or memory is short. */
struct client *client_with_socket(struct edges *es, const struct braid_addr *ours,
                                  const struct braid_addr *server);
/* Frees the opening once there is no more need of it. */
void client_opened(struct client *cl);

static inline struct edge *client_edge(const struct client *cl)
{
    return list_entry(cl->splice.owner, struct edge, splices);
}

static inline struct braid_conn *client_conn(const struct client *cl)
{
    return cl->splice.ends[CLIENT_END].conn;
}

/* Whose connection it is, and where it was to go: its own ends, unless a balancer has said others. */
static inline void client_addrs(const struct client *cl, struct braid_addr *meant, struct braid_addr *client)
{
    braid_conn_addrs(client_conn(cl), meant, client);
    if (!cl->presented)
        return;
    *meant = cl->presented->meant;
    *client = cl->presented->client;
}

static inline struct client *client_of_splice(struct splice *s)
{
    return list_entry(s, struct client, splice);
}

/* user: that of the connection; not NULL. */
static inline struct client *client_of_user(void *user)
{
    return client_of_splice(splice_of(user));
}

/* NULL: the connection is not, or no longer, one of these edges'. */
static inline struct client *client_of(const struct edges *es, const struct braid_conn *c)
{
    struct end *e = end_conn_of(c);
    return e && splice_of(e)->owner->group == es ? client_of_user(e) : NULL;
}

/* Its profile (client_profile.c): gives a new client the one of its port; looks at the pattern of an
 * automatic one when the server has sent n bytes; sets another one (role_ops). */
void client_profile_begin(struct client *cl, uint16_t port);
void client_profile_watch(struct client *cl, size_t n);
void client_profile_set(struct client *cl, const struct profile *p);
void client_profile_set_own(struct client *cl, const struct profile_own *own);

#endif
