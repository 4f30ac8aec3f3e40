/* A document under construction: an evbuffer that remembers whether memory ran short. */
#ifndef BRAID_ADMIN_DOC_H
#define BRAID_ADMIN_DOC_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;

struct doc {
    struct evbuffer *buf;
    bool failed; /* something is missing: memory was short */
};

/* An empty buffer for one; NULL, of which nothing comes but a failure: memory is short. */
struct evbuffer *doc_new(void);
/* Adds all of another one, whose buffer is freed. */
void doc_move(struct doc *d, struct doc *from);
void doc_add(struct doc *d, const char *text, size_t len);
void doc_puts(struct doc *d, const char *text);
void doc_printf(struct doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
