/* The operator's view of a running daemon: HTTP (status, connections, counters, Prometheus metrics) and the
 * control socket that braidctl speaks to. Everything runs on the main thread's event base; workers are asked
 * by messages and never waited for. */
#ifndef BRAID_ADMIN_ADMIN_H
#define BRAID_ADMIN_ADMIN_H

#include "conf/conf.h"

struct admin;
struct query_actions;
struct event_base;
struct worker;

/* Binds the HTTP port and the control socket (mode 0600; its directory is made if it is missing; a socket
 * left behind by a daemon that is gone is replaced). Nobody is answered before admin_start. 0, or -1 and err
 * holds one line without a newline: "[admin] listen: ..." or "[daemon] control: ...". conf must outlive the
 * admin, or be followed by another (admin_change). */
int admin_open(const struct conf *conf, struct event_base *base, struct admin **out, char *err,
               size_t errlen);
/* Begins to answer. workers is copied; the workers must outlive the admin, and so must uplinks, which follow
 * what becomes of them (NULL: there are none). 0, or -1: memory is short. */
int admin_start(struct admin *a, struct worker *const *workers, unsigned n, const struct uplinks *uplinks);
/* What commands can have done; must outlive the admin. After admin_start. */
void admin_act(struct admin *a, const struct query_actions *actions);
/* Another configuration: binds the HTTP port if it has another one. 0, and admin_change or admin_discard is
 * due; or -1 with err as of admin_open. */
int admin_prepare(struct admin *a, const struct conf *conf, char *err, size_t errlen);
/* It is in force; uplinks as with admin_start. Clients of a port that is no more are broken off. -1: memory
 * is short, and nobody is answered there. */
int admin_change(struct admin *a, const struct conf *conf, const struct uplinks *uplinks);
void admin_discard(struct admin *a);
/* The port that HTTP is served on, also if the configuration says 0. */
uint16_t admin_port(const struct admin *a);
/* Ends all requests, closes both sockets and removes the control socket's file. Call it on the main thread
 * while the workers' threads still run, or when they were never started. NULL is fine. */
void admin_stop(struct admin *a);

#endif
