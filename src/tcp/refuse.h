/* Resets for segments that belong to no connection. */
#ifndef BRAID_TCP_REFUSE_H
#define BRAID_TCP_REFUSE_H

#include <braid/types.h>

struct tcp_env;
struct wire_packet;

/* Sends a RST in answer to p, which belongs to no connection (RFC 9293 section 3.10.7.1). reason: MP_TCPRST
 * reason, or -1 for none. Nothing if p is itself a RST. */
void tcp_refuse(struct tcp_env *env, const struct wire_packet *p, int reason);
/* The same with MP_FASTCLOSE (RFC 8684 section 3.5): p belongs to a connection that was aborted. key: the
 * peer's. */
void tcp_refuse_fastclose(struct tcp_env *env, const struct wire_packet *p, uint64_t key, uint8_t reason);

#endif
