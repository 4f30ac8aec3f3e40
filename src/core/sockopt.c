/* Options of a connection that its user may set and read at any time. No buffer may be larger than the core's
 * parameters say: the limit of the connection's memory follows from those. */
#include "core/inside.h"

#include <string.h>

#include "mptcp/demand.h"
#include "mptcp/fate.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"
#include "mptcp/path_manager.h"
#include "mptcp/rescue.h"
#include "mptcp/sched_state.h"
#include "mptcp/tapped.h"

_Static_assert(BRAID_RESET_MPTCP == MPTCP_RST_MPTCP && BRAID_RESET_PROHIBITED == MPTCP_RST_PROHIBITED &&
                   BRAID_RESET_MIDDLEBOX == MPTCP_RST_MIDDLEBOX,
               "reasons are those of the wire");

/* The present size falls with it, though not the window that was offered (RFC 8684 section 3.3.4). */
static void set_buffer(size_t *most, size_t *now, int64_t value)
{
    *most = (size_t)value;
    if (*now > *most)
        *now = *most;
}

static void keepalive_changed(struct braid_conn *c)
{
    each_flow (s, c) {
        if (!s->closing.dead)
            subflow_keepalive_changed(&s->tcp);
    }
}

static void set_class(struct braid_conn *c, struct conn_sockopt *own, uint8_t traffic_class)
{
    own->traffic_class = CONN_CLASS(traffic_class);
    each_flow (s, c)
        s->tcp.size.traffic_class = own->traffic_class;
}

/* What a connection has until it is set. -1: it is not of that kind. */
static int64_t first_value(const struct conn_sockopt *first, enum braid_option option)
{
    switch (option) {
    case BRAID_OPT_RCVBUF:
        return (int64_t)first->rcvbuf_max;
    case BRAID_OPT_SNDBUF:
        return (int64_t)first->sndbuf_max;
    case BRAID_OPT_KEEPALIVE:
        return first->keepalive.idle;
    case BRAID_OPT_USER_TIMEOUT:
        return first->user_timeout;
    case BRAID_OPT_KEEPALIVE_STEP:
    case BRAID_OPT_KEEPALIVE_PROBES:
    case BRAID_OPT_TRAFFIC_CLASS:
        return 0;
    default:
        return -1;
    }
}

/* Is it one of those that differ from the core's parameters, with a value that they may have? */
static bool is_own(const struct braid_conn *c, enum braid_option option, int64_t value)
{
    switch (option) {
    case BRAID_OPT_RCVBUF:
        return value >= CONN_LEAST_BUFFER && (uint64_t)value <= c->env->params.rcvbuf_max;
    case BRAID_OPT_SNDBUF:
        return value >= CONN_LEAST_BUFFER && (uint64_t)value <= c->env->params.sndbuf_max;
    case BRAID_OPT_KEEPALIVE:
    case BRAID_OPT_KEEPALIVE_STEP:
    case BRAID_OPT_USER_TIMEOUT:
        return value >= 0 && value <= CONN_LONGEST;
    case BRAID_OPT_KEEPALIVE_PROBES:
    case BRAID_OPT_TRAFFIC_CLASS:
        return value >= 0 && value <= UINT8_MAX;
    default:
        return false;
    }
}

static void set_own(struct braid_conn *c, struct conn_sockopt *own, enum braid_option option, int64_t value)
{
    switch (option) {
    case BRAID_OPT_RCVBUF:
        set_buffer(&own->rcvbuf_max, &c->recv.rcvbuf, value);
        break;
    case BRAID_OPT_SNDBUF:
        set_buffer(&own->sndbuf_max, &c->send.sndbuf, value);
        break;
    case BRAID_OPT_KEEPALIVE:
        own->keepalive.idle = value;
        keepalive_changed(c);
        break;
    case BRAID_OPT_KEEPALIVE_STEP:
        own->keepalive.step = value;
        keepalive_changed(c);
        break;
    case BRAID_OPT_KEEPALIVE_PROBES:
        own->keepalive.most = (unsigned)value;
        break;
    case BRAID_OPT_TRAFFIC_CLASS:
        set_class(c, own, (uint8_t)value);
        break;
    default: /* BRAID_OPT_USER_TIMEOUT */
        own->user_timeout = value;
        c->stall.sending.since = BRAID_NEVER; /* the flush counts from now on */
        conn_dirty(c);
    }
}

