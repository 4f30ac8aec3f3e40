/* How fast each connection is: what it has carried since it was last looked at. Kept only as long as somebody
 * looks again and again. Main thread only. */
#ifndef BRAID_ADMIN_CENSUS_H
#define BRAID_ADMIN_CENSUS_H

#include <braid/types.h>

struct census;

/* Bytes per second from the client and to it; both 0 at the first look. */
struct census_rate {
    uint64_t from_client, to_client;
};

/* NULL: memory is short. */
struct census *census_new(void);
/* NULL is allowed. */
void census_free(struct census *c);
/* Connection id has carried so many bytes until now, a time that must not go back. Two looks within a quarter
 * of a second give the same answer. Where memory is short the rate is 0. */
struct census_rate census_look(struct census *c, uint64_t id, uint64_t from_client, uint64_t to_client,
                               braid_time now);
/* Forgets those that nobody has looked at for ten seconds: ended, or of no interest any more. */
void census_forget(struct census *c, braid_time now);
/* How many it remembers. */
size_t census_count(const struct census *c);

#endif
