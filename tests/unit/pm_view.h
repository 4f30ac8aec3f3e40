/* A made-up connection as path managers see it, and what they plan. */
#ifndef BRAID_TESTS_PM_VIEW_H
#define BRAID_TESTS_PM_VIEW_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <braid/pm.h>
#include "base/addr.h"
#include "property.h"
#include "suite.h"

#define NOW (1000 * BRAID_SECOND)

static struct pm pm;
static struct pm_local locals[PM_MAX_LOCALS];
static struct pm_remote remotes[PM_MAX_REMOTES];
static struct pm_pair pairs[PM_MAX_LOCALS][PM_MAX_REMOTES];
static struct pm_subflow subflows[PM_MAX_SUBFLOWS];
static struct pm_view view;
static struct pm_plan plan;

static inline struct braid_addr addr_of(const char *text, unsigned n)
{
    struct braid_addr a;
    char full[64];
    snprintf(full, sizeof(full), text, n);
    ck_assert_int_eq(addr_parse(full, &a), 0);
    return a;
}

static inline const struct pm_ops *by_name(const char *name)
{
    for (unsigned i = 0; pm_algorithms[i]; i++)
        if (strcmp(pm_algorithms[i]->name, name) == 0)
            return pm_algorithms[i];
    ck_abort_msg("no path manager %s", name);
    return NULL;
}

/* A subflow that is up, unless changed. */
static inline struct pm_subflow *add_subflow(unsigned local, unsigned remote)
{
    struct pm_subflow *s = &subflows[view.n_subflows];
    *s = (struct pm_subflow){.id = view.n_subflows,
                             .local = (uint8_t)local,
                             .remote = (uint8_t)remote,
                             .ours = true,
                             .established = true,
                             .opened_at = NOW - BRAID_SECOND};
    view.n_subflows++;
    return s;
}

/* A connection between locals[0] and remotes[0], which n_locals and n_remotes addresses may be used for. */
static inline void setup(const char *name, unsigned n_locals, unsigned n_remotes)
{
    pm = (struct pm){.ops = by_name(name)};
    memset(pairs, 0, sizeof(pairs));
    for (unsigned i = 0; i < n_locals; i++)
        locals[i] = (struct pm_local){
            .addr = addr_of("10.0.%u.2:0", i), .id = (uint8_t)i, .usable = true, .subflow = true};
    for (unsigned i = 0; i < n_remotes; i++)
        remotes[i] = (struct pm_remote){.addr = addr_of("10.9.%u.1:80", i), .id = (uint8_t)i, .usable = true};
    view = (struct pm_view){.now = NOW,
                            .opener = true,
                            .may_open = true,
                            .locals = locals,
                            .n_locals = n_locals,
                            .remotes = remotes,
                            .n_remotes = n_remotes,
                            .pairs = (const struct pm_pair(*)[PM_MAX_REMOTES])pairs,
                            .subflows = subflows,
                            .max_subflows = 8,
                            .per_pair = 3,
                            .join_after = 65536,
                            .rtt_us = 20000};
    add_subflow(0, 0);
}

static inline void ask(void)
{
    plan = (struct pm_plan){.wake_at = BRAID_NEVER};
    if (pm.ops->update)
        pm.ops->update(&pm, &view, &plan);
}

static inline unsigned planned(enum pm_do what)
{
    unsigned n = 0;
    for (unsigned i = 0; i < plan.n; i++)
        n += plan.actions[i].what == what;
    return n;
}

static inline unsigned opens(unsigned local, unsigned remote)
{
    unsigned n = 0;
    for (unsigned i = 0; i < plan.n; i++)
        n += plan.actions[i].what == PM_OPEN && plan.actions[i].local == local &&
             plan.actions[i].remote == remote;
    return n;
}

#endif
