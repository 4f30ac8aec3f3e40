/* One connection of the LAN that a CPE carries: that of the device, the one over the uplinks, and the splice
 * of both. */
#ifndef BRAID_ROLE_CARRIED_H
#define BRAID_ROLE_CARRIED_H

#include "base/wheel.h"
#include "relay/end_conn.h"
#include "role/cpe_heed.h"
#include "role/cpe_state.h"
#include "role/cpe_wishes.h"
#include "role/farewell.h"
#include "role/race.h"

/* The ends of its splice. */
enum { LAN_END, WAN_END };

/* What is needed until the far side has answered. */
struct asking {
    struct carried *carried;
    struct race *race;          /* that is being run; NULL: none */
    enum race_loss loss;        /* of one that was lost */
    struct braid_conn *awaited; /* the converter's, whose answer decides; NULL: none */
    bool straight;              /* no converter can be had, or none is wanted: the server itself is asked */
    bool bypass;                /* the server is known to speak MPTCP, and is asked without a converter */
    struct wish wish;           /* of the program that has asked ... */
    struct braid_addr only[CPE_WISH_ADDRS]; /* ... as addresses, for the race */
    struct socket_options socket;           /* what the program has set on its own ... */
    struct cpe_shown shown;                 /* of the device's socket */
    bool convert;                           /* a converter is asked */
    unsigned tries;                         /* how often one was asked again */
    size_t message_len;                     /* bytes of the longest message that one is sent */
    braid_time asked_at;                    /* when this race began ... */
    braid_time begun;                       /* ... and the first one; 0: none has */
    bool waits;            /* for the device's first bytes (cpe_first.h); nobody is asked yet */
    bool alone;            /* they are with one candidate, and there is no other */
    uint16_t first_len;    /* ... so many of them */
    struct event *heard;   /* a device's socket has some to read; NULL: not of interest */
    struct braid_ip local; /* from where the first candidate is */
    braid_time give_up_at;
    struct timer timer; /* of the race, or of the answer */
};

/* A device's connection that the kernel has accepted (cpe_sockets.h). */
struct device_socket {
    int fd; /* until it is an end of the splice; -1: it is one */
    struct braid_addr device, meant;
    /* carried.c: */
    struct hnode node; /* in by_ends of the CPEs */
    struct carried *carried;
};

struct carried {
    struct splice splice;
    struct device_socket *socket; /* NULL: the device's connection is the core's */
    struct list link;             /* in opening or open of its CPE */
    struct asking *asking;        /* NULL: it is open */
    struct profile_use profile;   /* of the connection over the uplinks */
    const char *policy;           /* that it has come under, a name that stays; NULL: none */
    bool bypassed;                /* its server is connected without a converter, since it speaks MPTCP */
    bool asked_mptcp;             /* the converter is to tell whether the server does */
    bool answered;                /* the device was, before the far side has answered */
    bool silent;                  /* neither end has said anything yet, though the device had time to */
    bool unheard;                 /* the converter's message has not come, and the WAN end is held */
    const struct cc_ops *cc;      /* that the program has set on its socket; NULL: none */
    uint8_t traffic_class;        /* of what goes over the uplinks */
    uint16_t preamble;            /* bytes of our stream's that are for a converter, at most */
    bool server_said;             /* it was the server that did not want, or cannot be reached */
    struct braid_addr far;        /* whom that one is to, or who is asked first; port 0: not known yet */
    /* For its farewell (carried_farewell.c): */
    braid_time opened; /* when the device's SYN came, or the kernel had accepted it */
    uint64_t up, down; /* bytes of the stream */
    uint64_t wan;      /* the core's number of the connection over the uplinks; 0: there was none */
    uint8_t why;       /* it ends, as enum farewell_reason; as far as that is known */
    uint8_t told_gone; /* ends whose connection has told its end; a bit for each */
};

/* Joins cpe->opening, with a connection of the core's, or one of the kernel's, which is copied; or, with
 * neither, for carried_thaw to give it its ends. NULL: memory is short. */
struct carried *carried_new(struct cpe *cpe, struct braid_conn *lan, const struct device_socket *socket);
/* The device's connection comes to nothing; frees. One that was answered, as a socket is, is reset, whatever
 * is to be said. */
void carried_refuse(struct carried *cd, enum braid_refusal how);
/* The far side has answered and is an end: so does the device's. -1: memory is short, and it was refused. */
int carried_accept(struct carried *cd);
/* Its splice is over, or never was: frees. */
void carried_free(struct carried *cd);
/* The far side is there, as an end: joins cpe->open. */
void carried_opened(struct carried *cd);

/* It ends, and if no other reason is known yet, for this one. */
void carried_ends(struct carried *cd, enum farewell_reason why);
/* The connection of the core that is this end has ended, and can be asked for the last time. */
void carried_end_gone(struct carried *cd, unsigned end);
/* It is about to be freed. */
void carried_say_farewell(struct carried *cd);

static inline struct cpe *carried_cpe(const struct carried *cd)
{
    return list_entry(cd->splice.owner, struct cpe, splices);
}

static inline struct braid_conn *carried_conn(const struct carried *cd, unsigned end)
{
    return cd->splice.ends[end].conn;
}

static inline struct carried *carried_of_splice(struct splice *s)
{
    return list_entry(s, struct carried, splice);
}

/* Whose connection it is, and with whom. */
static inline void carried_addrs(const struct carried *cd, struct braid_addr *meant,
                                 struct braid_addr *device)
{
    if (cd->socket) {
        *meant = cd->socket->meant;
        *device = cd->socket->device;
    } else {
        braid_conn_addrs(carried_conn(cd, LAN_END), meant, device);
    }
}

/* user: that of a connection that is an end of it; not NULL. */
static inline struct carried *carried_of_user(void *user)
{
    return carried_of_splice(splice_of(user));
}

/* NULL: the connection is not, or no longer, carried by one of these CPEs. *wan: it is the one over the
 * uplinks. */
static inline struct carried *carried_of(const struct cpes *cs, const struct braid_conn *c, bool *wan)
{
    struct end *e = end_conn_of(c);
    if (!e || splice_of(e)->owner->group != cs)
        return NULL;
    *wan = e->side == WAN_END;
    return carried_of_user(e);
}

/* The one that came by way of a socket between these ends; NULL: there is none. */
struct carried *carried_by_socket(const struct cpes *cs, const struct braid_addr *device,
                                  const struct braid_addr *meant);

/* Servers on this port speak first, as far as it is known. */
static inline bool carried_server_first(const struct carried *cd, uint16_t port)
{
    return carried_cpe(cd)->servers_first[port / 8] >> (port % 8) & 1;
}

/* What its splice tells. */
extern const struct splice_events carried_events;

#endif
