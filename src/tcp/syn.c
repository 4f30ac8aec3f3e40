/* The handshake: see syn.h. */
#include "tcp/internal.h"

#include "tcp/pacing.h"

/* Of ours: windows up to 128 MiB, in units of 2 KiB. What the field cannot say is offered too much or too
 * little, so a unit should not be many segments. RFC 7323 section 2.3 would allow 14. */
#define WSCALE_MAX 11

/* The least scale that lets the window field express the whole buffer, if there is one. */
uint8_t tcp_window_scale(size_t rcvbuf)
{
    uint8_t scale = 0;

    while (scale < WSCALE_MAX && (size_t)UINT16_MAX << scale < rcvbuf)
        scale++;
    return scale;
}

/* An option that only one side has sent is not in force (RFC 7323 section 2.2 for scaling: then ours is
 * 0, too). An MSS below what is reasonable would turn every byte into a packet, and is raised
 * (CVE-2019-11479). */
void tcp_take_syn_options(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    const struct wire_tcp *t = &p->tcp;

    sf->syn.irs = t->seq;
    sf->rcv.nxt = 1;
    sf->syn.ts_ok = t->has_ts;
    sf->syn.sack_ok = t->sack_ok;
    sf->syn.wscale_ok = t->has_wscale;
    sf->syn.snd_wscale = 0;
    if (t->has_wscale)
        /* RFC 7323 section 2.3: more than 14 is taken for 14, not refused. */
        sf->syn.snd_wscale = t->wscale < WSCALE_MAX ? t->wscale : WSCALE_MAX;
    else
        sf->syn.rcv_wscale = 0;
    if (t->has_mss)
        sf->syn.peer_mss = t->mss > sf->env->min_mss ? t->mss : sf->env->min_mss;
    /* the owner's wish binds both ends alike */
    if (sf->size.most > 0 && sf->size.most < sf->syn.peer_mss)
        sf->syn.peer_mss = sf->size.most;
    sf->ts.recent = t->tsval;
    sf->ts.recent_at = now;
    sf->snd.wnd = sf->snd.wnd_max = t->window; /* a SYN's window is never scaled */
    sf->snd.wl1 = 0;
    subflow_update_mss(sf);
}

/* A sample of the round trip only if it is known which of several SYNs was answered (Karn). The algorithm
 * begins here, with window and round trip. */
void tcp_establish(struct subflow *sf, braid_time now)
{
    tcp_set_state(sf, TCP_STATE_ESTABLISHED);
    sf->syn.since = now;
    sf->due.rexmit = BRAID_NEVER;
    sf->tries.tlp_sampled = !sf->syn.retries && !sf->syn.repeated && !sf->syn.stateless; /* Karn's rule */
    if (sf->tries.tlp_sampled)
        tcp_take_rtt(sf, now - sf->activity.last_send, now);
    sf->cc.srtt_us = sf->rtt.srtt_us;
    sf->cc.min_rtt_us = sf->rtt.min_rtt_us;
    sf->cc.cwnd = tcp_initial_window(sf);
    sf->cwnd.initial = sf->syn.retries ? 0 : (uint32_t)sf->cc.cwnd;
    sf->cc.ops->init(&sf->cc, now);
    sf->cwnd.round_end = sf->snd.nxt;
    tcp_update_pacing(sf);
    subflow_keepalive_changed(sf);
    sf->env->ops->established(sf, now);
}
