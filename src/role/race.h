/* The race of the first subflow: who opens a connection to the far side over several uplinks waits for none
 * of them. It is asked for over the best uplink first, by a SYN with MP_CAPABLE. When that has gone
 * unanswered for the uplink's head start, it leaves once more, as it or its answer may have been lost, which
 * RFC 6298 would have cost a second; a plain SYN on the same uplink joins it (somebody on the way may drop
 * SYNs with an option that he does not know: draft-ietf-mptcp-api-05 section 3.2.1, as RFC 8305 does it for
 * address families), and one with MP_CAPABLE on the next uplink. The first that is answered wins. The others
 * are reset before they carry data.
 *
 * What fails pulls the next one forward. A RST is not all the same:
 *   In answer to a SYN with MP_CAPABLE it may be a firewall's that objects to the option, so the plain SYN
 *   leaves at once, on the same uplink, and decides. It costs a refused client one round trip.
 *   In answer to a plain SYN it is what the client would have got without us: the server refuses, over
 *   whatever uplink. Nothing more is sent to this address. Who was asked already, on other uplinks, has until
 *   the end of its head start to say something else, as not every RST comes from the server; it cannot be
 *   silent for longer without having lost against the next one anyway.
 *   Where there are several addresses (converters), one that refuses says nothing of the others.
 *
 * Where the far side answers for somebody else and may take its time (converters), its silence says little of
 * the uplink. It is asked something that it can answer by itself then, before the head start is over; while
 * it answers, the next uplink waits.
 *
 * It has no clock: who owns it brings the time, when its deadline is here. */
#ifndef BRAID_ROLE_RACE_H
#define BRAID_ROLE_RACE_H

#include <braid/core.h>

#define RACE_LANES      16
#define RACE_OPENING    1460                /* most bytes to begin the stream with */
#define RACE_HEAD_START (250 * BRAID_MS)    /* at least (RFC 8305 section 5, Connection Attempt Delay) */
#define RACE_TIMEOUT    (10 * BRAID_SECOND) /* as long as edges wait for a server */

#define RACE_TRUST BRAID_SECOND /* so long an uplink that has answered is not doubted */

struct race;

/* How long an uplink of this smoothed round trip (0: not known) is waited for before others are tried. */
static inline braid_time race_head_start(braid_time srtt)
{
    return 2 * srtt > RACE_HEAD_START ? 2 * srtt : RACE_HEAD_START;
}

/* How long after the SYN a question is due on such an uplink: late, since most servers answer before that,
 * and early enough for the answer to be here at the end of the head start. */
static inline braid_time race_question_after(braid_time srtt)
{
    braid_time head = race_head_start(srtt), notice = srtt + srtt / 2;
    return head - (notice > head / 2 ? notice : head / 2);
}

/* One way to the far side: over one uplink, to one address. */
struct race_lane {
    struct braid_addr local;  /* the uplink's; port 0: a free one of the core's range; else this one, by
                               * which one SYN can be under way at a time */
    struct braid_addr remote; /* of the same family */
    braid_time head_start;    /* see above: for MP_CAPABLE, before the next lane has its turn ... */
    braid_time plain_after; /* ... and before a plain SYN joins on this one, if it is to be later; 0: then */
    braid_time question_after; /* when a question shows whether the uplink lives; 0: never */
    unsigned uplink;           /* the user's number of it */
    bool capable;              /* the far side is known to speak MPTCP */
    bool either;               /* version 0 of MPTCP may be offered in place of version 1, ... */
    bool version_0;            /* ... and is, as it is known or hoped that the far side speaks that */
    bool reserve;              /* other uplinks are preferred, even for plain TCP */
    bool plain;                /* a SYN with MP_CAPABLE is known to be lost here: none is sent */
    bool bare;                 /* a SYN with payload is known to be lost here: none is sent */
};

