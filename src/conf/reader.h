/* Internal to src/conf: from a file's text to its sections and keys. */
#ifndef BRAID_CONF_READER_H
#define BRAID_CONF_READER_H

#include "conf/parser.h"

/* Reads all of text, up to CONF_ERRORS_MAX errors: gives each key to what keys.h has for it, and reports what
 * is wrong (p->n_errors). */
void reader_read(struct parser *p, const char *text, size_t len);

#endif
