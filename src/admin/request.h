/* The head of an HTTP request (RFC 9112), line by line: no more of it than GET and HEAD need. */
#ifndef BRAID_ADMIN_REQUEST_H
#define BRAID_ADMIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_PATH  256 /* bytes, the NUL included; there is no longer one */
#define REQUEST_HOST  256
#define REQUEST_QUERY 512
#define REQUEST_TOKEN 256

enum request_method { REQUEST_OTHER, REQUEST_GET, REQUEST_HEAD };

/* Zero it first. */
struct request {
    bool begun; /* the request line was there */
    enum request_method method;
    char path[REQUEST_PATH];       /* without a query; "" if it is too long */
    char query[REQUEST_QUERY];     /* what is behind the '?'; "" if nothing is */
    char host[REQUEST_HOST];       /* "" if none is named */
    bool has_host, absolute;       /* there is a field Host; the target names the host */
    bool has_origin;               /* a web page asks; ... */
    char origin[REQUEST_HOST + 8]; /* ... "http://host:port" of it, "" if it is too long */
    bool has_token;                /* a field Authorization has a bearer token: ... */
    char token[REQUEST_TOKEN];     /* ... "" if it is too long */
    bool http_1_0;
    bool close; /* the client wants to end the connection, or cannot do otherwise */
    bool body;  /* one follows */
};

/* Takes a line without its end, of len bytes and a NUL. 0 if the head goes on, 200 if it is complete, else
 * the status code of the answer that it deserves: 400, or 505. The line is not whole afterwards. */
int request_take_line(struct request *r, char *line, size_t len);
/* The host without its port, into out, which is returned; an address of IPv6 without its brackets. "": none
 * is named, or it has no such form. */
const char *request_host_name(const struct request *r, char out[REQUEST_HOST]);

#endif
