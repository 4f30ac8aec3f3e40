/* Segments of a subflow: headers, options, payload. */
#ifndef BRAID_TCP_OUTPUT_H
#define BRAID_TCP_OUTPUT_H

#include <braid/types.h>

struct subflow;
struct tcp_map;

/* SYN in SYN_SENT, SYN/ACK in SYN_RECEIVED. */
void tcp_send_syn(struct subflow *sf, braid_time now);
/* A pure ACK, with as many SACK blocks as the owner's options leave room for. */
void tcp_send_ack(struct subflow *sf, braid_time now);
/* The FIN at offset off, first or again. */
void tcp_send_fin(struct subflow *sf, uint64_t off, braid_time now);
/* A RST with the given wire sequence number, or the one of RFC 9293 section 3.10.7.4 for our own abort. */
void tcp_send_rst(struct subflow *sf, braid_time now);
void tcp_send_rst_at(struct subflow *sf, uint32_t seq);
/* The payload [start, end) of map m, in segments of at most mss bytes. Returns the number of segments. */
unsigned tcp_send_data(struct subflow *sf, const struct tcp_map *m, uint64_t start, uint64_t end,
                       uint32_t mss, braid_time now);

#endif
