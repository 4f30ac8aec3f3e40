/* Both ends of the stream: see closing.h. */
#include "tcp/internal.h"
#include "tcp/output.h"

/* CLOSE call, RFC 9293 section 3.10.4. Schedulers are told at once that nothing new goes here; the FIN
 * leaves behind what was sent before, at the end of the batch. */
void subflow_close(struct subflow *sf, braid_time now)
{
    (void)now;
    sf->fin.wanted = true;
    sf->cc.usable = false;
}

/* The FIN does not wait for cwnd or the peer's window: it is small, and the retransmission timer covers it.
 */
void tcp_fin_flush(struct subflow *sf, braid_time now)
{
    if (!sf->fin.wanted || sf->fin.sent)
        return;
    if (sf->state != TCP_STATE_ESTABLISHED && sf->state != TCP_STATE_CLOSE_WAIT)
        return;
    /* Memory is short: the timer of the pacer brings about another flush soon. */
    if (!tcp_flight_reserve(sf)) {
        sf->due.pace = now + BRAID_MS;
        return;
    }
    if (!tcp_outstanding(sf))
        sf->due.rto_base = now;
    sent_add(sf, 1, NULL, now);
    sf->fin.sent = true;
    tcp_send_fin(sf, sf->snd.nxt - 1, now);
    tcp_set_state(sf, sf->state == TCP_STATE_ESTABLISHED ? TCP_STATE_FIN_WAIT_1 : TCP_STATE_LAST_ACK);
}

/* RFC 9293 section 3.10.7.4, fifth check. Only these three states wait for it. In the last two the owner
 * sees the segment first: with MPTCP it may carry the last DATA_ACK. */
bool tcp_fin_acked(struct subflow *sf, const struct wire_packet *p, uint64_t off, braid_time now)
{
    if (!subflow_fin_acked(sf))
        return true;
    switch (sf->state) {
    case TCP_STATE_FIN_WAIT_1:
        tcp_set_state(sf, TCP_STATE_FIN_WAIT_2);
        return true;
    case TCP_STATE_CLOSING:
        sf->env->ops->segment(sf, p, off, now);
        if (sf->ack.now)
            tcp_send_ack(sf, now);
        tcp_finish(sf, TCP_STATE_TIME_WAIT, SUBFLOW_CLOSED_DONE, now);
        return false;
    case TCP_STATE_LAST_ACK:
        sf->env->ops->segment(sf, p, off, now);
        tcp_finish(sf, TCP_STATE_CLOSED, SUBFLOW_CLOSED_DONE, now);
        return false;
    default:
        return true;
    }
}

/* Of several FINs that contradict each other the first is believed. Whatever comes of it, the peer hears
 * where we stand. */
void tcp_fin_note(struct subflow *sf, uint64_t off)
{
    /* Data that is queued already lies beyond this FIN; behind the true one there can be none. */
    bool contradicted =
        !list_empty(&sf->ooo->pieces) && tcp_piece_end(tcp_piece_of(sf->ooo->pieces.prev)) > off;

    sf->ack.now = true;
    if (off < sf->rcv.nxt || sf->fin.known || off > sf->rcv.adv || contradicted)
        return;
    sf->fin.known = true;
    sf->fin.in_off = off;
}

/* RFC 9293 section 3.10.7.4, eighth check: the FIN takes one number. In FIN_WAIT_1 our own FIN is not
 * acknowledged yet, or the ACK processing would have left that state: both ends close at once. */
void tcp_fin_take(struct subflow *sf, braid_time now)
{
    sf->fin.received = true;
    sf->rcv.nxt++;
    sf->ack.now = true;
    switch (sf->state) {
    case TCP_STATE_ESTABLISHED:
        tcp_set_state(sf, TCP_STATE_CLOSE_WAIT);
        break;
    case TCP_STATE_FIN_WAIT_1:
        tcp_set_state(sf, TCP_STATE_CLOSING);
        break;
    default:
        break;
    }
    sf->env->ops->fin(sf, now);
    if (sf->state != TCP_STATE_FIN_WAIT_2)
        return;
    /* The acknowledgement has to leave now: the owner is about to forget the subflow. */
    tcp_send_ack(sf, now);
    tcp_finish(sf, TCP_STATE_TIME_WAIT, SUBFLOW_CLOSED_DONE, now);
}

/* ABORT call, RFC 9293 section 3.10.5. A peer that has not seen our SYN/ACK knows nothing of us, and no
 * RST has numbers that it could believe. */
void subflow_reset(struct subflow *sf, braid_time now)
{
    if (sf->state == TCP_STATE_CLOSED)
        return;
    /* In TIME_WAIT both FINs have been acknowledged: the peer has nothing left to abort. */
    if (sf->state >= TCP_STATE_ESTABLISHED && sf->state != TCP_STATE_TIME_WAIT)
        tcp_send_rst(sf, now);
    else if (sf->state == TCP_STATE_SYN_RECEIVED && sf->syn.answered)
        tcp_send_rst(sf, now);
    tcp_deadlines_stop(sf);
    tcp_set_state(sf, TCP_STATE_CLOSED);
}
