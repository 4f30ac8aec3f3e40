/* The ring of the congestion states of established subflows. */
#ifndef BRAID_MPTCP_SIBLINGS_H
#define BRAID_MPTCP_SIBLINGS_H

struct mp_subflow;

/* Puts the congestion state into the ring of its established siblings; once, when it is established itself.
 */
void siblings_insert(struct mp_subflow *s);
/* Does nothing if it is in none. */
void siblings_remove(struct mp_subflow *s);

#endif
