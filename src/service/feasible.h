/* What a configuration wants of this machine: better tried before it is in force than with each connection.
 */
#ifndef BRAID_SERVICE_FEASIBLE_H
#define BRAID_SERVICE_FEASIBLE_H

#include "service/service_error.h"
#include "service/service_params.h"

/* 0, or -1 with a message of one line: sources and listening sockets that take privileges or a free port, and
 * what policies that depend on who asks need. Nothing stays open. */
int feasible_check(const struct service_params *p, char error[SERVICE_ERROR]);

#endif
