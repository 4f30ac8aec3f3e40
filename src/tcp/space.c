/* How much may leave: windows, pacing, and what is not worth a packet. */
#include "tcp/space.h"

#include "tcp/internal.h"
#include "tcp/pacing.h"

/* A flow defers small super-packets while at least two thirds of the window are in flight: ACKs are to come.
 */
#define DEFER_DIVISOR 3

/* Many small packets must not escape cwnd because it counts bytes: a run is at least one packet. */
static bool too_many_packets(const struct subflow *sf)
{
    bool many = (uint64_t)sf->flight->board.n_flight * sf->size.mss >= sf->cc.cwnd + sf->size.mss;

    /* New data takes half of SENT_MAX at most: the other half is for what SACK blocks and losses split. */
    return sf->flight->board.n_sent >= SENT_MAX / 2 ||
           (many && sf->flight->board.n_flight > 2 && !sf->cc.in_recovery);
}

/* What congestion control lets go: whole segments. Only the initial window is used up to its last byte, if
 * that makes a segment worth sending: what is left out of it is missing from each window that follows in slow
 * start, too. */
static uint64_t congestion_space(struct subflow *sf)
{
    uint64_t room = tcp_cwnd_room(sf);

    if (too_many_packets(sf))
        room = 0;
    /* A window of less than a segment must not stop the flow for good: nothing would ever open it. */
    if (room < sf->size.mss && sf->flight->board.pipe == 0)
        room = sf->size.mss;
    if (room < sf->size.mss)
        sf->cwnd.limited = true;
    if (subflow_in_initial_window(sf) && room % sf->size.mss >= sf->size.mss / 2)
        return room;
    return tcp_whole_segments(room, sf->size.mss);
}

/* What the peer's window lets go; the sender's part of silly window avoidance (RFC 9293 section 3.8.6.2.1).
 */
static uint64_t window_space(const struct subflow *sf)
{
    uint64_t edge = sf->snd.una + sf->snd.wnd;
    uint64_t room = edge > sf->snd.nxt ? edge - sf->snd.nxt : 0;

    /* Fs is 1/2 in the RFC: a peer whose whole buffer is small still gets what is half of it. */
    if (room < sf->size.mss && tcp_outstanding(sf) && room < sf->snd.wnd_max / 2)
        return 0;
    return room < sf->size.mss ? room : tcp_whole_segments(room, sf->size.mss);
}

/* Is an ACK to be expected soon? Not while all that is in flight has left within the last half of a round
 * trip. */
static bool ack_is_near(const struct subflow *sf, braid_time now)
{
    const struct list *oldest = sf->flight->board.by_time.next;

    return oldest != &sf->flight->board.by_time &&
           now - sent_of_link((struct list *)oldest)->at >= sf->rtt.srtt_us / 2;
}

/* Is it better to wait for a larger super-packet? Never when ACKs might not come: most of the window is in
 * flight then; nor when they come only after a while, as at the end of each round of slow start. */
static bool worth_waiting(const struct subflow *sf, uint64_t space, uint64_t quantum, braid_time now)
{
    uint64_t window = min_u64(sf->cc.cwnd, sf->snd.wnd);

    return !sf->cc.in_recovery && space < quantum && space < window / DEFER_DIVISOR &&
           sf->flight->board.pipe > window - window / DEFER_DIVISOR && ack_is_near(sf, now);
}

/* The owner asks before each packet. What was lost goes first; then all bounds have to agree, in whole
 * segments where they can (RFC 9293 section 3.8.6.2.1), and there is memory for what will be sent before
 * the owner is told that it may. */
uint64_t subflow_space(struct subflow *sf, braid_time now)
{
    if (!subflow_can_carry_data(sf) || !list_empty(&sf->flight->board.lost))
        return 0;
    tcp_restart_after_idle(sf, now);
    uint64_t congestion = congestion_space(sf), window = window_space(sf);
    uint64_t space = min_u64(congestion, window);
    if (space == 0)
        return 0;
    uint64_t quantum = pacer_quantum(&sf->pacer, sf->size.mss);
    /* Waiting for a larger packet is no want of data: it counts as a use of cwnd if that is the narrower
     * bound. */
    if (worth_waiting(sf, space, quantum, now)) {
        sf->cwnd.limited |= congestion <= window;
        return 0;
    }
    if (!tcp_pacing_admits(sf, now) || !tcp_flight_reserve(sf))
        return 0;
    return min_u64(space, quantum);
}

/* The owner has sent what it had, or wanted to. If more could leave now, it is not the path that limits the
 * rate. What the peer's window holds back does not count: a flow that is limited by it for good has to be
 * measured all the same. */
void tcp_note_app_limited(struct subflow *sf, braid_time now)
{
    uint64_t room = tcp_cwnd_room(sf), window = window_space(sf);

    if (!subflow_can_carry_data(sf) || !list_empty(&sf->flight->board.lost) || sf->cwnd.blocked ||
        sf->due.pace != BRAID_NEVER)
        return;
    if (room < sf->size.mss || window == 0 || too_many_packets(sf) || !pacer_ready(&sf->pacer, now))
        return;
    if (!worth_waiting(sf, min_u64(room, window), pacer_quantum(&sf->pacer, sf->size.mss), now))
        delivery_app_limited(&sf->delivery, sf->flight->board.pipe);
}
