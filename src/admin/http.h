/* The HTTP port: GET and HEAD, answered from queries. */
#ifndef BRAID_ADMIN_HTTP_H
#define BRAID_ADMIN_HTTP_H

#include "admin/query.h"

struct http;

/* Binds and listens; params must outlive the http, or be followed by others. 0, or -1 and err holds "[admin]
 * listen: ...". Requests wait until http_start. */
int http_open(const struct admin_params *params, struct event_base *base, struct http **out, char *err,
              size_t errlen);
/* Begins to answer. 0, or -1: memory is short. set must outlive the http. */
int http_start(struct http *h, struct query_set *set);
/* Others are in force, of the same address. */
void http_change(struct http *h, const struct admin_params *params);
/* The port that it listens on, in host byte order. */
uint16_t http_port(const struct http *h);
/* Breaks off what is being answered. NULL is allowed. */
void http_free(struct http *h);

#endif
