/* Resets without a connection: see refuse.h. */
#include "tcp/refuse.h"

#include "tcp/emit.h"
#include "tcp/internal.h"

/* A RST that whoever sent p accepts (RFC 9293 section 3.10.7.1). */
static void refuse(struct tcp_env *env, const struct wire_packet *p, struct wire_tcp *t)
{
    const struct wire_tcp *in = &p->tcp;

    if (in->flags & TCP_RST)
        return;
    /* Group 1: what p acknowledges is the number that its sender expects next. Where p has no ACK there is
     * none: the RST is at 0, and acknowledges p to show that it answers it. With MP_FASTCLOSE it does
     * both. */
    if ((in->flags & TCP_ACK) && !(t->mp.has & MPTCP_HAS(MPTCP_FASTCLOSE))) {
        t->seq = in->ack;
    } else {
        t->seq = in->flags & TCP_ACK ? in->ack : 0;
        t->flags |= TCP_ACK;
        t->ack = in->seq + p->payload_len + !!(in->flags & TCP_SYN) + !!(in->flags & TCP_FIN);
    }
    tcp_emit(env, &p->dst, &p->src, t);
}

/* The reason is MPTCP's (RFC 8684 section 3.6); who does not know the option takes it for a plain RST. */
void tcp_refuse(struct tcp_env *env, const struct wire_packet *p, int reason)
{
    struct wire_tcp t = {.flags = TCP_RST};

    if (reason >= 0) {
        t.mp.has = MPTCP_HAS(MPTCP_TCPRST);
        t.mp.rst_reason = (uint8_t)reason;
        t.mp.rst_flags = mptcp_rst_is_transient(reason) ? MPTCP_RST_TRANSIENT : 0;
    }
    refuse(env, p, &t);
}

/* MP_FASTCLOSE needs the peer's key as a proof (RFC 8684 section 3.5); a RST alone would end only this
 * subflow. */
void tcp_refuse_fastclose(struct tcp_env *env, const struct wire_packet *p, uint64_t key, uint8_t reason)
{
    struct wire_tcp t = {.flags = TCP_RST};

    t.mp.has = MPTCP_HAS(MPTCP_FASTCLOSE) | MPTCP_HAS(MPTCP_TCPRST);
    t.mp.fastclose.key = key;
    t.mp.rst_reason = reason;
    t.mp.rst_flags = mptcp_rst_is_transient(reason) ? MPTCP_RST_TRANSIENT : 0;
    refuse(env, p, &t);
}
