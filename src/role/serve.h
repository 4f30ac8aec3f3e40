/* An edge as the owner of splices (serve.c). */
#ifndef BRAID_ROLE_SERVE_H
#define BRAID_ROLE_SERVE_H

#include "relay/splice.h"

extern const struct splice_events serve_events;

#endif
