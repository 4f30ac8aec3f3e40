/* What the packets of an attack cost: the work per packet of each tenth of them. What else the machine does
 * hits a few packets hard, so a tenth is measured in batches, and their median counts. */
#ifndef ATTACK_COST_H
#define ATTACK_COST_H

#define COST_BATCHES 20 /* in a tenth */

struct cost {
    unsigned packets; /* of the attack, at least 10 * COST_BATCHES */
    double batch[10][COST_BATCHES];
};

/* Seconds of CPU time of this process. */
double cost_now(void);
/* Packet i took so many seconds. */
void cost_add(struct cost *c, unsigned i, double seconds);
/* Microseconds per packet: of the first tenth, and of the worst of the others. */
void cost_judge(struct cost *c, double *first_us, double *worst_us);

#endif
