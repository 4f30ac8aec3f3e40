/* The client's side of the Convert Protocol (RFC 8803), on a connection of the core's: the message that its
 * stream begins with, and what the converter's answer means. */
#ifndef BRAID_ROLE_CONVERT_CLIENT_H
#define BRAID_ROLE_CONVERT_CLIENT_H

#include <braid/core.h>
#include "wire/convert.h"

#define CONVERT_COOKIE_MAX   256 /* bytes; who gives a longer one is not understood */
#define CONVERT_REST_DEFAULT 30  /* seconds, for a converter that does not say how long (section 6.2.8) */

enum convert_verdict {
    CONVERT_NOT_HEARD,      /* not all of the answer is here */
    CONVERT_ACCEPTED,       /* the server is connected: its bytes are next */
    CONVERT_REFUSED,        /* the server has refused */
    CONVERT_UNREACHABLE,    /* it is not to be reached */
    CONVERT_EXHAUSTED,      /* the converter cannot serve us now */
    CONVERT_COOKIE_GIVEN,   /* it wants to be shown this cookie */
    CONVERT_OPTION_UNKNOWN, /* it does not like that TCP options were asked for */
    CONVERT_UNAUTHORIZED,   /* it will not serve us, or did not like what we have shown */
    CONVERT_DENIED          /* it does not understand us, or does not speak this protocol */
};

struct convert_answer {
    enum convert_verdict verdict;
    const char *text;  /* what it said, for the log: a static string */
    braid_time rest;   /* EXHAUSTED, and DENIED if that is not likely to change: for how long it is to be left
                        * alone; else 0 */
    bool server_told;  /* ACCEPTED: what the server has answered is told (Extended TCP Header) ... */
    bool server_mptcp; /* ... and that it speaks MPTCP itself (kind 30) */
    uint8_t cookie[CONVERT_COOKIE_MAX]; /* COOKIE_GIVEN: ... */
    size_t n_cookie;                    /* ... and its length, with any padding */
};

/* What a client asks for. */
struct convert_wish {
    struct braid_addr server;
    bool ask_mptcp; /* and to be told whether the server speaks MPTCP itself */
    const uint8_t *cookie;
    size_t n_cookie; /* 0: it shows none */
};

/* The message that says it. Bytes of out; 0: it would be too long. */
size_t convert_client_message(uint8_t out[CONVERT_MESSAGE_MAX], const struct convert_wish *wish);
/* The message by which it asks for no connection, but what the converter can do: that is answered at once.
 * Bytes of out. */
size_t convert_client_question(uint8_t out[CONVERT_MESSAGE_MAX]);
/* Whether an error is among the first bytes of c's stream. */
bool convert_client_is_refused(const struct braid_conn *c);
/* What the first bytes of c's stream say. Those of an ACCEPTED answer are consumed. May be called within
 * closed(), too. */
struct convert_answer convert_client_hear(struct braid_conn *c);

#endif
