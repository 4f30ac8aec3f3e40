/* See linux_info.h. What the daemon does not know is 0: of a subflow ato, retrans, fackets, the age of the
 * last data received, rcv_ssthresh, advmss, reordering, rcv_space, counts of segments but of those with
 * payload that were sent, delivery rate, the times that something was the limit, delivered, bytes_retrans,
 * dsack_dups, reord_seen and rcv_ooopack; of the connection bytes_retrans and the age of the last data
 * received. */
#include "socket/linux_info.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "base/addr.h"
#include "io/sockaddr.h"

_Static_assert(sizeof(struct linux_info) == 96 && offsetof(struct linux_info, token) == 12 &&
                   offsetof(struct linux_info, retransmits) == 44 &&
                   offsetof(struct linux_info, last_data_sent) == 84,
               "the layout of struct mptcp_info");
_Static_assert(offsetof(struct linux_info, rcv_nxt) == offsetof(struct mptcp_info, mptcpi_rcv_nxt) &&
                   offsetof(struct linux_info, csum_enabled) ==
                       offsetof(struct mptcp_info, mptcpi_csum_enabled),
               "as far as the header knows it");
_Static_assert(sizeof(struct linux_subflow_info) == 264, "the layout of struct mptcp_subflow_info");

static uint32_t least(uint32_t a, size_t b)
{
    return a < b ? a : (uint32_t)b;
}

/* ---- what there is to tell ---------------------------------------------------------------------------- */

/* To an end of a struct mptcp_subflow_addrs. */
static void write_end(const struct braid_addr *addr, bool v6, struct __kernel_sockaddr_storage *out)
{
    struct sockaddr_storage sa = {0};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    socklen_t len = sockaddr_from(addr, &sa);
    memcpy(&mapped.sin6_addr, addr->ip.b, sizeof(addr->ip.b));
    if (v6)
        memcpy(out, &mapped, sizeof(mapped));
    else
        memcpy(out, &sa, len);
}

struct mptcp_subflow_addrs linux_addrs(const struct braid_pair *pair, bool v6)
{
    struct mptcp_subflow_addrs out;
    memset(&out, 0, sizeof(out));
    write_end(&pair->local, v6, &out.ss_local);
    write_end(&pair->remote, v6, &out.ss_remote);
    return out;
}

static struct tcp_info tcp_of(const struct linux_tcp *t)
{
    return (struct tcp_info){
        .tcpi_state = t->state,
        .tcpi_ca_state = t->ca_state,
        .tcpi_retransmits = t->retransmits,
        .tcpi_probes = t->probes,
        .tcpi_backoff = t->backoff,
        .tcpi_options = t->options,
        .tcpi_snd_wscale = t->snd_wscale & 15,
        .tcpi_rcv_wscale = t->rcv_wscale & 15,
        .tcpi_rto = t->rto,
        .tcpi_snd_mss = t->snd_mss,
        .tcpi_rcv_mss = t->rcv_mss,
        .tcpi_unacked = t->unacked,
        .tcpi_sacked = t->sacked,
        .tcpi_lost = t->lost,
        .tcpi_last_data_sent = t->sent_ms,
        .tcpi_last_ack_recv = t->heard_ms,
        .tcpi_pmtu = t->pmtu,
        .tcpi_rtt = t->rtt,
        .tcpi_rttvar = t->rttvar,
        .tcpi_snd_ssthresh = t->snd_ssthresh,
        .tcpi_snd_cwnd = t->snd_cwnd,
        .tcpi_rcv_rtt = t->rcv_rtt,
        .tcpi_total_retrans = t->total_retrans,
        .tcpi_pacing_rate = t->pacing_rate ? t->pacing_rate : UINT64_MAX, /* unlimited */
        .tcpi_max_pacing_rate = UINT64_MAX,
        .tcpi_bytes_acked = t->bytes_acked,
        .tcpi_bytes_received = t->bytes_received,
        .tcpi_min_rtt = t->min_rtt,
        .tcpi_data_segs_out = t->data_segs_out,
        .tcpi_bytes_sent = t->bytes_sent,
        .tcpi_snd_wnd = t->snd_wnd,
    };
}

static struct linux_info info_of(const struct linux_mptcp *m)
{
    return (struct linux_info){
        .subflows = m->subflows,
        .add_addr_signal = m->add_addr_signal,
        .add_addr_accepted = m->add_addr_accepted,
        .subflows_max = m->subflows_max,
        .add_addr_signal_max = m->add_addr_signal_max,
        .add_addr_accepted_max = m->add_addr_accepted_max,
        .flags = m->flags,
        .token = m->token,
        .write_seq = m->write_seq,
        .snd_una = m->snd_una,
        .rcv_nxt = m->rcv_nxt,
        .local_addr_used = m->local_addr_used,
        .local_addr_max = m->local_addr_max,
        .csum_enabled = m->csum_enabled,
        .retransmits = m->retransmits,
        .bytes_sent = m->bytes_sent,
        .bytes_received = m->bytes_received,
        .bytes_acked = m->bytes_acked,
        .subflows_total = m->subflows_total,
        .last_data_sent = m->sent_ms,
        .last_ack_recv = m->heard_ms,
    };
}

