/* What Linux tells programs of its MPTCP sockets (TCP_INFO of each subflow and MPTCP_INFO), as far as the
 * daemon knows it of its own connections, in Linux's units: parts of a message (message.h). What is not in
 * here is 0 to programs (src/socket/linux_info.c). */
#ifndef BRAID_APP_LINUX_VIEW_H
#define BRAID_APP_LINUX_VIEW_H

#include <stdint.h>

/* Each field X(name) of so many bytes, in the order on the wire. Times in microseconds; those with _ms are
 * ages in milliseconds. Windows and what is in flight: segments; snd_wnd: bytes. */
#define LINUX_TCP_BYTES(X)                                                                                   \
    X(state) X(ca_state) X(retransmits) X(probes) X(backoff) X(options) X(snd_wscale) X(rcv_wscale)
#define LINUX_TCP_WORDS(X)                                                                                   \
    X(subflow)                                                                                               \
    X(rto)                                                                                                   \
    X(snd_mss)                                                                                               \
    X(rcv_mss)                                                                                               \
    X(pmtu)                                                                                                  \
    X(unacked)                                                                                               \
    X(sacked)                                                                                                \
    X(lost)                                                                                                  \
    X(sent_ms)                                                                                               \
    X(heard_ms)                                                                                              \
    X(rtt)                                                                                                   \
    X(rttvar) X(min_rtt) X(rcv_rtt) X(snd_ssthresh) X(snd_cwnd) X(total_retrans) X(data_segs_out) X(snd_wnd)
#define LINUX_TCP_LONGS(X) X(pacing_rate) X(bytes_acked) X(bytes_received) X(bytes_sent)

#define LINUX_MPTCP_BYTES(X)                                                                                 \
    X(subflows)                                                                                              \
    X(subflows_max)                                                                                          \
    X(subflows_total)                                                                                        \
    X(add_addr_signal)                                                                                       \
    X(add_addr_signal_max)                                                                                   \
    X(add_addr_accepted)                                                                                     \
    X(add_addr_accepted_max) X(local_addr_used) X(local_addr_max) X(csum_enabled) X(flags)
#define LINUX_MPTCP_WORDS(X) X(token) X(retransmits) X(sent_ms) X(heard_ms)
#define LINUX_MPTCP_LONGS(X) X(write_seq) X(snd_una) X(rcv_nxt) X(bytes_sent) X(bytes_received) X(bytes_acked)

#define LINUX_BYTE(name) uint8_t name;
#define LINUX_WORD(name) uint32_t name;
#define LINUX_LONG(name) uint64_t name;
/* Of a subflow. */
struct linux_tcp {
    LINUX_TCP_LONGS(LINUX_LONG)
    LINUX_TCP_WORDS(LINUX_WORD)
    LINUX_TCP_BYTES(LINUX_BYTE)
};
/* Of a connection that is MPTCP. */
struct linux_mptcp {
    LINUX_MPTCP_LONGS(LINUX_LONG)
    LINUX_MPTCP_WORDS(LINUX_WORD)
    LINUX_MPTCP_BYTES(LINUX_BYTE)
};
#undef LINUX_BYTE
#undef LINUX_WORD
#undef LINUX_LONG

#define LINUX_TCP_SIZE   116 /* bytes on the wire */
#define LINUX_MPTCP_SIZE 75

/* Both take so many bytes at `at`, and return what is behind. */
uint8_t *linux_tcp_put(uint8_t *at, const struct linux_tcp *t);
uint8_t *linux_mptcp_put(uint8_t *at, const struct linux_mptcp *m);
struct linux_tcp linux_tcp_get(const uint8_t *at);
struct linux_mptcp linux_mptcp_get(const uint8_t *at);

#endif
