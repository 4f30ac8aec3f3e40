/* Data level, receiving: the window that is advertised, one for all subflows (RFC 8684 section 3.3.4), and
 * the size of the buffer behind it. */
#include "mptcp/data_window.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/marks.h"
#include "mptcp/recvq.h"

/* Bytes that are offered however little memory is left: for who reads, what comes needs none
 * (recvq_has_room). */
#define RCVBUF_LEAST (16u << 10)
/* The buffer is so many times what was read in a round trip: who is in slow start sends twice as much in the
 * next one, over each path by a clock of its own, and ought not to find the end of the window. */
#define RCVBUF_AHEAD 4
#define RCVBUF_EARLY ((size_t)1 << 20) /* up to here it doubles before the round trip is over */
#define RCVBUF_FREE  ((size_t)6 << 20) /* up to here whatever the round trip consists of */
#define WINDOW_AFTER                                                                                         \
    65535u /* behind the end of the data: only for FINs, which Linux sends into no closed window */

/* How far a buffer of that size may reach now, memory considered: nobody is offered more than a quarter of
 * what is left. Counted from what the user has read, so that unread bytes use it up. */
static uint64_t reach(const struct braid_conn *c, size_t buffer)
{
    const struct mem_account *all = &c->env->mem;
    size_t room = mem_room(all), share = room / 4 > RCVBUF_LEAST ? room / 4 : RCVBUF_LEAST;
    if (room < all->limit / 8)
        share = RCVBUF_LEAST; /* little memory left: trickle */
    return c->recv.user + (buffer < share ? buffer : share);
}

static uint64_t window_goal(const struct braid_conn *c)
{
    return c->recv.fin_received ? c->recv.nxt + WINDOW_AFTER : reach(c, c->recv.rcvbuf);
}

void conn_window_stretch(struct braid_conn *c, uint64_t end)
{
    uint64_t most = reach(c, c->sockopt->rcvbuf_max);
    if (seq64_before(most, end))
        end = most;
    if (seq64_before(c->recv.edge, end))
        c->recv.edge = end;
}

/* What is left of the window, rounded up, or truncation would move the edge back. But while there may be more
 * data, not by more than a unit beyond what there is room for: who fills what rounding has added would have
 * more added, on and on. */
static uint64_t in_units(const struct braid_conn *c, uint64_t goal, uint64_t unit)
{
    uint64_t wnd = seq64_before(c->recv.nxt, c->recv.edge) ? c->recv.edge - c->recv.nxt : 0;
    uint64_t up = (wnd + unit - 1) & ~(unit - 1);
    bool beyond = !c->recv.fin_received && seq64_before(goal + unit, c->recv.nxt + up);
    return beyond ? wnd & ~(unit - 1) : up;
}

uint64_t flow_window(struct subflow *sf)
{
    struct braid_conn *c = mp_subflow_of(sf)->conn;
    if (c->phase < CONN_ESTABLISHED) {
        /* The SYN's window is not scaled. Behind data of the peer's SYN it reaches further. */
        uint64_t first = c->sockopt->rcvbuf_max < 65535 ? c->sockopt->rcvbuf_max : 65535;
        if (seq64_before(c->recv.edge, c->recv.nxt + first))
            c->recv.edge = c->recv.nxt + first;
        return first;
    }
    uint64_t goal = window_goal(c);
    /* One right edge for all subflows, which never goes back (section 3.3.4): what was offered on one of them
     * may come over any. */
    uint64_t step = 2 * (uint64_t)sf->size.mss < c->recv.rcvbuf / 2 ? 2 * sf->size.mss : c->recv.rcvbuf / 2;
    bool closed = !seq64_before(c->recv.nxt, c->recv.edge);
    if (!seq64_before(goal, c->recv.edge + step) || (closed && seq64_before(c->recv.edge, goal)))
        c->recv.edge = goal; /* in steps: RFC 9293 section 3.8.6.2.2, silly windows */
    uint64_t unit = (uint64_t)1 << sf->syn.rcv_wscale;
    uint64_t wnd = in_units(c, goal, unit);
    if (wnd > 65535 * unit)
        wnd = 65535 * unit;
    /* what rounding up has added is offered, too, and payload there must not be cut off */
    if (seq64_before(c->recv.edge, c->recv.nxt + wnd))
        c->recv.edge = c->recv.nxt + wnd;
    return wnd;
}

/* The peer has used the window nearly up although the user keeps up, as when a slow path holds up what came
 * over a fast one. */
static bool window_used(const struct braid_conn *c)
{
    uint64_t quarter = c->recv.rcvbuf / 4;
    /* if memory was what kept the window small, a larger buffer would not open it */
    bool offered = c->recv.edge - c->recv.user >= 3 * quarter;
    bool used = !seq64_before(c->recv.high + quarter, c->recv.edge);
    return offered && used && c->recv.bytes <= quarter / 4;
}

/* The longest round trips now, queues on the way included, and without them, us. The longest path counts,
 * since it may hold up the bytes of all others. */
struct longest {
    int64_t rtt, base;
};

static struct longest longest_path(const struct braid_conn *c)
{
    struct longest l = {.rtt = BRAID_MS, .base = 1};
    each_flow (s, c) {
        const struct subflow *t = &s->tcp;
        /* An end that only receives has no samples of its own but those of echoed timestamps, and the
         * handshake's, which had no queue before it. */
        int64_t seen = t->rcv.rtt_us > 0 ? t->rcv.rtt_us : t->rtt.srtt_us;
        l.rtt = seen > l.rtt ? seen : l.rtt;
        l.base = t->rtt.min_rtt_us > l.base ? t->rtt.min_rtt_us : l.base;
    }
    return l;
}

/* What `read` bytes in `time` us ask for over paths with empty queues: a large buffer that followed the
 * queues would make them, and follow these. */
static size_t bandwidth_delay(uint64_t read, braid_time time, int64_t base)
{
    uint64_t rate = read * (uint64_t)BRAID_MS / (uint64_t)time; /* bytes per ms: nothing overflows */
    return RCVBUF_AHEAD * (size_t)(rate * (uint64_t)base / BRAID_MS);
}

/* The buffer grows while the window may be what limits the stream, by what the user reads. */
static void recv_tune(struct braid_conn *c, braid_time now)
{
    size_t size = c->recv.rcvbuf, most = c->sockopt->rcvbuf_max, goal = size;
    uint64_t read = c->recv.user - c->recv.tune_dsn;
    bool due = now >= c->recv.tune_at, fast = read >= size / RCVBUF_AHEAD && (due || size < RCVBUF_EARLY);
    if (size < RCVBUF_FREE && (fast || window_used(c)))
        goal = 2 * size;
    if (due || fast) {
        struct longest l = longest_path(c);
        size_t product = due ? bandwidth_delay(read, now - c->recv.tune_at + l.rtt, l.base) : 0;
        goal = product > goal ? product : goal;
        c->recv.tune_dsn = c->recv.user;
        c->recv.tune_at = now + l.rtt;
    }
    c->recv.rcvbuf = goal < most ? goal : most;
}

void conn_recv_settle(struct braid_conn *c, braid_time now)
{
    if (recvq_keep(c))
        recv_tune(c, now);
    else
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
}
