/* See app_linux.h. Linux counts windows in segments, and times in milliseconds that have passed. */
#include "role/app_linux.h"
#include <errno.h>
#include "io/clock.h"

enum { OPTION_TIMESTAMPS = 1, OPTION_SACK = 2, OPTION_SCALE = 4 }; /* TCPI_OPT_... of linux/tcp.h */
enum { FLAG_REMOTE_KEY = 2 };                                      /* MPTCP_INFO_FLAG_... of linux/mptcp.h */

#define LINUX_SSTHRESH_UNSET 0x7fffffff

_Static_assert(APP_PAIRS_MAX >= BRAID_STATS_SUBFLOWS, "all subflows have room");

static uint32_t bounded(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint8_t small(uint64_t v)
{
    return v > UINT8_MAX ? UINT8_MAX : (uint8_t)v;
}

static uint32_t us(int64_t v)
{
    return v < 0 ? 0 : bounded((uint64_t)v);
}

static uint32_t age_ms(braid_time at, braid_time now)
{
    return at >= now ? 0 : bounded((uint64_t)(now - at) / 1000);
}

/* Begun ones count. */
static uint32_t segments(uint64_t bytes, uint32_t mss)
{
    return mss ? bounded((bytes + mss - 1) / mss) : 0;
}

static struct linux_tcp view_of(const struct braid_subflow_details *s, braid_time now)
{
    bool unset = s->ssthresh == UINT64_MAX || s->mss == 0;
    return (struct linux_tcp){
        .subflow = s->id,
        .state = (uint8_t)s->state,
        .ca_state = (uint8_t)s->ca_state,
        .retransmits = s->backoff,
        .backoff = s->backoff,
        .probes = small(s->probes),
        .options = (s->timestamps ? OPTION_TIMESTAMPS : 0) | (s->sack ? OPTION_SACK : 0) |
                   (s->scaled ? OPTION_SCALE : 0),
        .snd_wscale = s->snd_wscale,
        .rcv_wscale = s->rcv_wscale,
        .rto = us(s->rto_us),
        .snd_mss = s->mss,
        .rcv_mss = s->rcv_mss,
        .pmtu = s->pmtu,
        .unacked = segments(s->unacked, s->mss),
        .sacked = segments(s->sacked, s->mss),
        .lost = segments(s->lost, s->mss),
        .sent_ms = age_ms(s->sent_at, now),
        .heard_ms = age_ms(s->heard_at, now),
        .rtt = us(s->rtt_us),
        .rttvar = us(s->rttvar_us),
        .min_rtt = us(s->min_rtt_us),
        .rcv_rtt = us(s->rcv_rtt_us),
        .snd_ssthresh = unset ? LINUX_SSTHRESH_UNSET : segments(s->ssthresh, s->mss),
        .snd_cwnd = segments(s->cwnd, s->mss),
        .total_retrans = s->retransmits,
        .data_segs_out = s->data_segments,
        .snd_wnd = s->snd_wnd,
        .pacing_rate = s->pacing_rate,
        .bytes_acked = s->bytes_acked,
        .bytes_received = s->bytes_received,
        .bytes_sent = s->bytes_sent,
    };
}

static struct linux_mptcp whole(const struct braid_conn_details *d)
{
    return (struct linux_mptcp){
        .subflows_max = small(d->max_subflows - 1), /* beside the first, as all that follow */
        .add_addr_signal = small(d->announced),
        .add_addr_signal_max = small(d->max_announced),
        .add_addr_accepted = small(d->accepted),
        .add_addr_accepted_max = small(d->max_accepted),
        .local_addr_used = small(d->local_used),
        .local_addr_max = small(d->max_local),
        .csum_enabled = d->checksum,
        .flags = d->remote_key ? FLAG_REMOTE_KEY : 0,
        .token = d->token,
        .retransmits = d->retransmits,
        .sent_ms = UINT32_MAX,
        .heard_ms = UINT32_MAX,
        .write_seq = d->write_seq,
        .snd_una = d->snd_una,
        .rcv_nxt = d->rcv_nxt,
        .bytes_sent = d->bytes_sent,
        .bytes_received = d->bytes_received,
        .bytes_acked = d->bytes_acked,
    };
}

void app_linux_tell(const struct braid_conn *c, struct app_message *answer)
{
    struct braid_conn_details d;
    struct linux_mptcp *m = &answer->mptcp;
    braid_time now = clock_now();
    if (!braid_conn_is_mptcp(c)) {
        answer->error = EOPNOTSUPP;
        return;
    }
    braid_conn_details(c, &d);
    *m = whole(&d);
    for (unsigned i = 0; i < d.n_subflows; i++) {
        const struct linux_tcp *t = &answer->tcp[i];
        answer->pairs[i] = (struct braid_pair){.local = d.subflows[i].local, .remote = d.subflows[i].remote};
        answer->tcp[i] = view_of(&d.subflows[i], now);
        m->subflows += t->subflow > 0 && t->state == BRAID_LINUX_ESTABLISHED;
        m->subflows_total += t->subflow == 0 || t->state == BRAID_LINUX_ESTABLISHED;
        m->sent_ms = t->sent_ms < m->sent_ms ? t->sent_ms : m->sent_ms;
        m->heard_ms = t->heard_ms < m->heard_ms ? t->heard_ms : m->heard_ms;
    }
    if (d.n_subflows == 0)
        m->sent_ms = m->heard_ms = 0;
    answer->n_pairs = answer->n_tcp = d.n_subflows;
    answer->has_mptcp = true;
}
