/* Challenge ACKs (RFC 5961), and how many of them there may be. */
#ifndef BRAID_TCP_CHALLENGE_H
#define BRAID_TCP_CHALLENGE_H

#include <braid/types.h>

struct subflow;
struct tcp_env;

/* An ACK that answers something suspect, within the rate limit of RFC 5961 section 7. */
void tcp_challenge_ack(struct subflow *sf, braid_time now);
/* True if RFC 5961's limit admits one more; counts it. */
bool tcp_challenge_allowed(struct tcp_env *env, braid_time now);

#endif
