/* The configuration file, read into each layer's params struct and validated. docs/man/braid.ini.5 describes
 * the file. */
#ifndef BRAID_CONF_CONF_H
#define BRAID_CONF_CONF_H

#include "conf/settings.h"

/* Reads and checks the file. 0, and conf_free() is due; or -1 and err (CONF_ERROR_MAX bytes are always
 * enough) holds the first error, one line without a newline: "FILE:LINE: [section] key: what is wrong; what
 * would be right". It asks no resolver. The algorithms that it accepts are those of cc_algorithms and
 * sched_algorithms. */
int conf_load(const char *path, struct conf *out, char *err, size_t errlen);
/* The same for text in memory; file names it in errors. */
int conf_parse(const char *file, const char *text, size_t len, struct conf *out, char *err, size_t errlen);
/* The same, but report is told of everything that is wrong. */
int conf_load_all(const char *path, struct conf *out, const struct conf_report *report);
int conf_parse_all(const char *file, const char *text, size_t len, struct conf *out,
                   const struct conf_report *report);
/* The same for a daemon that runs with what `before` says: what cannot change while it does (facts.h) stays
 * as it is there, and is reported as a warning, and uplinks keep their places. */
int conf_load_again(const char *path, const struct conf *before, struct conf *out,
                    const struct conf_report *report);
int conf_parse_again(const char *file, const char *text, size_t len, const struct conf *before,
                     struct conf *out, const struct conf_report *report);
void conf_free(struct conf *c);

#endif
