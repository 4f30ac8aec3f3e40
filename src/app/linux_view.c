/* See linux_view.h. */
#include "app/linux_view.h"
#include "base/bytes.h"

#define ONE(name)   +1
#define FOUR(name)  +4
#define EIGHT(name) +8
_Static_assert(LINUX_TCP_SIZE == 0 LINUX_TCP_BYTES(ONE) LINUX_TCP_WORDS(FOUR) LINUX_TCP_LONGS(EIGHT),
               "the bytes of a subflow");
_Static_assert(LINUX_MPTCP_SIZE == 0 LINUX_MPTCP_BYTES(ONE) LINUX_MPTCP_WORDS(FOUR) LINUX_MPTCP_LONGS(EIGHT),
               "the bytes of a connection");

#define PUT_BYTE(name) *at++ = v->name;
#define PUT_WORD(name)                                                                                       \
    put32(at, v->name);                                                                                      \
    at += 4;
#define PUT_LONG(name)                                                                                       \
    put64(at, v->name);                                                                                      \
    at += 8;
#define GET_BYTE(name) v.name = *at++;
#define GET_WORD(name)                                                                                       \
    v.name = get32(at);                                                                                      \
    at += 4;
#define GET_LONG(name)                                                                                       \
    v.name = get64(at);                                                                                      \
    at += 8;

uint8_t *linux_tcp_put(uint8_t *at, const struct linux_tcp *v)
{
    LINUX_TCP_BYTES(PUT_BYTE)
    LINUX_TCP_WORDS(PUT_WORD)
    LINUX_TCP_LONGS(PUT_LONG)
    return at;
}

uint8_t *linux_mptcp_put(uint8_t *at, const struct linux_mptcp *v)
{
    LINUX_MPTCP_BYTES(PUT_BYTE)
    LINUX_MPTCP_WORDS(PUT_WORD)
    LINUX_MPTCP_LONGS(PUT_LONG)
    return at;
}

struct linux_tcp linux_tcp_get(const uint8_t *at)
{
    struct linux_tcp v;
    LINUX_TCP_BYTES(GET_BYTE)
    LINUX_TCP_WORDS(GET_WORD)
    LINUX_TCP_LONGS(GET_LONG)
    return v;
}

struct linux_mptcp linux_mptcp_get(const uint8_t *at)
{
    struct linux_mptcp v;
    LINUX_MPTCP_BYTES(GET_BYTE)
    LINUX_MPTCP_WORDS(GET_WORD)
    LINUX_MPTCP_LONGS(GET_LONG)
    return v;
}
