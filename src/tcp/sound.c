/* What other files take for granted of a subflow: see sound.h. Tables have looked at each member by itself
 * (subflow_freeze.c and its neighbours); here is what holds between them. */
#include "tcp/sound.h"

#include "tcp/internal.h"

/* The least that min_mss can be set to (mss.c), and what such a segment is in, with all headers. */
#define MSS_LEAST    64u
#define PACKET_LEAST (MSS_LEAST + 60u)

static bool is_handshake(const struct subflow *sf)
{
    return sf->state == TCP_STATE_SYN_SENT || sf->state == TCP_STATE_SYN_RECEIVED;
}

static bool is_open(const struct subflow *sf)
{
    return subflow_synchronized(sf) && sf->state != TCP_STATE_TIME_WAIT;
}

/* A segment fits into a packet with all its options, and what would be a SYN's payload beside them. */
static bool sizes_are_sound(const struct subflow *sf)
{
    const struct tcp_size *s = &sf->size;
    uint32_t headers = 40 + (sf->syn.ts_ok ? TCP_TS_OPTION : 0) + s->reserve;

    return s->mss > 0 && s->mss <= UINT16_MAX - headers && s->path_mtu >= PACKET_LEAST &&
           (s->most == 0 || s->most >= MSS_LEAST) && sf->syn.peer_mss >= MSS_LEAST && sf->rcv.mss > 0 &&
           (sf->flight->mtu.probe == 0 || sf->mtu.size >= PACKET_LEAST);
}

/* Until both SYNs have arrived nothing is acknowledged, from then on they are. */
static bool numbers_are_sound(const struct subflow *sf)
{
    bool arrived = sf->snd.una > 0 && sf->rcv.nxt > 0;
    bool all = sf->snd.una == sf->snd.nxt || tcp_outstanding(sf);

    return sf->snd.una <= sf->snd.nxt &&
           (is_open(sf) ? arrived && all : !is_handshake(sf) || sf->snd.una == 0);
}

static bool fins_are_sound(const struct subflow *sf)
{
    const struct tcp_fins *f = &sf->fin;
    bool came = !f->received || (f->known && sf->rcv.nxt == f->in_off + 1);

    return (!f->sent || f->wanted) && came && (!f->known || f->received || sf->rcv.nxt <= f->in_off) &&
           (sf->state != TCP_STATE_CLOSE_WAIT || f->received);
}

/* What the timer is for is there, unless it never fires: that of a handshake that is over goes with the
 * flush. What is outstanding has a timer that looks after it. */
static bool timer_is_sound(const struct subflow *sf, bool has_timer)
{
    enum tcp_rexmit_timer kind = sf->tries.kind;
    bool repeats = kind == REXMIT_RTO || kind == REXMIT_TLP || kind == REXMIT_REORDER;

    if (is_handshake(sf))
        return kind == REXMIT_OFF || kind == REXMIT_RTO;
    if (!is_open(sf) || !tcp_outstanding(sf))
        return !repeats || (kind == REXMIT_RTO && sf->due.rexmit == BRAID_NEVER);
    return repeats && sf->due.rexmit != BRAID_NEVER && has_timer;
}

/* What algorithms see is what there is. */
static bool cc_is_sound(const struct subflow *sf)
{
    const struct cc *cc = &sf->cc;
    bool ssthresh = cc->ssthresh <= SOUND_WINDOW || cc->ssthresh == CC_SSTHRESH_INFINITE;
    bool made = cc->priv || cc->ops->priv_size == 0 || !is_open(sf);

    return ssthresh && made && cc->cwnd > 0 && cc->usable == subflow_can_carry_data(sf) &&
           cc->in_flight == sf->flight->board.pipe;
}

static bool recovery_is_sound(const struct subflow *sf)
{
    const struct tcp_recovery *r = &sf->flight->recovery;
    bool prr = !tcp_prr_governs(sf) || (r->prr.recover_flight > 0 && sf->cc.ssthresh <= SOUND_WINDOW);

    if (!sf->cc.in_recovery)
        return !r->by_rto && sf->flight->tlp_end <= sf->snd.nxt;
    return tcp_flight_is_made(sf) && r->point >= sf->snd.una && prr && sf->flight->tlp_end <= sf->snd.nxt;
}

