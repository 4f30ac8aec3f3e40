/* A middlebox that takes option 30 away. */
#ifndef BRAID_TESTS_STRIP_H
#define BRAID_TESTS_STRIP_H

#include <string.h>
#include "wire/tcp.h"

/* It becomes NOPs. */
static inline void strip_mptcp(uint8_t *tcp)
{
    uint8_t *end = tcp + (tcp[12] >> 4) * 4;
    for (uint8_t *o = tcp + TCP_HEADER_MIN; o < end && *o != 0; o += *o == 1 ? 1 : o[1]) {
        if (*o == 30) {
            uint8_t n = o[1];
            memset(o, 1, n);
        }
    }
}

#endif
