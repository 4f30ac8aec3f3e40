/* The far side is asked by a race over the uplinks; the device is answered when it has answered. A converter
 * (RFC 8803) answers twice: its SYN/ACK, and the message that its stream begins with. If the SYN/ACK has
 * acknowledged the Connect TLV, the server has accepted (section 4.1), and nobody waits for the message: it
 * is taken off the stream when it comes. If it has not, or has not spoken MPTCP, the message decides, since a
 * converter tells errors in plain TCP, or has not asked the server yet. It decides as well if the SYN/ACK was
 * a long time in coming: a converter may answer before its server, so that no client takes it for dead
 * (Braid's does after 2.5 s); and if this one has done so lately, as those on sockets of a kernel's do.
 *
 * A converter that wants a cookie (section 6.2.7) gives it with its error, and one that has lost its memory
 * does not know it any more: it is asked again at once, and the device waits so much longer. */
#include "role/cpe_asking.h"
#include <string.h>
#include "io/clock.h"
#include "relay/end_conn.h"
#include "role/cpe_convert.h"
#include "role/cpe_first.h"
#include "role/cpe_lanes.h"
#include "role/cpe_refuse.h"
#include "role/cpe_wishes.h"
#include "role/learned.h"

#define BYPASS_PATIENCE BRAID_SECOND
#define HASTY_AFTER     (2 * BRAID_SECOND) /* a converter that answers later may not have heard its server */
#define HASTY_FOR       (600 * BRAID_SECOND) /* one that has not once is not believed for so long */
#define ALONE_TIME      (5 * BRAID_SECOND)   /* for three SYNs that carry the device's first bytes */

static void ask_from(struct carried *cd, unsigned first, enum race_loss otherwise);
static void lose(struct carried *cd, enum race_loss why);

/* ---- the far side is there ----------------------------------------------------------------------- */

/* The converter has said yes to a device that was answered already, or what it says comes too late. */
static void hear_late(struct carried *cd)
{
    struct braid_conn *c = carried_conn(cd, WAN_END);
    struct convert_answer a = convert_client_hear(c);
    if (a.verdict == CONVERT_NOT_HEARD)
        return;
    if (a.verdict == CONVERT_ACCEPTED) {
        cpe_convert_learn(cd, &a);
        cd->unheard = false;
        splice_let_go(&cd->splice, WAN_END);
        return;
    }
    struct cpe *cpe = carried_cpe(cd);
    unsigned peer = cpe_peer_at(cpe, &cd->far);
    if (peer < cpe->params->n_peers) {
        cpe->hasty_until[peer] = clock_now() + HASTY_FOR;
        cpe->rest_until[peer] = clock_now() + a.rest;
    }
    cpe_convert_again(cd, c, &a, clock_now()); /* that is up to the device */
    cpe->counters.v[CPE_LATE]++;
    carried_ends(cd, a.verdict == CONVERT_UNREACHABLE ? FAREWELL_UNREACHABLE : FAREWELL_SERVER_REFUSED);
    splice_abort(&cd->splice, LAN_END);
}

static void on_readable(struct braid_conn *c, void *user)
{
    if (user && carried_of_user(user)->unheard)
        hear_late(carried_of_user(user));
    else
        end_conn_readable(c, user);
}

const struct braid_conn_ops cpe_wan_ops = {.established = end_conn_established,
                                           .readable = on_readable,
                                           .writable = end_conn_writable,
                                           .closed = end_conn_closed};

/* Without a converter, as its server speaks MPTCP. */
static void bypassed(struct carried *cd)
{
    cd->bypassed = true;
    carried_cpe(cd)->counters.v[CPE_BYPASSED]++;
    cpe_bypass_learn(cd, true);
}

/* heard: there is no message, or it was taken. */
static void carry(struct carried *cd, struct braid_conn *c, bool heard)
{
    struct cpe *cpe = carried_cpe(cd);
    struct end *wan = &cd->splice.ends[WAN_END];
    size_t first = cd->asking->first_len;
    cpe->counters.v[CPE_ACCEPTED]++;
    if (!braid_conn_is_mptcp(c))
        cpe->counters.v[CPE_PLAIN]++;
    if (cd->asking->bypass)
        bypassed(cd);
    else if (cd->asking->straight)
        cpe->counters.v[CPE_STRAIGHT]++;
    end_conn_init(wan, c);
    cpe_heed_opened(cd, c);
    cd->unheard = !heard;
    if (!heard)
        splice_hold(&cd->splice, WAN_END);
    carried_opened(cd);
    if (carried_accept(cd) < 0)
        return;
    cpe_first_took(cd, first);
    end_conn_established(c, wan);
}

/* ---- a converter's answer decides -------------------------------------------------------------------- */

