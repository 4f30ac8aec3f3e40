/* Path rules: what the operator says of the paths between certain addresses, and the bytes that they carried.
 * Private to src/mptcp and src/core. */
#ifndef BRAID_MPTCP_RULES_H
#define BRAID_MPTCP_RULES_H

#include <braid/core.h>
#include "tcp/books.h"

struct mp_subflow;
struct sched_path;

/* One rule and its books. Subflows point to these (subflow.books), so it never moves. */
struct rule {
    struct tcp_books books; /* first */
    struct braid_path_rule says;
    uint64_t used;                /* bytes of payload over this core's subflows ... */
    uint64_t elsewhere;           /* ... and over those of others (braid_core_path_charge) */
    uint64_t bytes_in, bytes_out; /* over this core's subflows, whatever is forgotten of `used` */
    uint64_t subflows;            /* that match it now */
    int place;                    /* in struct rules; -1: in none */
    bool gone;                    /* it was taken away, and lives as long as its subflows */
};

/* Of a core, in the order of the configuration: the first one that matches counts. */
struct rules {
    struct rule **v; /* NULL: none */
    unsigned n;
    struct rule none; /* the books of subflows that match none; it says nothing */
};

/* Copies n rules. -1: memory is short. */
int rules_init(struct rules *p, const struct braid_path_rule *rules, unsigned n);
void rules_free(struct rules *p);
/* Puts n others in their place: rule i takes over the books and the subflows of the rule that was at was[i];
 * -1: it is new. Subflows of rules that are in no was[] keep theirs. -1: memory is short, and nothing has
 * changed. */
int rules_change(struct rules *p, const struct braid_path_rule *rules, unsigned n, const int *was);
/* A subflow has come under it, or is gone. */
void rule_enter(struct rule *r);
void rule_leave(struct rule *r);
/* The first rule that these ends match, else &p->none. Valid until rules_free. */
struct rule *rules_find(struct rules *p, const struct braid_ip *local, const struct braid_ip *remote);
/* A rule's place in the configuration, -1: it is &p->none, or is gone. */
int rules_place(const struct rule *rule);
/* The one that a subflow matched when it was made. */
struct rule *rule_of(const struct mp_subflow *s);
/* Has it carried all the bytes that it may, over this core and, as far as known, over others? */
bool rule_over_quota(const struct rule *p);
/* Counts what a subflow has carried since it was last called for it. */
void rule_account(struct mp_subflow *s);
/* Fills in what the rule of the subflow says, or the defaults without one. */
void rule_describe(const struct mp_subflow *s, struct sched_path *out);
/* The same for a decision: who records the connection is told of what is known of others as well. */
void rule_for_choice(const struct mp_subflow *s, struct sched_path *out);

#endif
