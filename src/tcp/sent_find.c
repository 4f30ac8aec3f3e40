/* Which run an offset lies in, and cutting out what a SACK block covers: see sent_find.h. */
#include "tcp/sent_find.h"

#include <assert.h>

#include "tcp/internal.h"

/* From pos on, either way. */
static struct tcp_sent *search(struct list *pos, uint64_t off)
{
    for (unsigned i = 0; i < SENT_SEARCH; i++) {
        struct tcp_sent *s = sent_of(pos);

        if (s->start <= off && off < s->end)
            return s;
        pos = off < s->start ? pos->prev : pos->next;
    }
    return NULL;
}

/* Three guesses, each bounded: near the last find, near the end, near the front. */
struct tcp_sent *sent_find(struct subflow *sf, uint64_t off)
{
    assert(off >= sf->snd.una && off < sf->snd.nxt);
    struct tcp_sent *s = sf->flight->board.hint ? search(&sf->flight->board.hint->node, off) : NULL;

    if (!s)
        s = search(sf->flight->board.runs.prev, off);
    if (!s)
        s = search(sf->flight->board.runs.next, off);
    if (s)
        sf->flight->board.hint = s;
    return s;
}

/* Offset of the border between two segments, as s was last sent, that is nearest to off: at or behind it if
 * up, else at or before it. The ends of s are borders. */
static uint64_t border(const struct tcp_sent *s, uint64_t off, bool up)
{
    uint64_t behind = (off - s->start + s->lead) % s->seg;

    if (off <= s->start || off >= s->end)
        return off <= s->start ? s->start : s->end;
    if (behind == 0)
        return off;
    if (up)
        return min_u64(off + (s->seg - behind), s->end);
    return off - s->start > behind ? off - behind : s->start;
}

/* At most two splits per SACK block, both at borders of segments. */
struct tcp_sent *sent_cut_out(struct subflow *sf, struct tcp_sent *s, uint64_t start, uint64_t end)
{
    start = border(s, start, true);
    end = border(s, end, false);
    if (start >= end)
        return NULL;
    if (s->start < start)
        s = sent_split(sf, s, start);
    if (s && s->end > end && !sent_split(sf, s, end))
        return NULL;
    return s;
}
