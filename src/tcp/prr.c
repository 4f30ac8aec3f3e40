/* Proportional rate reduction, RFC 6937 section 3, with the choice of bound of RFC 9937. */
#include "tcp/prr.h"

/* What no window is above. */
#define TARGET_MOST ((uint64_t)1 << 40)

static uint64_t less_to_zero(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* RFC 6937 section 3, at the beginning of recovery. */
void prr_begin(struct prr *p, uint64_t flight, uint64_t ssthresh)
{
    *p = (struct prr){.recover_flight = flight ? flight : 1, .ssthresh = ssthresh};
}

/* CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out; the product may need more than 64 bits. */
static uint64_t proportional_part(const struct prr *p)
{
    unsigned __int128 product = (unsigned __int128)p->delivered * p->ssthresh;
    unsigned __int128 target = (product + p->recover_flight - 1) / p->recover_flight;
    uint64_t whole = target > TARGET_MOST ? TARGET_MOST : (uint64_t)target;
    return less_to_zero(whole, p->out);
}

/* RFC 6937 section 3 in its order. Above ssthresh the reduction is proportional; below it, what leaves is
 * bound to what arrives, with one segment more per ACK while snd_una moves and nothing new is lost (RFC
 * 9937). */
uint64_t prr_on_ack(struct prr *p, uint64_t newly_delivered, uint64_t pipe, bool snd_una_advanced,
                    bool new_loss, uint32_t mss)
{
    uint64_t send;

    p->delivered += newly_delivered;
    if (pipe > p->ssthresh) {
        send = proportional_part(p);
    } else {
        send = max_u64(less_to_zero(p->delivered, p->out), newly_delivered);
        if (newly_delivered > 0 && snd_una_advanced && !new_loss)
            send += mss;
        send = min_u64(send, p->ssthresh - pipe);
    }
    /* The fast retransmission itself leaves in any case. */
    if (p->out == 0)
        send = max_u64(send, mss);
    return send;
}

void prr_on_sent(struct prr *p, uint64_t bytes)
{
    p->out += bytes;
}
