/* What the races of a worker have seen of uplinks and of who is behind them, and what later races make of it.
 * What middleboxes do to SYNs is a matter of the way, so it is remembered of a prefix (/24, /48) over an
 * uplink; silence may be a single server's, so it is remembered of an address and port over an uplink.
 * Everything is forgotten after a while, is tried again, and then lasts twice as long if it is still so. It
 * knows no clock: the time comes as an argument. */
#ifndef BRAID_ROLE_LEARNED_H
#define BRAID_ROLE_LEARNED_H

#include "base/hash.h"
#include "role/race.h"

struct freezer;
struct thaw_item;
struct uplinks;

#define LEARNED_MAX     4096 /* of each kind, at most: half a MiB each */
#define LEARNED_UPLINKS 8    /* their numbers are below */

enum learned_kind {
    LEARNED_STRIPPED, /* answers come without MP_CAPABLE; alone it may be the server, which does not know it
                       */
    LEARNED_DROPPED,  /* SYNs with MP_CAPABLE are not answered, or with a RST, and plain ones are. Once may be
                       * loss: believed from the second time on, a RST at once */
    LEARNED_EATEN,    /* a SYN's payload does not arrive, or not even the SYN */
    LEARNED_SILENT,   /* nothing is answered, while something else is */
    LEARNED_STRAIGHT, /* a server that speaks MPTCP itself, so that no converter is needed; of no uplink */
    /* Not listed: */
    LEARNED_PASSES, /* MP_CAPABLE is answered with MP_CAPABLE, which shows who strips */
    LEARNED_DETOUR, /* a server that does not speak MPTCP, or not with us; of no uplink */
    /* Listed: */
    LEARNED_VERSION_0, /* the far side is to be asked by version 0 of MPTCP: it has answered that, or version
                        * 1 without MPTCP */
    LEARNED_KINDS
};

#define LEARNED_NO_UPLINK LEARNED_UPLINKS /* the number that stands for none */

/* What braidctl shows. */
struct learned_entry {
    enum learned_kind kind;
    unsigned uplink;
    struct braid_addr addr; /* the prefix, and port 0; or, of SILENT, STRAIGHT and VERSION_0, the whole */
    unsigned times;         /* that it was seen in a row */
    bool believed;          /* races heed it */
    braid_time left;        /* until it is tried again, or by version 1 */
};
/* A word. */
const char *learned_kind_text(enum learned_kind kind);
/* Length of the prefix of an entry, as written behind its address: 24, 48; 0: it is a whole address. */
unsigned learned_prefix_bits(const struct learned_entry *e);

struct learned;

/* At most max of each kind; the oldest makes room. key: unpredictable, as peers choose the addresses. NULL:
 * memory is short. */
struct learned *learned_new(const struct siphash_key *key, size_t max);
/* NULL is allowed. */
void learned_free(struct learned *l);

/* What a race has seen (struct race_events). If memory is short it is not remembered. */
void learned_see(struct learned *l, const struct race_lane *lane, enum race_seen what, braid_time now);
/* What is news among it goes to tell(arg, ...), for the tables of other workers ... */
void learned_on_news(struct learned *l,
                     void (*tell)(void *arg, const struct race_lane *lane, enum race_seen what), void *arg);
/* ... which learn it so. True: it was news here, too. */
bool learned_hear(struct learned *l, const struct race_lane *lane, enum race_seen what, braid_time now);

/* What is known of a server that is asked for by way of a converter: STRAIGHT, DETOUR, or neither, which is
 * LEARNED_KINDS. */
enum learned_kind learned_of_server(const struct learned *l, const struct braid_addr *server, braid_time now);
/* A converter or a connection has shown it, and it is news for others as what is seen of lanes. What does not
 * work is not believed from somebody else until its time is over. */
void learned_see_server(struct learned *l, const struct braid_addr *server, bool straight, braid_time now);

/* Sets plain, bare and version_0 of the lanes as what is known wants it, and puts first who is expected to
 * answer; of these, those that are no reserve; of these, those over which there will be MPTCP. Else their
 * order stays.
 */
void learned_steer(struct learned *l, struct race_lane *lanes, unsigned n, braid_time now);

/* The uplink takes option 30 away, whoever is asked: several prefixes have answered without it here, and with
 * it over other uplinks, or are known to speak MPTCP. */
bool learned_strips(struct learned *l, unsigned uplink, braid_time now);

/* The uplink leads elsewhere now (another address, another network): forgets what was learned of it. */
void learned_forget(struct learned *l, unsigned uplink);
/* Forgets everything. */
void learned_clear(struct learned *l);

/* Fills in up to max entries that are not over, kind by kind, those learned last first; returns how many. */
size_t learned_list(const struct learned *l, braid_time now, struct learned_entry *out, size_t max);
/* How many learned_list has at most. */
size_t learned_count(const struct learned *l);

/* What still counts as a group of this tag, for another process (docs/handover.md), with the names of us
 * (learned_freeze.c) ... */
void learned_freeze(const struct learned *l, const struct uplinks *us, braid_time now, struct freezer *f,
                    unsigned tag);
/* ... and read there. uplink(arg, name): its number now; LEARNED_UPLINKS or more: there is none any more, and
 * what was learned of it is left out. What is known later already stays; if memory is short it is not
 * remembered. */
void learned_thaw(struct learned *l, const struct thaw_item *group,
                  unsigned (*uplink)(void *arg, const char *name), void *arg);

#endif
