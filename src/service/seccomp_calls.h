/* The system calls that the daemon makes once it has started, by name. */
#ifndef BRAID_SERVICE_SECCOMP_CALLS_H
#define BRAID_SERVICE_SECCOMP_CALLS_H

/* Whatever their arguments are. Both lists end with NULL. */
extern const char *const seccomp_calls[];
/* More of that kind for a daemon that runs programs, and what these call to come up. */
extern const char *const seccomp_program_calls[];

#endif
