/* A race, as the files that make it up see it. */
#ifndef BRAID_ROLE_RACE_STATE_H
#define BRAID_ROLE_RACE_STATE_H

#include "role/race.h"

enum candidate_state {
    UNTRIED,
    UNDER_WAY,
    FAILED, /* what follows from it is due */
    SETTLED /* failed, and nothing more follows from it */
};

struct lane;

struct candidate {
    struct race *race;
    struct braid_conn *conn; /* while it is under way */
    braid_time asked_at;
    struct lane *lane;
    bool plain; /* its SYN is without MP_CAPABLE */
    bool data;  /* its SYN has a payload */
    bool again; /* its SYN was sent once more */
    enum candidate_state state;
    enum race_loss loss; /* of one that has failed */
};

/* The candidates of a lane. */
enum { CAPABLE, PLAIN, CANDIDATES };

struct lane {
    struct race *race;
    struct race_lane where;
    struct candidate candidates[CANDIDATES];
    braid_time plain_at; /* when the plain one joins that with MP_CAPABLE */
    bool struck;         /* its address has refused: nothing more is sent there */
    /* race_questions.c: */
    struct braid_conn *question; /* that is under way; NULL: none */
    braid_time question_at;      /* when it is due */
    braid_time trusted_until;    /* the others wait no longer than that, whatever is answered */
    bool answered;               /* ... and nothing has followed from it yet */
    bool alive;                  /* one was answered */
};

struct race {
    struct race_params params; /* lanes and opening are copies */
    braid_time deadline;
    braid_time give_up_at; /* the time for all together is over */
    braid_time next_at;    /* the newest lane's head start is over */
    braid_time evidence_until;
    enum race_loss loss; /* what to tell if nothing works */
    bool late;           /* evidence_until is over */
    unsigned next;       /* the lane whose turn is next */
    struct lane *newest; /* the one whose turn it was last; NULL: none's */
    struct lane lanes[]; /* opening and question are behind them */
};

#define each_candidate(c, i, r)                                                                              \
    for (unsigned i = 0; i < CANDIDATES * (r)->params.n_lanes; i++)                                          \
        for (struct candidate *c = &(r)->lanes[i / CANDIDATES].candidates[i % CANDIDATES]; c; c = NULL)

static inline bool lane_is_open(const struct lane *l)
{
    return l->candidates[CAPABLE].state == UNDER_WAY || l->candidates[PLAIN].state == UNDER_WAY;
}

#endif
