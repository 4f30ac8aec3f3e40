/* The text of a script. */
#ifndef TESTS_PACKETS_SOURCE_H
#define TESTS_PACKETS_SOURCE_H

#include "pkt.h"

#define LINES       2000
#define LINE_LENGTH 1024
#define VALUES      300
#define FORS        4
#define WORDS       64

/* "for NAME in ..." */
struct loop {
    char name[16];
    char *values[VALUES];
    unsigned n, at;
};

struct source {
    char *lines[LINES];
    unsigned n;
};

/* NULL, or what is wrong. source_free frees what was read either way. */
const char *source_read(struct source *src, const char *path);
void source_free(struct source *src);

/* Cuts text into words, in place. */
unsigned split(struct script *s, char *text, char **words, unsigned max);

/* Finds the loops of a script; returns how many there are. */
unsigned find_loops(struct script *s, const struct source *src, struct loop *loops);
/* The next combination of their values. False: there was none left. */
bool loops_advance(struct loop *loops, unsigned n);
void loops_free(struct loop *loops);
/* Puts the values of loops in place of $NAME. out: LINE_LENGTH bytes. */
void substitute(struct script *s, const char *line, const struct loop *loops, unsigned n, char *out);

#endif
