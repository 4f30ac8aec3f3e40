/* "braidctl top" in a terminal: what edges and paths carry, and the first connections, brought up to date
 * once a second, with keys to sort and to search. */
#ifndef BRAID_CTL_TOP_H
#define BRAID_CTL_TOP_H

#include <stdio.h>

/* Until a key or a signal ends it. path: of the control socket; words: the n arguments of the command,
 * KEY=VALUE, to begin with; in and out: descriptors of a terminal. Gives the exit status; what is wrong goes
 * to err. */
int top_run(const char *path, int n, char **words, int in, int out, FILE *err);

#endif
