/* The configurations that the daemon has had: the one in force, and those before it of which connections are
 * still there. Each is never changed. Of the main thread. */
#ifndef BRAID_RELOAD_H
#define BRAID_RELOAD_H

#include "base/hold.h"
#include "base/list.h"
#include "conf/conf.h"
#include "io/mailbox.h"
#include "service/service_params.h"

struct admin;
struct event_base;
struct service;

/* One of them. Its hold is the daemon's, as long as it is in force, and those who use it longer. */
struct generation {
    struct hold hold;
    struct conf conf;
    struct service_params params; /* which points to conf */
    struct list link;
    struct mailbox_place place;
    struct generations *of;
};

struct generations {
    const char *path; /* of the file */
    struct list all;
    struct generation *now;  /* NULL: none has been read */
    struct mailbox *mailbox; /* of the main loop */
    /* What has to follow; NULL: it is not there yet, or not any more. */
    struct admin *admin;
    struct service *service;
    void (*failed)(void *arg, const char *why); /* as in struct service_params */
    void *failed_arg;
};

/* Reads the first one. 0, or -1: report has been told why. */
int generations_begin(struct generations *g, const char *path, const struct conf_report *report);
/* A loop is there; needed before the first reload. -1: memory or descriptors are short. */
int generations_attach(struct generations *g, struct event_base *base);
/* Reads the file anew and puts it into force. report is told, as lines of its own: what is wrong; or, as
 * warnings, what cannot change while the daemon runs, and else what did. 0; or -1: nothing has changed. */
int generations_reload(struct generations *g, const struct conf_report *report);
/* Nobody uses any of them any more, but for news of that in the mailbox. */
void generations_end(struct generations *g);

#endif
