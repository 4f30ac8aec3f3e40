/* SACK blocks, RFC 2018 section 4: see sack_blocks.h. */
#include "tcp/sack_blocks.h"

#include "tcp/internal.h"

/* RFC 2883 section 4: one block, in the next ACK only. If memory is short the peer does not hear of it,
 * which costs it a needless reduction at worst. */
void sack_note_duplicate(struct subflow *sf, uint64_t start, uint64_t end)
{
    sf->ack.now = true;
    if (sf->syn.sack_ok && start < end && tcp_disorder_reserve(sf))
        sf->ooo->dsack = (struct range){start, end};
}

/* RFC 2018 section 4: the first block holds the segment that caused the ACK, the others repeat the most
 * recent ones, so that a lost ACK loses no news. */
void sack_note(struct subflow *sf, uint64_t start, uint64_t end)
{
    struct range first = {start, end};
    unsigned n = 0;
    struct range kept[TCP_SACK_MAX];

    for (unsigned i = 0; i < sf->ooo->n_sacks; i++) {
        struct range r = sf->ooo->sacks[i];

        /* Touching counts: a block is as long as what is there without a hole. */
        if (r.start <= first.end && first.start <= r.end) {
            first.start = min_u64(first.start, r.start);
            first.end = max_u64(first.end, r.end);
        } else {
            kept[n++] = r;
        }
    }
    sf->ooo->sacks[0] = first;
    sf->ooo->n_sacks = 1;
    for (unsigned i = 0; i < n && sf->ooo->n_sacks < TCP_SACK_MAX; i++)
        sf->ooo->sacks[sf->ooo->n_sacks++] = kept[i];
}

/* Blocks that were pushed out of the list come back when it has become empty. */
static void sack_rebuild(struct subflow *sf)
{
    struct range block = {0, 0};

    list_each (pos, tmp, &sf->ooo->pieces) {
        struct tcp_piece *o = tcp_piece_of(pos);

        if (block.end != o->off) {
            if (sf->ooo->n_sacks == TCP_SACK_MAX)
                return;
            block.start = o->off;
            sf->ooo->n_sacks++;
        }
        block.end = tcp_piece_end(o);
        sf->ooo->sacks[sf->ooo->n_sacks - 1] = block;
    }
}

/* What the cumulative ACK covers is no longer reported. */
void sack_prune(struct subflow *sf)
{
    unsigned n = 0;

    /* Nothing to prune, and perhaps nothing that could be written to (disorder.h). */
    if (sf->ooo->n_sacks == 0)
        return;
    for (unsigned i = 0; i < sf->ooo->n_sacks; i++)
        if (sf->ooo->sacks[i].start > sf->rcv.nxt)
            sf->ooo->sacks[n++] = sf->ooo->sacks[i];
    sf->ooo->n_sacks = n;
    if (n == 0 && sf->ooo->n > 0)
        sack_rebuild(sf);
}

static struct wire_sack on_wire(const struct subflow *sf, struct range r)
{
    return (struct wire_sack){sf->syn.irs + (uint32_t)r.start, sf->syn.irs + (uint32_t)r.end};
}

/* The duplicate comes first (RFC 2883 section 4), and its order among the blocks tells the peer that it
 * is one. */
void sack_fill(struct subflow *sf, struct wire_tcp *t, unsigned room)
{
    if (!sf->syn.sack_ok)
        return;
    if (room > TCP_SACK_MAX)
        room = TCP_SACK_MAX;
    if (room > 0 && sf->ooo->dsack.start != sf->ooo->dsack.end) {
        t->sack[t->n_sack++] = on_wire(sf, sf->ooo->dsack);
        sf->ooo->dsack = (struct range){0, 0};
        tcp_count(sf, COUNT_TCP_DSACK_SENT, 1);
    }
    for (unsigned i = 0; i < sf->ooo->n_sacks && t->n_sack < room; i++)
        t->sack[t->n_sack++] = on_wire(sf, sf->ooo->sacks[i]);
}

bool sack_pending(const struct subflow *sf)
{
    return sf->syn.sack_ok && (sf->ooo->n_sacks > 0 || sf->ooo->dsack.start != sf->ooo->dsack.end);
}
