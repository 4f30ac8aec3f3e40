/* Options of a connection that its user may set and read at any time. No buffer may be larger than the core's
 * parameters say: the limit of the connection's memory follows from those. */
#include "core/inside.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"
#include "mptcp/path_manager.h"
#include "mptcp/sched_state.h"

#define BUFFER_LEAST 4096

_Static_assert(BRAID_RESET_MPTCP == MPTCP_RST_MPTCP && BRAID_RESET_PROHIBITED == MPTCP_RST_PROHIBITED &&
                   BRAID_RESET_MIDDLEBOX == MPTCP_RST_MIDDLEBOX,
               "reasons are those of the wire");

/* Returns false if the value is out of range. */
static bool set_buffer(size_t *most, size_t *now, size_t core_most, int64_t value)
{
    if (value < BUFFER_LEAST || (uint64_t)value > core_most)
        return false;
    /* The present size falls with it, though not the window that was offered (RFC 8684 section 3.3.4). */
    *most = (size_t)value;
    if (*now > *most)
        *now = *most;
    return true;
}

static void set_keepalive(struct braid_conn *c, braid_time idle)
{
    c->sockopt.keepalive_idle = idle;
    each_flow (s, c) {
        if (!s->closing.dead)
            subflow_set_keepalive(&s->tcp, idle);
    }
}

int braid_conn_set_option(struct braid_conn *c, enum braid_option option, int64_t value)
{
    const struct braid_core_params *p = &c->env->params;
    switch (option) {
    case BRAID_OPT_RCVBUF:
        return set_buffer(&c->sockopt.rcvbuf_max, &c->recv.rcvbuf, p->rcvbuf_max, value) ? 0 : -1;
    case BRAID_OPT_SNDBUF:
        return set_buffer(&c->sockopt.sndbuf_max, &c->send.sndbuf, p->sndbuf_max, value) ? 0 : -1;
    case BRAID_OPT_KEEPALIVE:
        if (value < 0)
            return -1;
        set_keepalive(c, value);
        return 0;
    case BRAID_OPT_USER_TIMEOUT:
        if (value < 0)
            return -1;
        c->sockopt.user_timeout = value;
        c->stall.sending.since = BRAID_NEVER; /* the flush counts from now on */
        conn_dirty(c);
        return 0;
    case BRAID_OPT_RESET_REASON:
        if (value < BRAID_RESET_UNSPECIFIED || value > BRAID_RESET_MIDDLEBOX)
            return -1;
        c->closing.reset_reason = (uint8_t)value;
        return 0;
    case BRAID_OPT_MPTCP:
    case BRAID_OPT_MODE:
    case BRAID_OPT_CHECKSUM:
    case BRAID_OPT_MAXSEG:
    case BRAID_OPT_SUBFLOWS:
    case BRAID_OPT_UNREAD:
    case BRAID_OPT_UNACKED:
    case BRAID_OPT_SYN_DATA:
        break;
    }
    return -1;
}

void braid_conn_set_sched(struct braid_conn *c, const struct sched_ops *ops)
{
    if (c->sched.ops == ops)
        return;
    if (!conn_sched_use(c, ops))
        return;
    each_flow (s, c)
        /* the mark is the scheduler's own, and means something else to the next one */
        s->sched.mark = 0;
    conn_dirty(c); /* it may send where the other one waited */
}

void braid_conn_set_cc(struct braid_conn *c, const struct cc_ops *ops, braid_time now)
{
    c->cc = ops;
    each_flow (s, c) {
        if (!s->closing.dead)
            subflow_set_cc(&s->tcp, ops, now);
    }
    conn_dirty(c);
}

void braid_conn_set_pm(struct braid_conn *c, const struct pm_ops *ops)
{
    /* without ops the choice is made anew: there may be something to signal now */
    if (ops && c->pm.ops == ops)
        return;
    conn_pm_use(c, ops);
    conn_pm_changed(c);
}

/* Of the initial subflow; others may have longer or shorter ones. */
static int64_t max_segment(const struct braid_conn *c)
{
    return list_empty(&c->subflows) ? 0 : list_entry(c->subflows.next, struct mp_subflow, node)->tcp.size.mss;
}

static int64_t usable_subflows(const struct braid_conn *c)
{
    int64_t usable = 0;
    each_flow (s, c)
        usable += flow_usable(s);
    return usable;
}

static enum braid_mode mode_of(const struct braid_conn *c)
{
    if (c->mode == MODE_PLAIN)
        return BRAID_MODE_PLAIN;
    if (c->mode == MODE_FALLBACK)
        return BRAID_MODE_FALLEN_BACK;
    return c->fallback.was_mptcp ? BRAID_MODE_MPTCP : BRAID_MODE_NOT_YET;
}

int braid_conn_get_option(const struct braid_conn *c, enum braid_option option, int64_t *value)
{
    switch (option) {
    case BRAID_OPT_RCVBUF:
        *value = (int64_t)c->sockopt.rcvbuf_max;
        return 0;
    case BRAID_OPT_SNDBUF:
        *value = (int64_t)c->sockopt.sndbuf_max;
        return 0;
    case BRAID_OPT_KEEPALIVE:
        *value = c->sockopt.keepalive_idle;
        return 0;
    case BRAID_OPT_USER_TIMEOUT:
        *value = c->sockopt.user_timeout;
        return 0;
    case BRAID_OPT_RESET_REASON:
        *value = c->closing.reset_reason;
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
        *value = usable_subflows(c);
        return 0;
    case BRAID_OPT_UNREAD:
        *value = (int64_t)c->recv.bytes;
        return 0;
    case BRAID_OPT_UNACKED:
        *value = (int64_t)(c->send.end - c->send.una);
        return 0;
    case BRAID_OPT_SYN_DATA:
        *value = c->syn_data.out;
        return 0;
    }
    return -1;
}