void linux_picture_of(const struct app_message *answer, bool v6, bool accepted, struct linux_picture *out)
{
    out->info = info_of(&answer->mptcp);
    out->n = answer->n_tcp;
    for (unsigned i = 0; i < out->n; i++) {
        const struct linux_tcp *t = &answer->tcp[i];
        bool wide = !ip_is_v4(&answer->pairs[i].local.ip) || (v6 && (accepted || t->subflow == 0));
        out->subflows[i] = (struct linux_subflow){
            .info = {.id = t->subflow + 1, /* Linux counts from 1 */
                     .addrs = linux_addrs(&answer->pairs[i], wide)},
            .tcp = tcp_of(t),
        };
    }
}

/* ---- writing it --------------------------------------------------------------------------------------- */

static int write_info(const struct linux_picture *p, void *value, socklen_t *len)
{
    *len = least(*len, sizeof(p->info));
    if (*len > 0) /* else value may be NULL */
        memcpy(value, &p->info, *len);
    return 0;
}

/* MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS: behind a header, of which the program says how long it takes it to be,
 * an array of elements that are as long as it wants them, or as we have them; as many as have room. */
static int write_array(const struct linux_picture *p, size_t at, size_t size, void *value, socklen_t *len)
{
    struct mptcp_subflow_data head;
    if (*len < sizeof(head) || *len > INT32_MAX)
        return EINVAL;
    memcpy(&head, value, sizeof(head));
    if (head.size_user > INT32_MAX || head.size_subflow_data < sizeof(head) ||
        head.size_subflow_data > *len || head.num_subflows || head.size_kernel)
        return EINVAL;
    size_t left = *len - head.size_subflow_data, written = 0;
    head.size_kernel = (uint32_t)size;
    head.size_user = least(head.size_user, size);
    head.num_subflows = p->n;
    for (unsigned i = 0; i < p->n && left - written >= head.size_user; i++) {
        memcpy((uint8_t *)value + head.size_subflow_data + written, (const uint8_t *)&p->subflows[i] + at,
               head.size_user);
        written += head.size_user;
    }
    memcpy(value, &head, sizeof(head));
    *len = (socklen_t)(written ? head.size_subflow_data + written : sizeof(head));
    return 0;
}

/* struct mptcp_full_info: what the program says, and is told, of the arrays, which are elsewhere; and behind
 * it a struct mptcp_info, as much as has room. */
struct full_head {
    uint32_t size_tcpinfo_kernel, size_tcpinfo_user;
    uint32_t size_sfinfo_kernel, size_sfinfo_user;
    uint32_t num_subflows, size_arrays_user;
    uint64_t subflow_info, tcp_info; /* addresses */
};
_Static_assert(sizeof(struct full_head) == 40, "the layout of struct mptcp_full_info");

static int write_full(const struct linux_picture *p, void *value, socklen_t *len)
{
    struct full_head head;
    if (*len < sizeof(head) || *len > INT32_MAX)
        return EINVAL;
    memcpy(&head, value, sizeof(head));
    if (head.size_tcpinfo_kernel || head.size_sfinfo_kernel || head.num_subflows ||
        head.size_sfinfo_user > INT32_MAX || head.size_tcpinfo_user > INT32_MAX)
        return EINVAL;
    uint8_t *infos = (uint8_t *)(uintptr_t)head.subflow_info, *tcps = (uint8_t *)(uintptr_t)head.tcp_info;
    head.size_tcpinfo_kernel = sizeof(struct tcp_info);
    head.size_tcpinfo_user = least(head.size_tcpinfo_user, sizeof(struct tcp_info));
    head.size_sfinfo_kernel = sizeof(struct linux_subflow_info);
    head.size_sfinfo_user = least(head.size_sfinfo_user, sizeof(struct linux_subflow_info));
    head.num_subflows = p->n;
    for (unsigned i = 0; i < p->n && i < head.size_arrays_user; i++) {
        if (head.size_sfinfo_user)
            memcpy(infos + (size_t)i * head.size_sfinfo_user, &p->subflows[i].info, head.size_sfinfo_user);
        if (head.size_tcpinfo_user)
            memcpy(tcps + (size_t)i * head.size_tcpinfo_user, &p->subflows[i].tcp, head.size_tcpinfo_user);
    }
    socklen_t rest = least(*len - (socklen_t)sizeof(head), sizeof(p->info));
    memcpy(value, &head, sizeof(head));
    memcpy((uint8_t *)value + sizeof(head), &p->info, rest);
    *len = (socklen_t)sizeof(head) + rest;
    return 0;
}

int linux_info_write(const struct linux_picture *p, int option, void *value, socklen_t *len)
{
    switch (option) {
    case MPTCP_INFO:
        return write_info(p, value, len);
    case MPTCP_TCPINFO:
        return write_array(p, offsetof(struct linux_subflow, tcp), sizeof(struct tcp_info), value, len);
    case MPTCP_SUBFLOW_ADDRS:
        return write_array(p, offsetof(struct linux_subflow, info.addrs), sizeof(struct mptcp_subflow_addrs),
                           value, len);
    case MPTCP_FULL_INFO:
        return write_full(p, value, len);
    default:
        return EOPNOTSUPP;
    }
}