/* How often for one connection: each uplink's address may want a cookie of its own. */
#define TRIES_MAX 4

/* This one will not serve the device: the next one may. */
static void next_peer(struct carried *cd, const struct convert_answer *a)
{
    struct cpe *cpe = carried_cpe(cd);
    unsigned peer = cpe_peer_at(cpe, &cd->far);
    cpe_complain(cpe, &cd->far, a->text);
    if (a->rest > 0 && peer < cpe->params->n_peers)
        cpe->rest_until[peer] = clock_now() + a->rest;
    ask_from(cd, peer + 1, RACE_LOST_UNREACHABLE);
}

/* The converter has said no, and the connection to it is given up. again: it may not say so twice. */
static void take_refusal(struct carried *cd, const struct convert_answer *a, bool again)
{
    if (again && cd->asking->tries++ < TRIES_MAX) {
        ask_from(cd, cpe_peer_at(carried_cpe(cd), &cd->far), RACE_LOST_UNREACHABLE);
        return;
    }
    if (a->verdict != CONVERT_REFUSED && a->verdict != CONVERT_UNREACHABLE) {
        next_peer(cd, a);
        return;
    }
    cd->server_said = true;
    cpe_give_up(cd, a->verdict == CONVERT_REFUSED ? RACE_LOST_REFUSED : RACE_LOST_UNREACHABLE);
}

/* Of a converter that was not heard to its end before its connection ended. */
static const struct convert_answer broken = {.verdict = CONVERT_DENIED, .text = "it ended without an answer"};

static void on_answer(struct braid_conn *c, void *user)
{
    struct carried *cd = user;
    struct convert_answer a = convert_client_hear(c);
    if (a.verdict == CONVERT_NOT_HEARD)
        return;
    cd->asking->awaited = NULL;
    if (a.verdict == CONVERT_ACCEPTED) {
        cpe_convert_learn(cd, &a);
        braid_conn_set_ops(c, &cpe_wan_ops, NULL);
        carry(cd, c, true);
        return;
    }
    bool again = cpe_convert_again(cd, c, &a, cd->asking->asked_at);
    braid_conn_release(c); /* which resets it, as an error has to be answered (section 6.2.8) */
    take_refusal(cd, &a, again);
}

static void on_awaited_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)why;
    struct carried *cd = user;
    struct convert_answer a = convert_client_hear(c);
    cd->asking->awaited = NULL;
    if (a.verdict == CONVERT_NOT_HEARD || a.verdict == CONVERT_ACCEPTED) {
        if (cd->asking->alone) {
            lose(cd, RACE_LOST_UNREACHABLE);
            return;
        }
        a = broken;
    }
    take_refusal(cd, &a, cpe_convert_again(cd, c, &a, cd->asking->asked_at));
}

static const struct braid_conn_ops awaited_ops = {.readable = on_answer, .closed = on_awaited_closed};

/* ---- the race --------------------------------------------------------------------------------------- */

/* When the race's next step is due, or the answer is overdue. */
static void arm(struct asking *a)
{
    struct cpes *cs = carried_cpe(a->carried)->owner;
    braid_time at = a->race ? race_deadline(a->race) : a->give_up_at;
    wheel_arm(&cs->timers, &a->timer, at);
    role_expire_at(&cs->role, at);
}

/* No converter can be had, and plain TCP is allowed: better without one than not at all. That nobody answers
 * is no reason, since a converter waits for its server; that shows in the probes of the uplinks. */
static bool may_go_straight(const struct carried *cd, enum race_loss why)
{
    const struct cpe_params *p = carried_cpe(cd)->params;
    return p->kind == CPE_CONVERT && !p->no_plain && !cd->asking->straight &&
           (why == RACE_LOST_REFUSED || why == RACE_LOST_UNREACHABLE);
}

/* None of the peers, or the server itself, can be had. May free it. */
static void lose(struct carried *cd, enum race_loss why)
{
    struct cpe *cpe = carried_cpe(cd);
    bool converter = cpe->params->kind == CPE_CONVERT && !cd->asking->straight;
    if (cd->asking->alone) { /* the server may have the device's bytes: nobody else gets them */
        cpe_first_distrust(cd);
        cpe_give_up(cd, why);
        return;
    }
    if (cd->asking->bypass) {
        if (why != RACE_LOST_RESOURCES)
            cpe_bypass_learn(cd, false);
        cd->asking->bypass = false;
        ask_from(cd, 0, RACE_LOST_UNREACHABLE);
        return;
    }
    if (may_go_straight(cd, why)) {
        cpe_complain(cpe, &cd->far, race_loss_text(why));
        cd->asking->straight = true;
        ask_from(cd, 0, RACE_LOST_UNREACHABLE);
        return;
    }
    cd->server_said |= cd->asking->straight;
    /* that a converter refuses says nothing of the server */
    cpe_give_up(cd, converter && why == RACE_LOST_REFUSED ? RACE_LOST_UNREACHABLE : why);
}

