/* The filter of system calls (seccomp(2)): what the daemon calls once it has started, and nothing else, in
 * every thread. */
#ifndef BRAID_SERVICE_SECCOMP_H
#define BRAID_SERVICE_SECCOMP_H

#include "io/params.h"
#include "service/service_params.h"

struct seccomp_params {
    enum seccomp_mode mode;
    bool programs; /* others are started (io/masquerade.h) */
};

/* Puts the filter in front of all threads that there are; those that follow have it, too, and so have
 * programs that they start. It cannot be taken away. SECCOMP_AUTO is SECCOMP_REFUSE, but a kernel without
 * filters is put up with, and said; and SECCOMP_OFF in a daemon that is built with sanitizers. 0, or -1 with
 * a message of one line. */
int seccomp_confine(const struct seccomp_params *p, char error[SERVICE_ERROR]);

#endif