/* What a race has seen of a lane, to be remembered (learned.h). */
enum race_seen {
    RACE_SEEN_ANSWER,   /* this lane has won; said before what else is seen of it */
    RACE_SEEN_MPTCP,    /* ... with MPTCP */
    RACE_SEEN_STRIPPED, /* MP_CAPABLE was sent, and the answer came without: it is taken away on the way, or
                         * the far side does not know it */
    RACE_SEEN_DROPPED,  /* no answer to MP_CAPABLE, while a plain SYN was answered */
    RACE_SEEN_REJECTED, /* a RST in answer to MP_CAPABLE, while a plain SYN was answered otherwise */
    RACE_SEEN_PAYLOAD,  /* the SYN's payload was acknowledged */
    RACE_SEEN_PAYLOAD_EATEN, /* it was not, while the SYN was; or a SYN without payload was answered only */
    RACE_SEEN_SILENT,        /* no answer from this address within the head start, or an error, while another
                              * lane was answered */
    /* Not by a race, and of no uplink: of a server behind a converter. */
    RACE_SEEN_STRAIGHT, /* it speaks MPTCP itself */
    RACE_SEEN_DETOUR    /* it does not, or cannot be reached by it without the converter */
};

/* Why there is no connection. Of several reasons the last one here is told, as it tells most. */
enum race_loss {
    RACE_LOST_RESOURCES, /* memory, connections or ports are short: nothing could be sent */
    RACE_LOST_TIMEOUT,
    RACE_LOST_UNREACHABLE,
    RACE_LOST_PLAIN, /* it answers, but without MPTCP, and that is not wanted */
    RACE_LOST_REFUSED
};
/* A static string, without a full stop. */
const char *race_loss_text(enum race_loss why);

struct race_events {
    /* The connection is established and the user's from now on: its callbacks are those that were asked for.
     * established() will not be called, as this is it; if there were bytes to open the stream with, they are
     * written. The race is over, and gone when this returns. From within braid_core_flush. */
    void (*won)(void *arg, struct braid_conn *c, unsigned lane);
    /* None could be had. The race is over, and gone. From within race_begin or race_expire. */
    void (*lost)(void *arg, enum race_loss why);
    /* An answer to MP_CAPABLE without MPTCP: whether it says something that is to be heard all the same, as
     * errors of converters do. It wins then, even where plain TCP is not accepted, and blames nobody. May be
     * NULL: it does not. From within braid_core_flush. */
    bool (*tells)(void *arg, const struct braid_conn *c);
    /* Before won or lost, once for each thing that was seen. May be NULL. */
    void (*seen)(void *arg, const struct race_lane *lane, enum race_seen what);
    /* race_deadline is earlier than it was. From within braid_core_flush. */
    void (*due)(void *arg);
};

struct race_params {
    struct braid_core *core;
    /* Of each connection: cc, sched, pm, checksum, no_join, believe_addresses, fate_sharing; ops and user are
     * the winner's. The rest is the race's to fill in. */
    struct braid_connect_params connect;
    const struct race_lane *lanes; /* in the order in which they are tried; 1 to RACE_LANES; copied */
    unsigned n_lanes;
    /* Plain TCP is accepted. Else nothing but SYNs with MP_CAPABLE is sent, on plain lanes, too, and lanes
     * that answer without are passed over. */
    bool fallback;
    /* The first bytes of our stream, at most RACE_OPENING; copied. SYNs with MP_CAPABLE carry them, except on
     * bare lanes and in version 0; a plain SYN is as plain as can be. So they may leave, and arrive, with the
     * SYNs of several lanes, and must not do harm twice. */
    const void *opening;
    size_t opening_len;
    /* Instead, if it differs: writes that of a connection over this lane, at most RACE_OPENING bytes, and
     * returns how many. Called at most once for each connection that is tried. NULL: opening is for all. */
    size_t (*opening_for)(void *arg, const struct race_lane *lane, uint8_t out[RACE_OPENING]);
    /* What the far side answers by itself, at most RACE_OPENING bytes, copied: goes with SYNs of its own, on
     * lanes that are not bare, and is not needed with the others. question_len 0: nothing is asked. */
    const void *question;
    size_t question_len;
    /* The opening must not arrive twice: one SYN with MP_CAPABLE, over the first lane, and nothing else,
     * whatever becomes of it. That it was not answered does not say that it has not arrived. */
    bool alone;
    braid_time timeout; /* for all together */
    const struct race_events *events;
    void *arg;
};

/* NULL: memory is short. */
struct race *race_new(const struct race_params *params);
/* Sends the first SYN. May call lost() at once. */
void race_begin(struct race *r, braid_time now);
/* When race_expire is wanted. */
braid_time race_deadline(const struct race *r);
/* The deadline is here, or was: does what is due. */
void race_expire(struct race *r, braid_time now);
/* Gives up: resets what is under way, and calls nobody. NULL is allowed. */
void race_free(struct race *r);

#endif
