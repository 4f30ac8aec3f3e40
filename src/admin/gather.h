/* What the workers have answered to a query so far. */
#ifndef BRAID_ADMIN_GATHER_H
#define BRAID_ADMIN_GATHER_H

#include "admin/render.h"

/* Zero it first; gather_free is due. */
struct gathered {
    struct snapshot_worker **summaries; /* of those who have answered; NULL: nobody was asked for one */
    void *rows;                         /* of a table, of those who have answered */
    size_t n_rows;
    uint64_t killed; /* connections */
    struct render_list list;
    struct ranking *ranking; /* that pages go into, instead of a list; NULL: they are a list */
};

/* What is to be done next. */
enum gather_step {
    GATHER_ASK,       /* the next worker */
    GATHER_MORE,      /* the same worker, for more */
    GATHER_PART,      /* render what the job has, and ask its worker for more */
    GATHER_WHOLE,     /* render: that was all */
    GATHER_NOT_FOUND, /* the worker has no such connection */
    GATHER_SHORT      /* of memory */
};

/* Takes what it needs out of an answered job of one of n workers. */
enum gather_step gather_take(struct gathered *g, struct snapshot_job *job, unsigned n_workers);
/* Adds it to what is shown. */
void gather_show(struct gathered *g, const struct snapshot_job *job, struct snapshot_view *v);
void gather_free(struct gathered *g, unsigned n_workers);

#endif
