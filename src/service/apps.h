/* The socket by which programs of this machine ask about their connections, and say what they wish of them
 * (RFC 6897 section 5). Driven by the main thread; no program can hold up a worker. */
#ifndef BRAID_SERVICE_APPS_H
#define BRAID_SERVICE_APPS_H

#include "service/app_jobs.h"

struct apps;
struct event_base;

/* Opens the socket and listens. What scene points to must outlive the result. NULL, and a message of one line
 * in error. */
struct apps *apps_open(struct event_base *base, const struct app_scene *scene, char error[SERVICE_ERROR]);
/* There are uplinks now, as in struct app_scene. */
void apps_set_uplinks(struct apps *a, const struct uplinks *uplinks);
/* Nobody is answered any more, and the socket's file is removed. NULL is allowed. */
void apps_close(struct apps *a);

#endif
