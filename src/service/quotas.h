/* A path's quota is the machine's, but each worker counts its own bytes: so the workers tell each other. */
#ifndef BRAID_SERVICE_QUOTAS_H
#define BRAID_SERVICE_QUOTAS_H

struct quota;
struct worker;

#define QUOTA_PERIOD_MS 1000

/* Has each of the workers, which do not run yet or stand still (pause.h), know what the others have carried,
 * and tell the others every QUOTA_PERIOD_MS how many bytes its core has carried over each of its n_paths path
 * rules, which are those of this generation. NULL: memory is short. */
struct quota *quota_start(struct worker *const *workers, unsigned n_workers, unsigned n_paths,
                          unsigned generation);
/* Ends it; the workers do not run any more, or stand still, and what they posted last may still come. NULL is
 * allowed. */
void quota_stop(struct quota *q);

#endif
