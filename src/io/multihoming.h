/* Other layers that move or multiply addresses on this machine, with which MPTCP is not to be mixed (RFC 6897
 * section 6.3): how they show. */
#ifndef BRAID_IO_MULTIHOMING_H
#define BRAID_IO_MULTIHOMING_H

#include <stdbool.h>

enum { MULTIHOMING_SHIM6 = 1, MULTIHOMING_MOBILE = 2, MULTIHOMING_HIP = 4 };

/* Those by which all IPv6 connections of the machine may be moved; HIP has addresses of its own. */
#define MULTIHOMING_IPV6 (MULTIHOMING_SHIM6 | MULTIHOMING_MOBILE)

/* By the raw sockets of their protocols, which their daemons have open: SHIM6 (RFC 5533), the Mobility Header
 * (RFC 6275), HIP (RFC 7401). proc_net: "/proc/net". What cannot be read shows nothing. */
unsigned multihoming_look(const char *proc_net);
/* "SHIM6"; of one of them. A static string. */
const char *multihoming_name(unsigned one);

/* What follows from it, for connections of CPEs; likewise. */
const char *multihoming_effect(unsigned one);

#endif
