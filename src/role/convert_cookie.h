/* What a Convert client shows of itself in a Cookie TLV (RFC 8803 section 6.2.7): that it gets what is sent
 * to its address, or that it knows a secret. Nothing is encrypted by either. May be called by any thread. */
#ifndef BRAID_ROLE_CONVERT_COOKIE_H
#define BRAID_ROLE_CONVERT_COOKIE_H

#include <braid/types.h>

struct freezer;
struct thaw_item;

/* Both are multiples of 4, since the TLV does not tell how many of its bytes are padding. */
#define CONVERT_ADDRESS_COOKIE 16
#define CONVERT_PSK_COOKIE     24

enum convert_cookie_verdict {
    CONVERT_COOKIE_GOOD,
    CONVERT_COOKIE_WRONG,
    CONVERT_COOKIE_SPENT, /* it was good once, and is good no more */
    CONVERT_COOKIE_FULL   /* so many were good within their time that no more can be kept in mind */
};

/* The cookie of a client's address, which only this daemon knows (and who follows by an upgrade), and only
 * for a day or two: whoever sends it from there has got it there, or knows somebody who has. now: seconds
 * since 1970. */
void convert_address_cookie(const struct braid_ip *client, int64_t now, uint8_t out[CONVERT_ADDRESS_COOKIE]);
enum convert_cookie_verdict convert_address_check(const struct braid_ip *client, int64_t now,
                                                  const uint8_t *cookie, size_t n);

/* A cookie for one connection to this server: a random number, the time, and a code over both and the server
 * by the secret. Good once, and within a minute by the clocks of both ends; the client's address does not
 * matter. psk: as many characters as the configuration allows. */
void convert_psk_cookie(const char *psk, const struct braid_addr *server, int64_t now,
                        uint8_t out[CONVERT_PSK_COOKIE]);
/* GOOD: it is spent from now on. */
enum convert_cookie_verdict convert_psk_check(const char *psk, const struct braid_addr *server, int64_t now,
                                              const uint8_t *cookie, size_t n);

/* What makes cookies of addresses, and which of a secret are spent, as a group of this tag, for another
 * process (docs/handover.md) ... */
void convert_cookies_freeze(struct freezer *f, unsigned tag, int64_t now);
/* ... and read there, before any thread is shown one. */
void convert_cookies_thaw(const struct thaw_item *group, int64_t now);

#endif
