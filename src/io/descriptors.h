/* Open files: how many there may be, and how many of them the sockets to servers leave to everything else, so
 * that the daemon can be asked, resolve names and follow its devices when clients have taken all they can
 * get. */
#ifndef BRAID_IO_DESCRIPTORS_H
#define BRAID_IO_DESCRIPTORS_H

#include <stdbool.h>

/* Raises the limit of the process as far as it goes, and reserves a quarter of it, 160 at most. Before there
 * are threads; without it nothing is reserved. */
void descriptors_init(void);
/* Whether a new socket to a server, which has the lowest number that was free, leaves the reserve alone. */
bool descriptors_leave_reserve(int fd);
/* How many of the limit one kind of client of the admin surface may have: `most`, or a sixteenth of it. */
unsigned descriptors_share(unsigned most);

#endif
