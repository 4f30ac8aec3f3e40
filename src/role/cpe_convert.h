/* What a CPE says to converters (RFC 8803), and what it remembers of their answers (cpe_convert.c). */
#ifndef BRAID_ROLE_CPE_CONVERT_H
#define BRAID_ROLE_CPE_CONVERT_H

#include "role/carried.h"
#include "role/convert_client.h"

/* The peer of this address; n_peers: it is nobody's, as of a server, or no longer. */
unsigned cpe_peer_at(const struct cpe *cpe, const struct braid_addr *addr);

/* The message that a connection over this lane begins with; bytes of out. Each call makes another one: a code
 * by a secret is good once. */
size_t cpe_convert_message(struct carried *cd, const struct race_lane *lane,
                           uint8_t out[CONVERT_MESSAGE_MAX]);

/* A converter has answered on c, and does not serve us. begun: when the connection did. True: it may do so if
 * it is asked again now, with what it has given us, or without what we have shown or asked. */
bool cpe_convert_again(struct carried *cd, const struct braid_conn *c, const struct convert_answer *a,
                       braid_time begun);
/* It does serve us: what it has told of the server. */
void cpe_convert_learn(const struct carried *cd, const struct convert_answer *a);

/* The server is known to speak MPTCP, and may be reached without a converter. */
bool cpe_may_bypass(const struct carried *cd);
/* It was, or it could not be. */
void cpe_bypass_learn(const struct carried *cd, bool works);

#endif
