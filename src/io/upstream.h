/* Kernel TCP sockets to servers. */
#ifndef BRAID_IO_UPSTREAM_H
#define BRAID_IO_UPSTREAM_H

#include <braid/types.h>

/* A non-blocking socket that connects to addr: the descriptor, or -1 with errno. *connected: it has already
 * done so; otherwise upstream_error tells the outcome once it is writable. source NULL: it comes from an
 * address of this host; else from that address of somebody else, which is of the same family
 * (upstream_check_source), and that port, 0: any. */
int upstream_connect(const struct braid_addr *addr, const struct braid_addr *source, bool *connected);
/* The same, but asks the server for MPTCP as well, unless the kernel turns out not to have it: then, and
 * whenever it cannot be done with MPTCP, it is upstream_connect. */
int upstream_probe(const struct braid_addr *addr, const struct braid_addr *source, bool *connected);
/* Whether the server of a connected socket of upstream_probe took it up. */
bool upstream_is_mptcp(int fd);
/* Whether sockets may have addresses that are not this host's. 0, or -1 with errno. */
int upstream_check_source(void);
/* Whether an interface of this host has the address: then the kernel itself takes what is sent there. */
bool upstream_is_own(const struct braid_ip *ip);
/* A non-blocking socket, bound and not yet listening, whose connections may be for any address (TPROXY); what
 * it accepts has the options of the others here. Several may be bound to one address. -1 with errno. */
int upstream_listen_transparent(const struct braid_addr *addr);
/* Headers, from IP on, of the SYN of a connection that was accepted so, once; 0: they are not known, or have
 * no room. */
size_t upstream_saved_syn(int fd, uint8_t *out, size_t room);
/* Small segments leave while others are in flight, from now on. */
void upstream_set_nodelay(int fd);
/* The first n bytes of a connected socket, before any other, to which it gives room at once. 0, or -1 with
 * errno: not all were taken; ENOBUFS, if there was no room. */
int upstream_say(int fd, const void *bytes, size_t n);
/* The error that waits on the socket, 0: none. */
int upstream_error(int fd);
/* Where a socket comes from. False: from nowhere yet. */
bool upstream_local(int fd, struct braid_addr *out);
/* Whether its server has answered, other than by an error, although nobody may have heard of it yet. */
bool upstream_has_answer(int fd);
/* From now on ICMP errors are kept for upstream_icmp_code; while they are, each of them ends the connection,
 * so this is for the time of connecting. Has no effect on a socket of upstream_probe. */
void upstream_keep_icmp(int fd, bool keep);
/* The code of the ICMP message "destination unreachable" that the connect has failed for with this error; -1:
 * it was for something else. Where the message was not kept, it is the one that this error is the kernel's
 * translation of. */
int upstream_icmp_code(int fd, int error);
/* The TCP options that the server's SYN/ACK had, as far as the kernel tells: kinds and lengths are right, the
 * server's timestamp and key of MPTCP are zero. Into out; how many bytes. */
#define UPSTREAM_OPTIONS 32
size_t upstream_options(int fd, uint8_t out[UPSTREAM_OPTIONS]);
/* Closes with a RST. */
void upstream_reset(int fd);

#endif
