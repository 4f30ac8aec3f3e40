/* What the roles want of the machine that they run on: the time is the simulation's, and no address is this
 * machine's. */
#ifndef SIM_SHELL_H
#define SIM_SHELL_H

#include "../vtime.h"

/* From now on the time is that of v, until the next call. */
void shell_time(const struct vtime *v);

#endif
