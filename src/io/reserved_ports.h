/* Ports that the kernel is not to draw for connections of its own: net.ipv4.ip_local_reserved_ports. */
#ifndef BRAID_IO_RESERVED_PORTS_H
#define BRAID_IO_RESERVED_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVED_PORTS_TEXT 4096 /* bytes of the setting; one that is longer is left alone */

struct reserved_ports {
    char before[RESERVED_PORTS_TEXT], after[RESERVED_PORTS_TEXT]; /* as the kernel had it, and has it now */
    bool changed;
};

/* Whether these ports are in a list such as "8080,49152-61439". */
bool reserved_ports_covers(const char *list, uint16_t first, uint16_t last);
/* Adds them to what is reserved already. 0, or -1 with errno. */
int reserved_ports_add(struct reserved_ports *r, uint16_t first, uint16_t last);
/* Puts back what was there before, unless somebody else has changed it since. */
void reserved_ports_restore(struct reserved_ports *r);

#endif
