/* The subflows of a core that has gone, found in its ledger. Such an orphan is an entry of the TIME_WAIT
 * table that answers everything with a RST. Its peer may be waiting for data and send nothing, so it is asked
 * for something: by a keepalive, whose answer tells the sequence number that it accepts in a RST (RFC 5961).
 */
#include "core/orphans.h"

#include <braid/ledger.h>
#include <stdlib.h>

#include "core/tables.h"
#include "core/timewaits.h"

#define PROBE_FIRST                                                                                          \
    BRAID_SECOND /* until the peer is asked again, doubled by each that remains unanswered ... */
#define PROBES 7 /* ... of so many, two minutes in all */

static void ask(struct timewait_entry *e, braid_time now)
{
    struct tcp_env *tcp = &e->core->env.tcp;
    timewait_keepalive(&e->tw, tcp, now);
    wheel_arm(&tcp->wheel, &e->tw.timer, now + (PROBE_FIRST << e->orphan_probes));
    e->orphan_probes++;
}

static void orphan_fire(struct timer *t, braid_time now)
{
    struct timewait_entry *e = list_entry(t, struct timewait_entry, tw.timer);
    if (e->orphan_probes < PROBES)
        ask(e, now);
    else
        core_timewait_free(e);
}

void core_orphan_add(struct braid_core *core, struct timewait_entry *e)
{
    core_timewait_add(core, e, orphan_fire);
}

void core_orphan_answered(struct timewait_entry *e, braid_time now)
{
    e->orphan_probes = PROBES; /* it is remembered once more as long as it was: the RST may be lost */
    wheel_arm(&e->core->env.tcp.wheel, &e->tw.timer, now + (PROBE_FIRST << PROBES));
}

int braid_core_orphan(struct braid_core *core, const struct braid_ledger_entry *entry, braid_time now)
{
    if (braid_core_knows(core, &entry->local, &entry->remote))
        return -1;
    struct timewait_entry *e = calloc(1, sizeof(*e));
    if (!e)
        return -1;
    e->tw.local = entry->local;
    e->tw.remote = entry->remote;
    e->tw.snd_nxt = entry->snd_una;
    e->tw.rcv_nxt = entry->rcv_nxt;
    e->tw.ts_ok = entry->ts_ok;
    e->tw.ts_offset = entry->ts_offset;
    e->tw.ts_recent = entry->ts_recent;
    e->orphan = true;
    e->aborted = true;
    e->peer_key = entry->peer_key;
    e->plain = !entry->mptcp;
    e->on_ack = entry->on_ack;
    core_orphan_add(core, e);
    core->env.tcp.count.v[COUNT_ORPHANS]++;
    ask(e, now);
    return 0;
}