static int set_repeat(struct braid_conn *c, bool repeat)
{
    c->send.repeat_said = true;
    c->send.repeat = repeat;
    conn_dirty(c);
    return 0;
}

int braid_conn_set_option(struct braid_conn *c, enum braid_option option, int64_t value)
{
    conn_tap(c, BRAID_TAP_SET_OPTION, 0, option, (uint64_t)value);
    if (value == -1)
        value = first_value(&c->env->sockopt, option);
    struct conn_sockopt *own = is_own(c, option, value) ? conn_own_sockopt(c) : NULL;
    if (own) {
        set_own(c, own, option, value);
        return 0;
    }
    switch (option) {
    case BRAID_OPT_RESET_REASON:
        if (value < BRAID_RESET_UNSPECIFIED || value > BRAID_RESET_MIDDLEBOX)
            return -1;
        c->closing.reset_reason = (uint8_t)value;
        return 0;
    case BRAID_OPT_FATE_SHARING:
        return value == 0 || value == 1 ? conn_share_fate(c, value) : -1;
    case BRAID_OPT_EXPECTED_BYTES:
    case BRAID_OPT_EXPECTED_TIME:
    case BRAID_OPT_EXPECTED_RATE:
    case BRAID_OPT_WANTED_SUBFLOWS:
        return conn_demand(c, option, value);
    case BRAID_OPT_REPEAT:
        return value == 0 || value == 1 ? set_repeat(c, value) : -1;
    default:
        return -1; /* to be read only, or out of range */
    }
}

void braid_conn_set_sched(struct braid_conn *c, const struct sched_ops *ops)
{
    conn_tap_bytes(c, BRAID_TAP_SET_SCHED, ops->name, strlen(ops->name));
    if (c->sched.ops == ops)
        return;
    if (!conn_sched_use(c, ops))
        return;
    each_flow (s, c)
        /* the mark is the scheduler's own, and means something else to the next one */
        s->sched.mark = 0;
    conn_dirty(c); /* it may send where the other one waited */
}

const struct sched_ops *braid_conn_sched(const struct braid_conn *c)
{
    return c->sched.ops;
}

void braid_conn_set_cc(struct braid_conn *c, const struct cc_ops *ops, braid_time now)
{
    if (conn_tapped(c))
        conn_tap_event(c, BRAID_TAP_SET_CC, now, 0, NULL, ops->name, strlen(ops->name));
    c->cc = ops;
    each_flow (s, c) {
        if (!s->closing.dead)
            subflow_set_cc(&s->tcp, ops, now);
    }
    conn_dirty(c);
}

void braid_conn_set_pm(struct braid_conn *c, const struct pm_ops *ops)
{
    conn_tap_bytes(c, BRAID_TAP_SET_PM, ops ? ops->name : NULL, ops ? strlen(ops->name) : 0);
    /* without ops the choice is made anew: there may be something to signal now */
    if (ops && c->pm.ops == ops)
        return;
    conn_pm_use(c, ops);
    conn_pm_changed(c);
}

/* Of the initial subflow; others may have longer or shorter ones. */
static int64_t max_segment(const struct braid_conn *c)
{
    return c->subflows ? c->subflows->tcp.size.mss : 0;
}

unsigned braid_conn_subflows(const struct braid_conn *c, struct braid_pair *out, unsigned max)
{
    unsigned n = 0;
    each_flow (s, c) {
        if (!flow_usable(s))
            continue;
        if (n < max)
            out[n] = (struct braid_pair){s->tcp.local, s->tcp.remote};
        n++;
    }
    return n;
}