/* Maps lie end to end up to what was sent last, FIN not counted, and none is done with. */
static bool maps_are_sound(const struct subflow *sf)
{
    uint64_t at = 0;

    for (struct list *pos = sf->flight->maps.next; pos != &sf->flight->maps; pos = pos->next) {
        const struct tcp_map *m = list_entry(pos, struct tcp_map, node);
        bool first = pos == sf->flight->maps.next;

        if (first ? m->off == 0 || m->off > max_u64(sf->snd.una, 1) : m->off != at)
            return false;
        at = m->off + m->len;
        if (at <= sf->snd.una)
            return false;
    }
    return at == 0 || at == sf->snd.nxt - sf->fin.sent;
}

/* A FIN is the last one and has no map; what was SACKed may reach over several maps, but not over the FIN. */
static bool run_is_sound(const struct subflow *sf, const struct tcp_sent *s)
{
    if (s->mark.delivered > sf->delivery.delivered ||
        sf->delivery.delivered - s->mark.delivered > SOUND_WINDOW)
        return false;
    if (!s->map)
        return sf->fin.sent && s->end == sf->snd.nxt && s->end == s->start + 1;
    if (s->state == SENT_SACKED)
        return s->end <= sf->snd.nxt - sf->fin.sent;
    return s->map->off <= s->start && s->end <= s->map->off + s->map->len;
}

static bool runs_are_sound(const struct subflow *sf)
{
    const struct scoreboard *board = &sf->flight->board;
    uint64_t at = max_u64(sf->snd.una, 1);

    for (struct list *pos = board->runs.next; pos != &board->runs; pos = pos->next) {
        const struct tcp_sent *s = sent_of(pos);

        if (s->start != at || !run_is_sound(sf, s))
            return false;
        at = s->end;
    }
    return list_empty(&board->runs) || at == sf->snd.nxt;
}

/* Those in flight are in the order of their times, those that are lost in that of the stream. */
static bool orders_are_sound(const struct scoreboard *board)
{
    for (struct list *pos = board->by_time.next; pos != &board->by_time; pos = pos->next)
        if (pos->next != &board->by_time && sent_of_link(pos)->at > sent_of_link(pos->next)->at)
            return false;
    for (struct list *pos = board->lost.next; pos != &board->lost; pos = pos->next)
        if (pos->next != &board->lost && sent_of_link(pos)->end > sent_of_link(pos->next)->start)
            return false;
    return true;
}

/* Pieces do not touch what came in order, lie in the window and before the FIN; the peer hears of some of
 * them, if there are any. */
static bool disorder_is_sound(const struct subflow *sf)
{
    const struct tcp_disorder *d = sf->ooo;
    uint64_t edge = max_u64(sf->rcv.adv, sf->rcv.nxt);

    for (unsigned i = 0; i < d->n_sacks; i++)
        if (d->sacks[i].start <= sf->rcv.nxt || d->sacks[i].start >= d->sacks[i].end)
            return false;
    if ((d->n_sacks == 0) != list_empty(&d->pieces) || d->dsack.start > d->dsack.end)
        return false;
    if (list_empty(&d->pieces))
        return true;
    uint64_t last = tcp_piece_end(tcp_piece_of(d->pieces.prev));
    return tcp_piece_of(d->pieces.next)->off > sf->rcv.nxt && last <= edge &&
           (!sf->fin.known || last <= sf->fin.in_off);
}

bool tcp_is_sound(const struct subflow *sf, bool has_timer)
{
    return sf->cc.ops && sizes_are_sound(sf) && numbers_are_sound(sf) && fins_are_sound(sf) &&
           timer_is_sound(sf, has_timer) && cc_is_sound(sf) && recovery_is_sound(sf) && maps_are_sound(sf) &&
           runs_are_sound(sf) && orders_are_sound(&sf->flight->board) && disorder_is_sound(sf);
}
