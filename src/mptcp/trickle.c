/* Paths by which the peer holds up what it sends. Some schedulers, that of Linux among them, put as much on a
 * thin path as on the others, 64 KB at once. On a line of 256 kbit/s that takes two seconds, in which
 * everything else waits at this end, and the peer's buffer fills up: the connection is slower than without
 * the path. Only the receiver sees that. What it sees is a trickle: data of other paths waits, nothing more
 * of them comes, and one path brings what is missing, little by little. If that path has never carried much,
 * the peer is asked to spare it (MP_PRIO, RFC 8684 section 3.3.8): it uses the path when the others fail.
 *
 * A burst, as of a path with a long round trip, is no trickle, nor is the silence of a path that repairs a
 * loss. Paths change, so the request is taken back after a while, which is longer each time. */
#include "mptcp/trickle.h"

#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"

/* That long, and so many segments: longer than what most paths need for a window. */
#define TRICKLE_TIME  (400 * BRAID_MS)
#define TRICKLE_LEAST 8u
/* Past the first windows of slow start, which are paced by some peers. */
#define PROVEN_BYTES (32u << 10)
/* What another path has carried is more by this factor: nothing much is lost if the guess is wrong. */
#define MUCH_LESS 4u
/* How long the peer is asked to do without, in seconds, and how often that is doubled. */
#define ASIDE_FIRST  10u
#define ASIDE_DOUBLE 5u

static uint16_t seconds_of(braid_time t)
{
    return (uint16_t)(t / BRAID_SECOND);
}

/* Next to nothing has come over it, compared with another path that works. */
static bool is_thin(const struct mp_subflow *s)
{
    uint64_t mine = subflow_bytes_in(&s->tcp), most = 0;
    each_flow (o, s->conn) {
        if (o != s && !o->backup.peer && !o->backup.ours && !o->backup.aside && flow_answers(o) &&
            subflow_bytes_in(&o->tcp) > most)
            most = subflow_bytes_in(&o->tcp);
    }
    return mine >= PROVEN_BYTES && mine < most / MUCH_LESS;
}

/* The MP_PRIO goes out with the next ACK. */
static void ask_to_spare(struct mp_subflow *s, bool spare)
{
    s->backup.aside = spare;
    s->backup.due = true;
    subflow_ack_soon(&s->tcp);
    conn_dirty(s->conn);
}

/* A request that was lost is repeated when there is reason for it again. */
static void put_aside(struct mp_subflow *s, braid_time now)
{
    if (!s->backup.aside) {
        s->quiet.aside_times += s->quiet.aside_times < UINT8_MAX;
        conn_count(s->conn, MP_ASIDE);
    }
    s->quiet.aside_s = seconds_of(now);
    ask_to_spare(s, true);
}

void trickle_note(struct mp_subflow *s, bool next, braid_time now)
{
    struct data_trickle *t = &s->conn->recv.ooo->trickle;
    if (!next || t->since == 0 || t->flow != s->id) {
        *t = (struct data_trickle){.since = now, .flow = s->id};
        return;
    }
    t->n++;
    if (t->n < TRICKLE_LEAST || now - t->since < TRICKLE_TIME || !is_thin(s))
        return;
    put_aside(s, now);
    t->since = 0;
}

void conn_watch_trickles(struct braid_conn *c, braid_time now)
{
    each_flow (s, c) {
        unsigned doubled = s->quiet.aside_times < ASIDE_DOUBLE ? s->quiet.aside_times : ASIDE_DOUBLE;
        if (s->backup.aside && !s->closing.dead &&
            (uint16_t)(seconds_of(now) - s->quiet.aside_s) >= ASIDE_FIRST << (doubled - 1))
            ask_to_spare(s, false);
    }
}
