/* Retransmission: see retransmit.h. Which runs are lost is for others to find out (ack.c, rack.c,
 * recovery.c). */
#include "tcp/retransmit.h"

#include "tcp/internal.h"
#include "tcp/output.h"
#include "tcp/pacing.h"

/* Packets; the rest follows a millisecond later, when other subflows had their turn. */
#define RETRANSMITS_PER_FLUSH 128

/* s keeps its first bytes, `most` of them, and what is behind becomes a run of its own. If there is no memory
 * for one all of it leaves: better than none. */
static void cut(struct subflow *sf, struct tcp_sent *s, uint64_t most)
{
    if (sent_len(s) > most)
        sent_split(sf, s, s->start + most);
}

/* The oldest segment restarts the timer (RFC 6298 (5.1)); others have to wait for its ACK anyhow. A FIN
 * has no map and goes by itself. */
void tcp_retransmit(struct subflow *sf, struct tcp_sent *s, braid_time now)
{
    unsigned segments = 1;

    if (s->start == sf->snd.una) {
        sf->due.rto_base = now;
        tcp_mtu_head_again(sf, s);
    }
    cut(sf, s, sent_once_again(sf, s));
    sent_again(sf, s, now);
    if (s->map)
        segments = tcp_send_data(sf, s->map, s->start, s->end, s->seg, now);
    else
        tcp_send_fin(sf, s->start, now);
    sf->snd.retransmits += segments;
    tcp_count_again(sf, segments);
    recovery_note_retransmit(sf, sent_len(s), now);
    tcp_account_transmission(sf, sent_len(s), now);
}

/* The first lost run, cut to what may leave now; NULL: nothing may. */
static struct tcp_sent *next_lost(struct subflow *sf, braid_time now)
{
    struct tcp_sent *s = sent_of_link(sf->flight->board.lost.next);
    uint64_t room = min_u64(tcp_cwnd_room(sf), pacer_quantum(&sf->pacer, sf->size.mss));

    /* With nothing in flight no ACK will come to open the window: one segment leaves, or only a timeout would
     * help. */
    if (sf->flight->board.pipe == 0)
        room = max_u64(room, sf->size.mss);
    else if (room < min_u64(sf->size.mss, sent_len(s)) || !tcp_pacing_admits(sf, now))
        return NULL;
    uint32_t seg = sent_seg_again(sf, s);
    room = max_u64(tcp_whole_segments(room, seg), seg);
    if (sent_once_again(sf, s) > room)
        cut(sf, s, room);
    return s;
}

/* At most so many packets at once: absurd SACK blocks may have made each of them tiny. */
void tcp_retransmit_lost(struct subflow *sf, braid_time now)
{
    for (unsigned i = 0; !list_empty(&sf->flight->board.lost); i++) {
        struct tcp_sent *s = next_lost(sf, now);

        if (!s)
            return;
        if (i == RETRANSMITS_PER_FLUSH) {
            sf->due.pace = now + BRAID_MS;
            return;
        }
        tcp_retransmit(sf, s, now);
    }
}
