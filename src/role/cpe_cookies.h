/* The cookies that converters have given to a worker's CPEs (RFC 8803 section 6.2.7): each proves one of our
 * addresses, that of an uplink, to one converter, and is shown with every connection to it from there. */
#ifndef BRAID_ROLE_CPE_COOKIES_H
#define BRAID_ROLE_CPE_COOKIES_H

#include "role/convert_client.h"

#define CPE_COOKIES 256 /* at most; the oldest makes room */

struct cpe_cookies;

/* NULL: memory is short. */
struct cpe_cookies *cpe_cookies_new(void);
/* NULL is allowed. */
void cpe_cookies_free(struct cpe_cookies *cs);

/* That for connections over this uplink to this converter: how many bytes at *at, which are there until
 * something is kept or dropped. 0: there is none. */
size_t cpe_cookie_find(const struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                       const uint8_t **at);
/* It has given us this one, of n bytes, 1 to CONVERT_COOKIE_MAX, in place of any other. False: memory is
 * short. */
bool cpe_cookie_keep(struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                     const uint8_t *cookie, size_t n, braid_time now);
/* It does not want the one that a connection has shown which began then: forgets it, unless it was given
 * since. False: there was none. */
bool cpe_cookie_drop(struct cpe_cookies *cs, const struct braid_addr *converter, unsigned uplink,
                     braid_time begun);
/* The uplink has another address: forgets its cookies. */
void cpe_cookies_forget(struct cpe_cookies *cs, unsigned uplink);

#endif
