/* A recording on its way from the worker that makes it (records.h) to the main thread, which passes it on:
 * parts of a file, in their order. Who is slow holds up no worker: what has not been taken is counted, and
 * the worker gives the recording up before that becomes too much. */
#ifndef BRAID_ROLE_REEL_H
#define BRAID_ROLE_REEL_H

#include "io/worker.h"
#include "record/blob.h"
#include "record/recorder.h"

struct mailbox;
struct reel;

enum reel_news {
    REEL_GOES_ON,
    REEL_OVER,    /* this part is the last */
    REEL_MISSING, /* there is no such connection, or it is being recorded already */
    REEL_MEMORY   /* memory is short */
};

/* What is to be recorded; to be filled in by who asks. */
struct reel_wish {
    uint64_t conn;    /* the core's number of a connection; 0: those of the edge that begin from now on */
    const char *edge; /* its name, for as long as the process lives */
    uint64_t most;    /* so many of them; 0: any number */
    unsigned workers; /* how many there are */
    bool keys;
    size_t bytes; /* of payload of each packet */
};

/* ready(arg) is called in the main thread, whose mailbox it is, when there is something to take. NULL: memory
 * is short. */
struct reel *reel_new(const struct reel_wish *wish, struct mailbox *main, void (*ready)(void *arg),
                      void *arg);
/* One that no worker has been told of. NULL is allowed. */
void reel_free(struct reel *r);
const struct reel_wish *reel_wish(const struct reel *r);

/* From any worker's thread: true if the connection that asks may be recorded: as many as are wished. */
bool reel_claim(struct reel *r);
/* All of them are, or were. */
bool reel_is_claimed(const struct reel *r);
/* Bytes that were put and not taken. */
size_t reel_waiting(const struct reel *r);
/* The next part of a recording, which is the reel's from now on; it may be empty. REEL_OVER: the recording's
 * last; it is the reel's if it is that of the last of all that are wished. */
void reel_put(struct reel *r, struct blob part, enum reel_news news);

/* In the main thread: the next part, whose data the caller frees (blob_free). False: there is none for now.
 */
bool reel_take(struct reel *r, struct blob *part, enum reel_news *news);
/* In the main thread: nothing is taken any more. forget(worker, r) is called in the thread of each worker,
 * then gone(arg), which may be NULL, in that of the last; r is freed in the main thread. */
void reel_leave(struct reel *r, struct worker *const *workers, unsigned n,
                void (*forget)(struct worker *worker, void *reel), void (*gone)(void *arg), void *arg);

#endif
