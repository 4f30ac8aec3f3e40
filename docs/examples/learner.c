/* A scheduler of one's own, tried by hand: what schedulers/learner.c answers when a path is slow, when it
 * gets slower, and when it loses. An embedder names it in braid_connect_params.sched or
 * braid_listen_params.sched.
 * Build: cc -Iinclude docs/examples/learner.c docs/examples/schedulers/learner.c build/libbraid.a -lm */
#include <braid/sched.h>
#include <stdio.h>
#include <stdlib.h>

#define MSS 1400u

extern const struct sched_ops sched_learner;

static const char *const names[] = {"near", "far"};
static uint64_t marks[2];
static struct sched_path path[2];
static int64_t delay[2];    /* what a segment really takes, in microseconds */
static unsigned loses;      /* of so many segments over the first path one is lost; 0: none */
static struct flight {      /* what is on its way, in order */
    braid_time back[64];    /* when the acknowledgement comes */
    unsigned first, behind; /* count on */
} flights[2];

static void acknowledge(unsigned i, braid_time now)
{
    struct flight *f = &flights[i];
    for (; f->first < f->behind && f->back[f->first % 64] <= now; f->first++) {
        path[i].in_flight -= MSS;
        path[i].srtt_us += (delay[i] - path[i].srtt_us) / 8;
    }
}

static void send_over(unsigned i, braid_time now)
{
    struct flight *f = &flights[i];
    f->back[f->behind++ % 64] = now + delay[i];
    path[i].in_flight += MSS;
    path[i].bytes_sent += MSS;
    if (i == 0 && loses && f->behind % loses == 0)
        path[i].retransmits++;
}

static const char *share(unsigned carried)
{
    return carried > 400 ? "carries most" : carried < 100 ? "is tried" : "carries a part";
}

/* Five hundred messages, one every 20 ms; the sender's view follows what the paths do. */
static void messages(struct sched *s, struct sched_view *v, const char *what)
{
    unsigned carried[2] = {0};
    for (unsigned n = 0; n < 500; n++, v->now += 20 * BRAID_MS) {
        acknowledge(0, v->now);
        acknowledge(1, v->now);
        int i = s->ops->pick(s, v);
        if (i < 0)
            continue;
        s->ops->sent(s, v, i, MSS);
        send_over((unsigned)i, v->now);
        carried[i]++;
    }
    printf("%s: %s %s, %s %s\n", what, names[0], share(carried[0]), names[1], share(carried[1]));
}

static void begin(struct sched *s, struct sched_view *v)
{
    /* The core has zeroed memory for it in each connection. */
    *s = (struct sched){&sched_learner, calloc(1, sched_learner.priv_size)};
    *v = (struct sched_view){
        .now = BRAID_SECOND, .paths = path, .n_paths = 2, .unsent = MSS, .send_window = 1 << 20};
    if (!s->priv)
        abort();
    s->ops->init(s);
    for (unsigned i = 0; i < 2; i++) {
        delay[i] = (i ? 60 : 15) * BRAID_MS;
        marks[i] = 0;
        flights[i] = (struct flight){.first = 0};
        path[i] = (struct sched_path){.id = i,
                                      .usable = true,
                                      .mss = MSS,
                                      .cwnd = 100 * MSS,
                                      .space = 100 * MSS,
                                      .srtt_us = delay[i],
                                      .weight = 1,
                                      .mark = &marks[i]};
    }
}

int main(void)
{
    struct sched s;
    struct sched_view v;

    begin(&s, &v);
    messages(&s, &v, "15 ms and 60 ms");
    delay[0] = 200 * BRAID_MS;
    messages(&s, &v, "200 ms and 60 ms");
    delay[0] = 15 * BRAID_MS;
    messages(&s, &v, "15 ms again, ten seconds");
    messages(&s, &v, "15 ms again, twenty seconds");
    messages(&s, &v, "15 ms again, thirty seconds");
    free(s.priv);
    begin(&s, &v);
    loses = 2;
    messages(&s, &v, "another connection, every other packet over near is lost");
    free(s.priv);
    return 0;
}
