/* What connections ask of their core (demux.c). Private to src/core. */
#ifndef BRAID_CORE_DEMUX_H
#define BRAID_CORE_DEMUX_H

#include "core/inside.h"

extern const struct mptcp_env_ops core_env_ops;

#endif
