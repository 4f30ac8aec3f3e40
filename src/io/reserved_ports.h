/* Ports that the kernel is not to draw for connections of its own: net.ipv4.ip_local_reserved_ports. */
#ifndef BRAID_IO_RESERVED_PORTS_H
#define BRAID_IO_RESERVED_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVED_PORTS_TEXT 4096 /* bytes of the setting; one that is longer is left alone */

struct reserved_ports {
    char *note; /* path of the file that says what is to be put back; NULL: there is none */
    char before[RESERVED_PORTS_TEXT], after[RESERVED_PORTS_TEXT]; /* as the kernel had it, and has it now */
    bool changed;
    bool due; /* they are those of the daemon before us, until it is gone */
};

/* Whether these ports are in a list such as "8080,49152-61439". */
bool reserved_ports_covers(const char *list, uint16_t first, uint16_t last);
/* Adds them to what is reserved already. 0, or -1 with errno. note: path of a file that outlives a crash, by
 * which the next process puts back what this one could not; its directory is there; NULL: none. */
int reserved_ports_add(struct reserved_ports *r, const char *note, uint16_t first, uint16_t last);
/* The same, once we are the daemon (heirlooms.h): until then what another daemon has reserved stays as it is.
 */
int reserved_ports_settle(struct reserved_ports *r, uint16_t first, uint16_t last);
/* Puts back what was there before, unless somebody else has changed it since, and removes the note. */
void reserved_ports_restore(struct reserved_ports *r);

#endif
