/* What the configuration says of a converter (RFC 8803), beyond what it says of every edge. */
#ifndef BRAID_ROLE_CONVERT_PARAMS_H
#define BRAID_ROLE_CONVERT_PARAMS_H

#include <stdbool.h>

#define CONVERT_PSK_MIN 16 /* bytes */
#define CONVERT_PSK_MAX 64
#define CONVERT_PENDING 256

/* What a client has to show before anything is connected for it. */
enum convert_cookie_kind {
    CONVERT_COOKIE_NONE,
    CONVERT_COOKIE_ADDRESS, /* that it gets our packets: a cookie that we have sent to its address */
    CONVERT_COOKIE_PSK      /* that it knows a secret (role/convert_cookie.h) */
};

struct convert_params {
    bool open; /* clients that no item of the edge's allow list matches may convert, too */
    enum convert_cookie_kind cookie;
    char psk[CONVERT_PSK_MAX + 1];
    unsigned pending;     /* connections of one client, on one worker, whose server has not answered */
    bool early;           /* data of SYNs goes to servers before the third ACK (converter_early.c) */
    bool ignore_bare_syn; /* a SYN without a message is not answered */
};

#endif