/* A race tells that it is lost from within a step; the rest waits until that returns. May free it. */
static void step(struct carried *cd, void (*go)(struct race *r, braid_time now), braid_time now)
{
    struct asking *a = cd->asking;
    go(a->race, now);
    if (a->race)
        arm(a);
    else
        lose(cd, a->loss);
}

static void on_timer(struct timer *t, braid_time now)
{
    struct asking *a = list_entry(t, struct asking, timer);
    if (a->race)
        step(a->carried, race_expire, now);
    else
        lose(a->carried, RACE_LOST_TIMEOUT);
}

static void on_due(void *arg)
{
    arm(((struct carried *)arg)->asking);
}

/* Whether the SYN/ACK of the far side says all that there is to know. */
static bool is_decided(const struct carried *cd, const struct braid_conn *c)
{
    const struct cpe *cpe = carried_cpe(cd);
    const struct asking *a = cd->asking;
    unsigned peer = cpe_peer_at(cpe, &cd->far);
    int64_t acknowledged = 0;
    if (!a->convert)
        return true;
    braid_conn_get_option(c, BRAID_OPT_SYN_DATA, &acknowledged);
    return braid_conn_is_mptcp(c) && acknowledged >= (int64_t)a->message_len &&
           clock_now() - a->asked_at < HASTY_AFTER && peer < cpe->params->n_peers &&
           cpe->hasty_until[peer] <= clock_now();
}

static void on_won(void *arg, struct braid_conn *c, unsigned lane)
{
    struct carried *cd = arg;
    struct asking *a = cd->asking;
    struct braid_addr local;
    (void)lane;
    a->race = NULL;
    braid_conn_addrs(c, &local, &cd->far);
    cd->preamble = (uint16_t)(a->convert ? a->message_len : 0);
    cpe_wish_begin(cd, c);
    if (is_decided(cd, c)) {
        if (a->convert)
            cpe_first_trust(cd, c);
        carry(cd, c, !a->convert);
        return;
    }
    a->awaited = c;
    braid_conn_set_ops(c, &awaited_ops, cd);
    arm(a);
}

static void on_lost(void *arg, enum race_loss why)
{
    struct asking *a = ((struct carried *)arg)->asking;
    a->race = NULL;
    a->loss = why;
}

static void on_seen(void *arg, const struct race_lane *lane, enum race_seen what)
{
    struct learned *learned = carried_cpe(arg)->owner->role.node->learned;
    if (learned)
        learned_see(learned, lane, what, clock_now());
}

/* What a connection over this lane is to begin with. */
static size_t on_opening(void *arg, const struct race_lane *lane, uint8_t out[RACE_OPENING])
{
    struct carried *cd = arg;
    size_t len = cd->asking->convert ? cpe_convert_message(cd, lane, out) : 0;
    if (len > cd->asking->message_len)
        cd->asking->message_len = len;
    if (cd->asking->alone) {
        cd->asking->first_len = (uint16_t)cpe_first_copy(cd, out + len, RACE_OPENING - len);
        len += cd->asking->first_len;
    }
    return len;
}

/* Converters say errors by plain TCP, with their SYN/ACK. */
static bool on_told(void *arg, const struct braid_conn *c)
{
    return ((struct carried *)arg)->asking->convert && convert_client_is_refused(c);
}

static const struct race_events race_events = {
    .won = on_won, .lost = on_lost, .tells = on_told, .seen = on_seen, .due = on_due};

static struct braid_connect_params connect_params(const struct cpe_params *p, const struct profile *special)
{
    return (struct braid_connect_params){.cc = special ? special->cc : p->cc,
                                         .sched = special ? special->sched : p->sched,
                                         .pm = special && special->pm ? special->pm : p->pm,
                                         .checksum = p->checksum,
                                         .fate_sharing = p->fate_sharing,
                                         .believe_addresses = p->believe_addresses,
                                         .ops = &cpe_wan_ops};
}

/* The program's, or that of the port. NULL: the CPE's own algorithms. */
static const struct profile *special_profile(const struct carried *cd, uint16_t port)
{
    const struct cpe_params *p = carried_cpe(cd)->params;
    const struct profile *wished = cd->asking->wish.profile;
    return wished ? wished : profile_of_port(p->port_profiles, p->n_port_profiles, port);
}

/* Schedulers that fill the cheapest path first would leave an initial subflow over another one idle. */
static bool goes_by_cost(const struct sched_ops *sched)
{
    return strcmp(sched->name, "priority") == 0 || strcmp(sched->name, "quota") == 0;
}

