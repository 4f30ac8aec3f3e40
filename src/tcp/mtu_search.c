/* The path MTU: what ICMP says of it (RFC 1191, 8201), and finding it out without (RFC 4821, 8899) where the
 * path swallows big packets in silence. All sizes are those of IP packets.
 *
 * A path is suspected when its first outstanding segment was lost twice in a row and nothing as big arrived
 * meanwhile: from then on packets are of a size that passes nearly everywhere. If that was an error, because
 * the losses had another cause, the search soon tells: it begins with the size that had been in use, then
 * halves the range of sizes that may pass. A probe is the beginning of a map, sent as one packet that is
 * larger than the others; what follows it shows quickly whether it was lost, and such a loss says nothing of
 * congestion. */
#include "tcp/internal.h"
#include "tcp/tap_hook.h"

#include "base/addr.h"

#define MTU_LEAST_V4   576
#define MTU_LEAST_V6   1280
#define MTU_SAFE       1280 /* tunnels of all kinds let it pass */
#define SUSPICIOUS     2    /* transmissions of the first segment that were lost */
#define CLOSE_ENOUGH   16   /* the search ends when the range is no larger */
#define PROBE_FAILURES 2    /* before a size is given up */

/* RFC 791 requires hosts to take 576 bytes, RFC 8200 section 5 every link to carry 1,280. What an ICMP
 * error says below that is not believed. */
static uint16_t least_mtu(const struct subflow *sf)
{
    return ip_is_v4(&sf->local.ip) ? MTU_LEAST_V4 : MTU_LEAST_V6;
}

/* The largest packet that makes sense: the peer takes no larger segments. */
static uint16_t bound(const struct subflow *sf)
{
    /* IP and TCP headers without options, as an MSS counts. */
    uint32_t peer = sf->syn.peer_mss + (ip_is_v4(&sf->local.ip) ? 40u : 60u);
    return peer < sf->env->mtu ? (uint16_t)peer : sf->env->mtu;
}

/* path_mtu may be larger than what the peer takes; packets never are. */
static uint16_t in_use(const struct subflow *sf)
{
    uint16_t most = bound(sf);
    return sf->size.path_mtu < most ? sf->size.path_mtu : most;
}

bool tcp_mtu_limited(const struct subflow *sf)
{
    return sf->mtu.silent && in_use(sf) < bound(sf);
}

/* What a packet has besides its payload. */
static uint16_t overhead(const struct subflow *sf)
{
    return in_use(sf) > sf->size.mss ? (uint16_t)(in_use(sf) - sf->size.mss) : 0;
}

static void set_mtu(struct subflow *sf, uint32_t mtu)
{
    sf->size.path_mtu = (uint16_t)mtu;
    subflow_update_mss(sf);
}

struct braid_way tcp_way_of(const struct subflow *sf)
{
    struct braid_way way = {.peer = sf->remote.ip};

    if (!sf->syn.passive)
        way.local = sf->local.ip;
    return way;
}

/* Never below what is safe: a neighbour of the peer behind the same address translator could have made it up.
 */
static void remember(struct subflow *sf, braid_time now)
{
    uint16_t mtu = in_use(sf);
    struct mtu_known news = {.way = tcp_way_of(sf), .silent = sf->mtu.silent, .until = now + MTU_KNOWN_TIME};

    if (mtu < bound(sf))
        news.mtu = mtu > MTU_SAFE ? mtu : MTU_SAFE;
    tcp_mtu_tell(sf->env, &news);
}

/* What is known of the way is believed until the time that it was good for; then the search goes up
 * again (RFC 8899 section 5.1.1, PMTU_RAISE_TIMER). */
void tcp_mtu_init(struct subflow *sf, braid_time now)
{
    struct braid_way way = tcp_way_of(sf);
    const struct mtu_known *k = tcp_mtu_look_up(sf->env, &way, now);
    uint16_t mtu = k ? k->mtu : sf->env->mtu;
    braid_time raise_at = k ? k->until : now + MTU_KNOWN_TIME;

    tap_value(sf->env, BRAID_VALUE_MTU, &mtu, sizeof(mtu));
    bool silent = tap_bool(sf->env, BRAID_VALUE_MTU, k && k->silent);
    tap_value(sf->env, BRAID_VALUE_MTU, &raise_at, sizeof(raise_at));
    sf->size.path_mtu = mtu;
    sf->mtu = (struct mtu_search){.high = mtu, .silent = silent, .raise_at = raise_at};
}

