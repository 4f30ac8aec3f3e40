/* Programs that are told of the events of their connections (REQ14 of RFC 6897), each by a channel that stays
 * open until the program closes it, or has been told of the connection's end. Bounded by user and in all; who
 * does not read loses events, and learns how many. Main thread only. */
#ifndef BRAID_SERVICE_WATCHERS_H
#define BRAID_SERVICE_WATCHERS_H

#include "service/app_jobs.h"

struct closer;
struct event_base;
struct watcher;
struct watchers;

/* All three must outlive it; the closer gets the channels. NULL: memory is short. */
struct watchers *watchers_new(struct event_base *base, const struct app_scene *scene, struct closer *closer);
/* Hangs up on all of them. NULL is allowed. */
void watchers_free(struct watchers *ws);

/* One that is not connected yet, and is to have this channel: *out, which watcher_begin or watcher_free gets.
 * 0, or an errno: EMFILE: he has as many as he may, or there are as many as may be, or descriptors are short;
 * ENOBUFS. */
uint32_t watcher_new(struct watchers *ws, uint32_t user, int channel, struct watcher **out);
/* Where its events go, for workers. NULL: NULL. */
struct watch *watcher_watch(const struct watcher *w);
/* From now on it is its own: tells what there is by this channel, which it closes in the end, in messages of
 * this number. */
void watcher_begin(struct watcher *w, int channel, uint32_t number);
/* Before that. NULL is allowed. */
void watcher_free(struct watcher *w);

#endif