static enum braid_mode mode_of(const struct braid_conn *c)
{
    if (c->mode == MODE_PLAIN)
        return BRAID_MODE_PLAIN;
    if (c->mode == MODE_FALLBACK)
        return BRAID_MODE_FALLEN_BACK;
    return c->fallback.was_mptcp ? BRAID_MODE_MPTCP : BRAID_MODE_NOT_YET;
}

/* What the packets of the oldest subflow say. -1: there is none, or that can be told no more. */
static int64_t peer_option(const struct subflow *sf, enum braid_option option)
{
    switch (option) {
    case BRAID_OPT_PEER_CLASS:
        return CONN_CLASS(sf->rcv.traffic_class);
    case BRAID_OPT_PEER_MAXSEG:
        return sf->syn.peer_mss;
    case BRAID_OPT_PEER_NODELAY:
        return sf->rcv.eager;
    default: /* BRAID_OPT_PEER_WINDOW */
        if (!sf->syn.passive || sf->syn.answered || sf->syn.stateless)
            return -1;
        return sf->syn.snd_wscale > 0 ? UINT16_MAX + 1 : (int64_t)sf->snd.wnd;
    }
}

int braid_conn_get_option(const struct braid_conn *c, enum braid_option option, int64_t *value)
{
    switch (option) {
    case BRAID_OPT_RCVBUF:
        *value = (int64_t)c->sockopt->rcvbuf_max;
        return 0;
    case BRAID_OPT_SNDBUF:
        *value = (int64_t)c->sockopt->sndbuf_max;
        return 0;
    case BRAID_OPT_KEEPALIVE:
        *value = c->sockopt->keepalive.idle;
        return 0;
    case BRAID_OPT_KEEPALIVE_STEP:
        *value = c->sockopt->keepalive.step;
        return 0;
    case BRAID_OPT_KEEPALIVE_PROBES:
        *value = c->sockopt->keepalive.most;
        return 0;
    case BRAID_OPT_TRAFFIC_CLASS:
        *value = c->sockopt->traffic_class;
        return 0;
    case BRAID_OPT_PEER_CLASS:
    case BRAID_OPT_PEER_MAXSEG:
    case BRAID_OPT_PEER_WINDOW:
    case BRAID_OPT_PEER_NODELAY:
        *value = c->subflows ? peer_option(&c->subflows->tcp, option) : -1;
        return *value < 0 ? -1 : 0;
    case BRAID_OPT_USER_TIMEOUT:
        *value = c->sockopt->user_timeout;
        return 0;
    case BRAID_OPT_RESET_REASON:
        *value = c->closing.reset_reason;
        return 0;
    case BRAID_OPT_FATE_SHARING:
        *value = c->closing.fate_shared;
        return 0;
    case BRAID_OPT_EXPECTED_BYTES:
    case BRAID_OPT_EXPECTED_TIME:
    case BRAID_OPT_EXPECTED_RATE:
    case BRAID_OPT_WANTED_SUBFLOWS:
        *value = conn_demanded(c, option);
        return 0;
    case BRAID_OPT_REPEAT:
        *value = conn_repeats(c);
        return 0;
    case BRAID_OPT_MPTCP:
        *value = braid_conn_is_mptcp(c);
        return 0;
    case BRAID_OPT_MODE:
        *value = mode_of(c);
        return 0;
    case BRAID_OPT_CHECKSUM:
        *value = c->dss.checksum;
        return 0;
    case BRAID_OPT_MAXSEG:
        *value = max_segment(c);
        return 0;
    case BRAID_OPT_SUBFLOWS:
        *value = braid_conn_subflows(c, NULL, 0);
        return 0;
    case BRAID_OPT_UNREAD:
        *value = (int64_t)c->recv.bytes;
        return 0;
    case BRAID_OPT_UNACKED:
        *value = (int64_t)(c->send.end - c->send.una);
        return 0;
    case BRAID_OPT_CONNID:
        *value = c->keys.local_token;
        return braid_conn_is_mptcp(c) ? 0 : -1;
    case BRAID_OPT_SYN_DATA:
        *value = c->syn_data.out;
        return 0;
    }
    return -1;
}