/* ---- the search ---- */

/* The next smaller size to fall back to; 0: there is none. */
static uint16_t smaller(const struct subflow *sf)
{
    uint16_t mtu = in_use(sf);

    return mtu > MTU_SAFE ? MTU_SAFE : mtu > least_mtu(sf) ? least_mtu(sf) : 0;
}

static void end_search(struct subflow *sf, braid_time now)
{
    sf->mtu.high = in_use(sf);
    sf->mtu.raise_at = now + MTU_KNOWN_TIME;
    remember(sf, now);
}

/* Up to `high`, that size itself first. */
static void begin_search(struct subflow *sf, uint16_t high)
{
    /* Looked at before it is written: a SYN is no part of what is in flight, and ICMP may speak of it while
     * `flight` is the constant that stands for nothing. */
    if (sf->flight->mtu.probe != 0 || sf->flight->mtu.head != 0)
        sf->flight->mtu = (struct mtu_probe){0};
    sf->mtu =
        (struct mtu_search){.high = high, .first = true, .silent = sf->mtu.silent, .raise_at = BRAID_NEVER};
}

static bool searching(const struct subflow *sf)
{
    return sf->mtu.raise_at == BRAID_NEVER;
}

/* Halves are rounded up, so that two neighbouring sizes still leave one to try. */
static uint16_t candidate(const struct subflow *sf)
{
    return sf->mtu.first ? sf->mtu.high : (uint16_t)((in_use(sf) + sf->mtu.high + 1) / 2);
}

/* So much that the packet has the very size, by the options of the one before, which may be shorter than what
 * is reserved for them. Should they be longer now, it still is no larger than the link takes. */
static uint32_t probe_payload(const struct subflow *sf)
{
    uint32_t most = (uint32_t)bound(sf) - overhead(sf);
    uint32_t head = sf->size.head ? sf->size.head : overhead(sf);

    return (uint32_t)min_u64(candidate(sf) - head, most);
}

/* Not in recovery: a lost probe could not be told from the other losses. One at a time, with enough data
 * to fill it: padding would have to be invented. */
uint32_t tcp_mtu_probe(struct subflow *sf, uint32_t len, braid_time now)
{
    if (!searching(sf)) {
        if (now < sf->mtu.raise_at || in_use(sf) == bound(sf))
            return 0;
        begin_search(sf, bound(sf));
    }
    if (sf->flight->mtu.probe || sf->cc.in_recovery)
        return 0;
    if (candidate(sf) <= in_use(sf)) {
        end_search(sf, now);
        return 0;
    }
    uint32_t payload = probe_payload(sf);
    return len > payload ? payload : 0;
}

void tcp_mtu_probing(struct subflow *sf, const struct tcp_sent *s)
{
    sf->flight->mtu.probe = s->start;
    sf->mtu.size = candidate(sf);
}

/* Once it was retransmitted, in smaller segments, it no longer says anything of the size. */
static bool is_probe(const struct subflow *sf, const struct tcp_sent *s)
{
    return sf->flight->mtu.probe > 0 && s->start == sf->flight->mtu.probe && !s->retrans;
}

/* RFC 4821 section 7.6.1. Anything larger than the next smaller size that arrives also clears the
 * suspicion that big packets vanish. */
void tcp_mtu_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t bytes, braid_time now)
{
    if (min_u64(s->seg, bytes) + overhead(sf) > smaller(sf))
        sf->mtu.lost = 0; /* big ones do pass */
    if (!is_probe(sf, s))
        return;
    tcp_count(sf, COUNT_TCP_MTUP_SUCCESS, 1);
    sf->flight->mtu.probe = 0;
    sf->mtu.failures = 0;
    set_mtu(sf, sf->mtu.size);
    if (sf->mtu.high - in_use(sf) < CLOSE_ENOUGH)
        end_search(sf, now);
}

/* One loss may have had another reason, so the same size is tried again (RFC 8899 section 5.1.2,
 * MAX_PROBES). */
