/* A result as one line of JSON. Times are in milliseconds, rates in Mbit/s. */
#include <stdio.h>
#include <stdlib.h>
#include "study.h"

static double ms(braid_time t)
{
    return (double)t / 1e3;
}

static int compare(const void *a, const void *b)
{
    braid_time x = *(const braid_time *)a, y = *(const braid_time *)b;

    return (x > y) - (x < y);
}

/* The delay that a share q of the messages did not exceed. */
static double quantile(const struct meters *m, double q)
{
    size_t i = (size_t)(q * (double)m->n_delays);

    return ms(m->delays[i < m->n_delays ? i : m->n_delays - 1]);
}

static void print_delays(struct study *s, bool cdf)
{
    struct meters *m = &s->m;

    /* Those that never arrived have the worst delay so far. */
    for (size_t i = s->delivered; i < s->n_messages; i++)
        meter_message(s, &s->messages[i]);
    if (m->n_delays == 0)
        return;
    qsort(m->delays, m->n_delays, sizeof(*m->delays), compare);
    printf(", \"messages\": %zu, \"undelivered\": %zu, \"delay_p50\": %.3f, \"delay_p99\": %.3f, "
           "\"delay_max\": %.3f",
           m->n_delays, s->n_messages - s->delivered, quantile(m, 0.5), quantile(m, 0.99), quantile(m, 1));
    if (!cdf)
        return;
    printf(", \"cdf\": [");
    for (unsigned i = 0; i <= 200; i++)
        printf("%s%.3f", i ? ", " : "", quantile(m, i / 200.0));
    printf("]");
}

static void print_outage(const struct study *s)
{
    const struct meters *m = &s->m;
    braid_time back = s->begin + s->cell->silent_until;

    printf(", \"stall\": %.3f, \"carried\": %.3f, \"flowing\": %.3f", ms(m->stall),
           m->carried ? ms(m->carried - back) : -1.0, m->flowing ? ms(m->flowing - back) : -1.0);
}

static void print_paths(const struct study *s)
{
    const struct link_params *p = s->cell->from == SIM_CLIENT ? s->cell->up : s->cell->down;

    printf(", \"rate\": [");
    for (unsigned i = 0; i < s->cell->n_paths; i++)
        printf("%s%.4f", i ? ", " : "", (double)link_mean_rate(&p[i]) * 8 / 1e6);
    printf("], \"srtt\": [");
    for (unsigned i = 0; i < s->cell->n_paths; i++)
        printf("%s%.3f", i ? ", " : "", ms(s->m.srtt[i]));
    printf("], \"path_bytes\": [");
    for (unsigned i = 0; i < s->cell->n_paths; i++)
        printf("%s%llu", i ? ", " : "", (unsigned long long)s->m.path[i]);
    printf("]");
}

static void print_curve(const struct study *s)
{
    printf(", \"step\": %.3f, \"curve\": [", ms(s->cell->step));
    for (size_t k = 0; k < s->m.n_curve; k++) {
        const struct point *p = &s->m.curve[k];

        printf("%s[%llu", k ? ", " : "", (unsigned long long)p->read);
        for (unsigned i = 0; i < s->cell->n_paths; i++)
            printf(", %llu", (unsigned long long)p->path[i]);
        printf("]");
    }
    printf("]");
}

static uint64_t count(const struct study *s, unsigned side, enum braid_counter c)
{
    return braid_core_counters(s->w.cores[side][0].core)->v[c];
}

static void print_counters(const struct study *s)
{
    unsigned from = s->cell->from;

    printf(", \"retransmitted\": %llu, \"timeouts\": %llu, \"reinjected\": %llu",
           (unsigned long long)count(s, from, COUNT_TCP_RETRANS_SEGS),
           (unsigned long long)count(s, from, COUNT_TCP_TIMEOUTS),
           (unsigned long long)count(s, from, COUNT_MP_RETRANS));
}

/* How many bytes of the stream the sender has put on the wire; if it is not through, about: what is on its
 * way again counts as new. */
static uint64_t bytes_of_stream(const struct study *s)
{
    const struct end *e = &s->ends[s->cell->from];
    struct braid_conn_stats st;
    uint64_t flying = 0;

    if (s->ends[!s->cell->from].read == s->cell->bytes || !e->conn)
        return e->written;
    braid_conn_stats(e->conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++)
        flying += st.subflows[i].in_flight;
    return e->written - st.send_queued + flying;
}

void study_print(struct study *s, bool cdf)
{
    const struct meters *m = &s->m;
    uint64_t read = s->ends[!s->cell->from].read, unique = bytes_of_stream(s);
    braid_time until = s->cell->bytes == read ? m->last : s->w.time.now;
    double seconds = (double)(until - s->begin) / 1e6;

    printf("{\"complete\": %s, \"bytes\": %llu, \"time\": %.3f, \"goodput\": %.4f, \"first\": %.3f",
           s->complete ? "true" : "false", (unsigned long long)read, seconds * 1e3,
           seconds > 0 ? (double)read * 8 / seconds / 1e6 : 0, m->first ? ms(m->first - s->begin) : -1.0);
    printf(", \"sent\": %llu, \"twice\": %llu, \"reorder_peak\": %llu, \"memory_sender\": %zu, "
           "\"memory_receiver\": %zu, \"mss\": %u, \"events\": %llu",
           (unsigned long long)m->sent, (unsigned long long)(m->sent > unique ? m->sent - unique : 0),
           (unsigned long long)m->reorder_peak, m->memory_peak[s->cell->from], m->memory_peak[!s->cell->from],
           m->mss, (unsigned long long)s->w.time.planned);
    print_paths(s);
    print_counters(s);
    if (s->cell->messages)
        print_delays(s, cdf);
    if (s->cell->silent != STUDY_NOBODY)
        print_outage(s);
    if (s->cell->step)
        print_curve(s);
    printf("}\n");
}