/* A server that was promised to be there without a converter is not waited for, as there is one. */
static braid_time time_for(const struct asking *a, braid_time now)
{
    braid_time left = a->give_up_at > now ? a->give_up_at - now : 0;
    return a->bypass && left > BYPASS_PATIENCE ? BYPASS_PATIENCE : left;
}

/* From this peer on; otherwise: what to say if there is none. May free it. */
static void ask_from(struct carried *cd, unsigned first, enum race_loss otherwise)
{
    struct cpe *cpe = carried_cpe(cd);
    const struct cpe_params *p = cpe->params;
    struct asking *a = cd->asking;
    struct braid_addr meant, client;
    struct race_lane lanes[RACE_LANES];
    braid_time now = clock_now();
    carried_addrs(cd, &meant, &client);
    uint8_t question[CONVERT_MESSAGE_MAX];
    a->convert = p->kind == CPE_CONVERT && !a->straight && !a->bypass;
    cd->asked_mptcp = false;
    a->message_len = 0;
    a->first_len = 0;
    a->asked_at = now;
    const struct profile *special = special_profile(cd, meant.port);
    const struct cpe_wish wish = {.meant = &meant,
                                  .first = first,
                                  .straight = a->straight,
                                  .bypass = a->bypass,
                                  .by_cost = goes_by_cost(special ? special->sched : p->sched),
                                  .of_program = &a->wish,
                                  .now = now};
    struct race_params params = {.core = cpe->owner->role.node->core,
                                 .connect = connect_params(p, special),
                                 .lanes = lanes,
                                 .n_lanes = cpe_lanes(cpe, &wish, lanes),
                                 .fallback = !p->no_plain && !a->bypass,
                                 .opening_for = on_opening,
                                 .question = question,
                                 .question_len = a->convert ? convert_client_question(question) : 0,
                                 .timeout = time_for(a, now),
                                 .events = &race_events,
                                 .arg = cd};
    if (params.n_lanes == 0) {
        lose(cd, otherwise);
        return;
    }
    cpe_heed_connect(cd, &params.connect);
    params.connect.only = a->only;
    params.connect.n_only = cpe_wish_addrs(cpe, &a->wish, a->only);
    if (cpe->owner->role.node->learned)
        learned_steer(cpe->owner->role.node->learned, lanes, params.n_lanes, now);
    cd->far = lanes[0].remote;
    a->local = lanes[0].local.ip;
    a->alone = params.alone = a->convert && cpe_first_goes_alone(cd, &lanes[0]);
    if (a->alone) {
        params.n_lanes = 1;
        params.question_len = 0;
        params.timeout = params.timeout < ALONE_TIME ? params.timeout : ALONE_TIME;
    }
    a->race = race_new(&params);
    if (!a->race) {
        cpe_give_up(cd, RACE_LOST_RESOURCES);
        return;
    }
    step(cd, race_begin, now);
}

void cpe_ask(struct carried *cd)
{
    const struct cpe *cpe = carried_cpe(cd);
    const struct cpe_params *p = cpe->params;
    struct braid_addr meant, client;
    carried_addrs(cd, &meant, &client);
    cd->asking->begun = clock_now();
    cd->asking->wish = cpe_wish_of(carried_cpe(cd), &client, &meant);
    const struct policy *policy = cpe_wish_by_policy(carried_cpe(cd), &client, &meant, &cd->asking->wish);
    cd->policy = policy ? policy->name : NULL;
    cpe_wish_keep_off(carried_cpe(cd), &meant, &cd->asking->wish);
    cpe_heed_wish(cd);
    const struct profile *special = special_profile(cd, meant.port);
    profile_choose(&cd->profile, special ? special : p->profile);
    timer_init(&cd->asking->timer, on_timer);
    if (cd->asking->wish.plain && p->no_plain) {
        cpe_give_up(cd, RACE_LOST_PLAIN);
        return;
    }
    cd->asking->straight =
        p->kind == CPE_CONVERT && !p->no_plain && (cd->asking->wish.plain || cpe_peers_silent(cpe));
    cd->asking->bypass = !cd->asking->wish.plain && cpe_may_bypass(cd) &&
                         !uplinks_keep_off(&cpe->owner->uplinks, uplink_family(&meant.ip));
    cd->asking->give_up_at = clock_now() + (p->connect_timeout ? p->connect_timeout : CPE_CONNECT_TIMEOUT);
    /* that no uplink of its family is there says nothing of a server */
    ask_from(cd, 0, cd->asking->bypass ? RACE_LOST_RESOURCES : RACE_LOST_UNREACHABLE);
}
