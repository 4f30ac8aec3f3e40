/* Several connections that share bottlenecks, in virtual time: who gets how much? The simulator's network,
 * driver and clock do the work; here are the shared links, bulk senders, and what they are compared for. */
#ifndef FAIRNESS_H
#define FAIRNESS_H

#include "../sim/world.h"

#define FAIR_LINKS 2
#define FAIR_CONNS 8
#define FAIR_FLOWS 3 /* subflows of one connection */

/* A connection of the client (side SIM_CLIENT), which sends as much as goes. Over more than one path it is
 * MPTCP, else plain TCP. */
struct fair_conn {
    const struct cc_ops *cc;
    unsigned n_paths, paths[FAIR_FLOWS];
};

/* Each path leads over one of the links, where packets of all its paths wait in one queue. */
struct fair_world {
    uint64_t seed;
    unsigned n_links, n_paths, n_conns;
    struct link_params links[FAIR_LINKS];
    unsigned link_of[SIM_PATHS];
    braid_time delay[SIM_PATHS]; /* there and back each, beside that of the link's queue */
    struct fair_conn conns[FAIR_CONNS];
    braid_time warm_up, span; /* measured is span, after warm_up */
};

struct fair_result {
    double flow[FAIR_CONNS][FAIR_FLOWS]; /* bytes of packets per second that its subflow got over its link */
    double used[FAIR_LINKS];             /* share of the link's rate that was used */
    double waited[FAIR_LINKS];           /* mean time in the link's queue, seconds */
    char failure[256];                   /* empty: none */
};

/* Runs one world to its end. */
void fair_run(const struct fair_world *f, struct fair_result *out);

/* ---- scenes.c: what is compared ------------------------------------------------------------------------ */

#define FAIR_FIGURES 3

/* A question to an algorithm, whose answer is figures; the first of them is judged. */
struct scene {
    const char *name, *title, *text, *aim;
    unsigned n_figures;
    const char *columns[FAIR_FIGURES];
    /* Measures under cc with this seed, for span after a warm-up. False: it failed, with the reason. */
    bool (*measure)(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                    char failure[256]);
    /* Of whom it is asked and who is judged: NULL for all, of whom the coupled ones are judged. */
    bool (*asks)(const struct cc_ops *cc);
    /* What the median of the first figure must be of those that are judged. */
    double least, most;
    double not_below;     /* by more than chance; 0: no such aim */
    bool below_uncoupled; /* it must be below that of Reno, by more than chance */
};
extern const struct scene scenes[];
extern const unsigned n_scenes;

/* The plain TCP that an algorithm is compared with: of the same family. */
const struct cc_ops *plain_of(const struct cc_ops *cc);
/* Whether a scene asks an algorithm, and whether the answer is judged. */
bool scene_asks(const struct scene *s, const struct cc_ops *cc);
bool scene_judges(const struct scene *s, const struct cc_ops *cc);
/* True if all subflows of a connection are to take together what one TCP takes at a shared bottleneck. */
bool is_coupled(const struct cc_ops *cc);

/* ---- report.c ------------------------------------------------------------------------------------------ */

/* Values of one figure, one per seed. */
struct sample {
    unsigned n;
    double *values; /* in order after sample_sort */
};
void sample_sort(struct sample *s);
double sample_median(const struct sample *s);
/* The interval that holds the median of all possible values with a probability of 95 %, from the order of
 * the values alone. Fewer than six values allow none: it is all of them. */
void sample_interval(const struct sample *s, double *low, double *high);

/* What was measured: by scene, algorithm and figure, with one value per seed. */
struct sample *results_of(unsigned scene, unsigned cc, unsigned figure);
/* Prints the table of a scene, if it was measured. Returns how many aims were missed. */
unsigned report(unsigned scene, bool markdown);

#endif
