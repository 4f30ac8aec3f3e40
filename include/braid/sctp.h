/* The calls for several addresses of the SCTP sockets API (RFC 6458 section 9) for TCP sockets whose
 * connections braidd carries, as draft-ietf-mptcp-api, section A.4, proposes: libbraid-socket has them under
 * their own names, so that a program for one-to-one style SCTP sockets runs over MPTCP (braidrun --sctp).
 * Not together with <netinet/sctp.h>, which declares the same. braid_socket(3) has the whole story. */
#ifndef BRAID_SCTP_H
#define BRAID_SCTP_H

#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCTP_BINDX_ADD_ADDR 0x01
#define SCTP_BINDX_REM_ADDR 0x02

typedef int32_t sctp_assoc_t; /* of one-to-one sockets it means nothing, and is 0 */

/* Addresses are given and returned as struct sockaddr_in and struct sockaddr_in6, one behind the other.
 *
 * bindx: the local addresses that the connection uses: adds to, or takes from, TCP_MULTIPATH_ADD's, before
 *   connect and later. A single one is bound to first, as by bind. Several with a port that the socket is not
 *   bound to are EOPNOTSUPP: a TCP socket listens at one address or at all of them. Without a daemon
 *   several are EOPNOTSUPP, too. EINVAL: ports that differ, an unknown flag, more than
 *   TCP_MULTIPATH_ADDRESSES_MAX. Otherwise as setsockopt and bind.
 * connectx: connects to the first address that answers, in their order; a socket that does not block tries
 * the first one alone. Subflows go there, and to what the peer announces. *id is set to 0; id may be NULL.
 * getladdrs, getpaddrs: the number of addresses that the subflows have here, or there, each once, and the
 * array, to be freed by freeladdrs, freepaddrs. Ports are those of the first subflow. Without a daemon, and
 * for plain TCP, one: getsockname's, getpeername's. Before connect, of here: those that were added.
 *
 * 0 or the number; or -1 with errno. */
int sctp_bindx(int fd, struct sockaddr *addrs, int n, int flags);
int sctp_connectx(int fd, struct sockaddr *addrs, int n, sctp_assoc_t *id);
int sctp_getladdrs(int fd, sctp_assoc_t id, struct sockaddr **addrs);
int sctp_getpaddrs(int fd, sctp_assoc_t id, struct sockaddr **addrs);
/* NULL is allowed. */
int sctp_freeladdrs(struct sockaddr *addrs);
int sctp_freepaddrs(struct sockaddr *addrs);

#ifdef __cplusplus
}
#endif

#endif
