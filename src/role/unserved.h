/* A client whose server does not come: what counts, what it is told, and what the log says. */
#ifndef BRAID_ROLE_UNSERVED_H
#define BRAID_ROLE_UNSERVED_H

#include "role/edge_client.h"

/* What a failure to connect means. */
struct failure {
    enum edge_counter counter; /* EDGE_FAILED: it says nothing of the server */
    enum braid_refusal refusal;
    enum farewell_reason why;
    const char *text; /* as the end of a sentence about the server; NULL: "is unreachable", and strerror */
};

/* Of an errno. */
struct failure failure_of(int error);
/* Refuses the client and frees it, or aborts it if it was answered before: closed() follows then. error: an
 * errno of the connect to cl->server; EDESTADDRREQ, EHOSTDOWN: there is none to connect to. */
void client_unserved(struct client *cl, int error);

#endif
