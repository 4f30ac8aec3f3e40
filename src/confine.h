/* What the process has to be allowed to do with a configuration, and that it may do no more. */
#ifndef BRAID_CONFINE_H
#define BRAID_CONFINE_H

#include "conf/settings.h"

/* Becomes whom the configuration says, with what it needs (service/privileges.h), and sees that what a reload
 * will have to read can be read. path: of the file. Before there is a second thread. 0, or -1 with a message
 * of one line, after which the process can only end. */
int confine_settle(const struct conf *c, const char *path, char *error, size_t size);
/* Nothing is called from now on that is not on the list (service/seccomp.h), in no thread, and so in none of
 * those to come. Once what takes more has been opened. Likewise. */
int confine_calls(const struct conf *c, char *error, size_t size);

#endif