static void probe_failed(struct subflow *sf, braid_time now)
{
    tcp_count(sf, COUNT_TCP_MTUP_FAIL, 1);
    sf->flight->mtu.probe = 0;
    if (++sf->mtu.failures < PROBE_FAILURES)
        return;
    sf->mtu.failures = 0;
    sf->mtu.first = false;
    sf->mtu.high = sf->mtu.size - 1;
    if (sf->mtu.high - in_use(sf) < CLOSE_ENOUGH)
        end_search(sf, now);
}

bool tcp_mtu_lost(struct subflow *sf, const struct tcp_sent *s, braid_time now)
{
    if (!is_probe(sf, s))
        return false;
    probe_failed(sf, now);
    return true;
}

/* All that was in flight is taken for lost, the probe with it. */
void tcp_mtu_timeout(struct subflow *sf, braid_time now)
{
    if (sf->flight->mtu.probe)
        probe_failed(sf, now);
}

/* ---- a path that swallows what is big ---- */

/* Black hole detection, RFC 4821 section 7.7 and RFC 8899 section 4.3: the segment in front of
 * everything, twice lost. The search that follows begins with the size that was in use, which comes back
 * at once if the losses had another reason. */
void tcp_mtu_head_again(struct subflow *sf, const struct tcp_sent *s)
{
    uint16_t mtu = smaller(sf);

    if (s->start != sf->flight->mtu.head) {
        sf->flight->mtu.head = s->start;
        sf->mtu.lost = 0;
    }
    sf->mtu.lost += sf->mtu.lost < SUSPICIOUS;
    uint64_t packet = min_u64(s->seg, sent_len(s)) + overhead(sf);
    /* A packet that the smaller size admits was not lost because of its size. */
    if (sf->mtu.lost < SUSPICIOUS || mtu == 0 || packet <= mtu)
        return;
    tcp_count(sf, COUNT_TCP_MTU_LOWERED, 1);
    /* A search that was under way keeps its goal: what it was to find out is still open. */
    begin_search(sf, searching(sf) && sf->mtu.high > in_use(sf) ? sf->mtu.high : in_use(sf));
    sf->mtu.silent = true;
    set_mtu(sf, mtu);
}

/* ---- ICMP ---- */

/* RFC 1191 section 7.1, for routers that do not say. */
static uint32_t lower_plateau(uint32_t mtu)
{
    static const uint32_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508};

    for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
        if (plateaus[i] < mtu)
            return plateaus[i];
    return 0;
}

/* What was sent in too large segments is lost, which says nothing about congestion. */
static void lose_oversize(struct subflow *sf)
{
    list_each (pos, tmp, &sf->flight->board.runs) {
        struct tcp_sent *s = sent_of(pos);

        if (s->state == SENT_FLIGHT && s->seg > sf->size.mss && sent_len(s) > sf->size.mss)
            sent_mark(sf, s, SENT_LOST);
    }
}

/* A search goes on up to what the router says. */
static void take_limit(struct subflow *sf, uint16_t mtu, braid_time now)
{
    if (mtu > in_use(sf)) {
        begin_search(sf, mtu);
        return;
    }
    if (sf->flight->mtu.probe != 0)
        sf->flight->mtu.probe = 0;
    set_mtu(sf, mtu);
    end_search(sf, now);
}

/* RFC 1191 section 3, RFC 8201 section 4. Only a decrease is believed; growing is for the search to find
 * out. While a probe is in flight it is the probe that the router speaks of. */
bool tcp_mtu_limit(struct subflow *sf, uint32_t mtu, braid_time now)
{
    uint32_t before = sf->size.mss;
    bool probing = sf->flight->mtu.probe > 0;

    sf->mtu.lost = 0; /* there is no silence here */
    if (mtu == 0)
        mtu = lower_plateau(sf->size.path_mtu);
    if (mtu < least_mtu(sf))
        mtu = least_mtu(sf);
    /* RFC 8201 section 4: an error that would raise the size is late, forged, or of another path. */
    if (mtu >= (probing ? sf->mtu.size : sf->size.path_mtu))
        return false;
    take_limit(sf, (uint16_t)mtu, now);
    if ((sf->size.mss == before && !probing) || !subflow_synchronized(sf))
        return false;
    lose_oversize(sf);
    return true;
}
