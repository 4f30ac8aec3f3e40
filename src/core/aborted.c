/* Subflows of connections that we have aborted, as entries of the TIME_WAIT table: whoever goes on is told
 * again. By a RST with MP_FASTCLOSE that is all (RFC 8684 section 3.5, option R). Where only an ACK may carry
 * it (RFC 6824, option A of RFC 8684), a peer that is silent would never know of one that was lost, so that
 * it is repeated until a RST answers it: after one RTO, three times, each after twice the time, and then
 * there is a RST, for whoever is on the way as well. */
#include "core/aborted.h"

#include "base/seq.h"
#include "core/orphans.h"
#include "core/timewaits.h"
#include "mptcp/versions.h"
#include "tcp/refuse.h"

static void say(const struct timewait_entry *e, uint32_t seq, braid_time now)
{
    struct tcp_env *tcp = &e->core->env.tcp;
    tcp->count.v[COUNT_MP_FASTCLOSE_TX]++;
    timewait_fastclose(&e->tw, seq, tcp, e->peer_key, now);
}

/* Until all that was to be said has been; and no longer than the entry has time: over a path that was lost
 * RTOs are of minutes. */
static void await(struct timewait_entry *e, braid_time now)
{
    if (e->repeat_left > 0 && now + e->repeat_after >= e->until)
        e->repeat_left = 0;
    braid_time next = e->repeat_left > 0 ? now + e->repeat_after : e->until;
    wheel_arm(&e->core->env.tcp.wheel, &e->tw.timer, next);
}

static void fire(struct timer *t, braid_time now)
{
    struct timewait_entry *e = list_entry(t, struct timewait_entry, tw.timer);
    if (e->repeat_left == 0) {
        core_timewait_free(e);
        return;
    }
    if (--e->repeat_left > 0)
        say(e, e->tw.snd_nxt, now);
    else
        timewait_reset(&e->tw, &e->core->env.tcp);
    e->repeat_after *= 2;
    await(e, now);
}

void core_aborted_enter(struct braid_core *core, struct timewait_entry *e)
{
    core_timewait_add(core, e, fire);
}

void core_aborted_add(struct braid_core *core, const struct mp_subflow *s, bool on_ack, braid_time now)
{
    struct timewait_entry *e = core_remember(&core->env, s);
    if (!e)
        return;
    e->aborted = true;
    e->peer_key = s->conn->keys.remote;
    e->reason = s->conn->closing.reset_reason;
    e->on_ack = on_ack;
    e->plain = !on_ack && conn_version(s->conn)->fastclose_on_ack;
    if (!on_ack)
        return;
    e->until = e->tw.timer.at;
    e->repeat_left = ABORTED_REPEATS_MOST;
    e->repeat_after = rtt_rto(&s->tcp.rtt);
    e->tw.timer.fire = fire;
    await(e, now);
}

/* Its peer knows. Whoever forges a RST has us say less, and no more than that. */
static void answered(struct timewait_entry *e, braid_time now)
{
    if (e->orphan)
        core_orphan_answered(e, now);
    if (e->repeat_left == 0)
        return;
    e->repeat_left = 0;
    await(e, now);
}

/* To a peer that takes MP_FASTCLOSE from ACKs alone. One of its own, since it has aborted the connection as
 * well, is answered with a RST. True: it is that. */
static bool fastclose_on_ack(const struct timewait_entry *e, const struct wire_packet *p, braid_time now)
{
    bool both = p->tcp.mp.has & MPTCP_HAS(MPTCP_FASTCLOSE);
    if (both || !(p->tcp.flags & TCP_ACK))
        tcp_refuse(&e->core->env.tcp, p, -1);
    else
        say(e, p->tcp.ack, now);
    return both;
}

void core_aborted_in(struct timewait_entry *e, const struct wire_packet *p, braid_time now)
{
    struct tcp_env *tcp = &e->core->env.tcp;
    bool knows = p->tcp.flags & TCP_RST;
    if (knows && e->on_ack && seq32_before(p->tcp.seq, e->tw.rcv_nxt))
        return; /* an old one */
    if (!knows && e->on_ack) {
        knows = fastclose_on_ack(e, p, now);
    } else if (!knows && e->plain) {
        tcp_refuse(tcp, p, -1);
        knows = true;
    } else if (!knows) {
        tcp->count.v[COUNT_MP_FASTCLOSE_TX]++;
        tcp_refuse_fastclose(tcp, p, e->peer_key, e->reason);
        knows = true;
    }
    if (knows)
        answered(e, now);
}
