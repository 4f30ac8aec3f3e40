/* The options at level SOL_MPTCP, as Linux fills them in (linux_info.c): its structures by their layout,
 * since the headers of the build may be older than the programs, and its rules of what goes where and what is
 * refused. */
#ifndef BRAID_SOCKET_LINUX_INFO_H
#define BRAID_SOCKET_LINUX_INFO_H

#include <linux/mptcp.h>
#include <linux/tcp.h>
#include "app/message.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef MPTCP_FULL_INFO
#define MPTCP_FULL_INFO 4
#endif

/* struct mptcp_info of Linux 6.10. */
struct linux_info {
    uint8_t subflows, add_addr_signal, add_addr_accepted;
    uint8_t subflows_max, add_addr_signal_max, add_addr_accepted_max;
    uint32_t flags, token;
    uint64_t write_seq, snd_una, rcv_nxt;
    uint8_t local_addr_used, local_addr_max, csum_enabled;
    uint32_t retransmits;
    uint64_t bytes_retrans, bytes_sent, bytes_received, bytes_acked;
    uint8_t subflows_total, reserved[3];
    uint32_t last_data_sent, last_data_recv, last_ack_recv; /* ms */
};

/* struct mptcp_subflow_info */
struct linux_subflow_info {
    uint32_t id;
    struct mptcp_subflow_addrs addrs;
};

struct linux_subflow {
    struct linux_subflow_info info;
    struct tcp_info tcp;
};

/* What there is to tell. */
struct linux_picture {
    struct linux_info info;
    unsigned n;
    struct linux_subflow subflows[APP_PAIRS_MAX];
};

/* Of a connection that the daemon has described. v6: the socket is of IPv6, and so are the addresses of its
 * first subflow, or if it was accepted of all. */
void linux_picture_of(const struct app_message *answer, bool v6, bool accepted, struct linux_picture *out);
/* Both ends of a subflow; addresses of IPv4 in the form of IPv6 if that is wanted. */
struct mptcp_subflow_addrs linux_addrs(const struct braid_pair *pair, bool v6);
/* Writes what the option asks for. 0; or an errno: EINVAL; EOPNOTSUPP: there is no such option. */
int linux_info_write(const struct linux_picture *p, int option, void *value, socklen_t *len);

#endif
