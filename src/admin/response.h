/* The head of an HTTP response (RFC 9112). */
#ifndef BRAID_ADMIN_RESPONSE_H
#define BRAID_ADMIN_RESPONSE_H

#include "admin/doc.h"
#include "admin/request.h"

/* As the answer to r. length NULL: the content comes in chunks, or, to a client of HTTP/1.0, ends with the
 * connection. */
void response_head(struct doc *d, const struct request *r, int code, const char *type, const size_t *length);

#endif
