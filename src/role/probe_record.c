/* See probe_record.h. */
#include "role/probe_record.h"

static void note(struct probe_record *r, bool lost)
{
    r->history = r->history << 1 | lost;
    if (r->n < PROBE_HISTORY)
        r->n++;
}

/* Smoothed as RFC 6298 section 2 has it. After silence the first answer counts alone: it may be another way.
 */
void probe_answered(struct probe_record *r, braid_time rtt)
{
    bool fresh = r->srtt == 0 || probe_is_silent(r);
    if (rtt < 1)
        rtt = 1;
    r->srtt = fresh ? rtt : r->srtt + (rtt - r->srtt) / 8;
    r->failures = 0;
    note(r, false);
}

void probe_lost(struct probe_record *r)
{
    r->failures++;
    note(r, true);
}

bool probe_is_silent(const struct probe_record *r)
{
    return r->failures >= PROBE_SILENCE;
}

unsigned probe_loss(const struct probe_record *r)
{
    return r->n == 0 ? 0 : 100 * (unsigned)__builtin_popcount(r->history) / r->n;
}

braid_time probe_patience(const struct probe_record *r)
{
    return 2 * r->srtt > PROBE_PATIENCE ? 2 * r->srtt : PROBE_PATIENCE;
}

/* The one that was lost has waited already. */
braid_time probe_pause(const struct probe_record *r)
{
    if (r->failures == 0 || r->failures > PROBE_HURRIES)
        return PROBE_INTERVAL;
    return r->failures < PROBE_SILENCE ? 0 : PROBE_SUSPECT;
}
