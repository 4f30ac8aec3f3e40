/* Internal to src/conf: values as text, without the parser's state. */
#ifndef BRAID_CONF_VALUES_H
#define BRAID_CONF_VALUES_H

#include <braid/types.h>
#include "io/rps.h"

#define VALUE_HOST_MAX        253 /* bytes of a host name (RFC 1035 section 2.3.4) */
#define VALUE_SOCKET_PATH_MAX 107 /* bytes of sockaddr_un.sun_path, less its NUL */
#define VALUE_IFNAME_MAX      15  /* IFNAMSIZ - 1 */
#define VALUE_LIST_MAX        32  /* names in a list */

/* Decimal digits only. -1: not a number, or not within min and max. */
int value_number(const char *text, unsigned min, unsigned max, unsigned *out);
/* The first len bytes of text without the blanks around them. -1: they do not fit into out. */
int value_trimmed(const char *text, size_t len, char *out, size_t outlen);
/* The first item of a list that commas separate, without the blanks around it; *list is what follows it, NULL
 * behind the last. -1: it does not fit into out. */
int value_item(const char **list, char *out, size_t outlen);
/* "host:port", "192.0.2.1:80" or "[2001:db8::1]:80"; host without brackets, port not 0. -1: it is none of
 * these. */
int value_host_port(const char *text, char host[VALUE_HOST_MAX + 1], uint16_t *port);
/* Of one host, and no address. */
bool value_is_host_name(const char *text);
/* "443" or "80 - 443". -1: it is neither, or upside down. */
int value_ports(const char *text, uint16_t *first, uint16_t *last);
/* "0-3, 6" of CPUs below RPS_CPUS, as a mask (io/rps.h). -1: it is no list of these. */
int value_cpus(const char *text, char mask[RPS_TEXT]);
/* "192.0.2.0/24", "2001:db8::/32", or an address; bits are those of the v4-mapped form. NULL; or what is
 * wrong with it. */
const char *value_prefix(const char *text, struct braid_ip *ip, uint8_t *bits);
/* "10GB": a number, and KB, MB, GB or TB, powers of 1000. -1: it is not, is 0, or too large. */
int value_bytes(const char *text, uint64_t *out);
bool value_is_ifname(const char *text);
/* Letters, digits, '-', '_' and '.', and not empty. */
bool value_is_word(const char *text);

/* What kind of address cannot be routed to the TUN, with its article ("a loopback"); NULL: it can be. */
const char *value_unroutable(const struct braid_ip *ip);

/* "a, b, c" of the names up to NULL, into out, which is returned; cut off if it does not fit. */
const char *value_list(const char *const *names, char *out, size_t outlen);
/* How many characters must be added, removed or changed to make b of a (Levenshtein). Both shorter than 64,
 * else a large number. */
unsigned value_distance(const char *a, const char *b);

#endif
