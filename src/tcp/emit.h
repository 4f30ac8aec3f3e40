/* Segments as the host gets them. */
#ifndef BRAID_TCP_EMIT_H
#define BRAID_TCP_EMIT_H

#include <stdint.h>

struct braid_addr;
struct iovec;
struct packet_spec;
struct tcp_env;
struct wire_tcp;

#define TCP_HOP_LIMIT 64

/* Sends what is built; payload: n pieces, spec->payload_len bytes together; mss: payload of one segment.
 * Returns the bytes of headers. */
uint32_t tcp_emit_spec(struct tcp_env *env, const struct packet_spec *spec, const struct iovec *payload,
                       unsigned n, uint32_t mss);
/* A segment without payload. t: complete but for ports. */
void tcp_emit_classed(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
                      const struct wire_tcp *t, uint8_t traffic_class);
/* The same without state behind it, resets and TIME_WAIT: traffic class 0. */
void tcp_emit(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
              const struct wire_tcp *t);

#endif
