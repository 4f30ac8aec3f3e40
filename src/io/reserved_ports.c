/* See reserved_ports.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/reserved_ports.h"
#include "io/sysctl.h"

#define SETTING "net/ipv4/ip_local_reserved_ports"

/* The kernel lists ranges that touch each other as one. */
bool reserved_ports_covers(const char *list, uint16_t first, uint16_t last)
{
    while (*list) {
        char *end;
        unsigned long from = strtoul(list, &end, 10), to = from;
        if (*end == '-')
            to = strtoul(end + 1, &end, 10);
        if (from <= first && last <= to)
            return true;
        list = *end ? end + 1 : end;
    }
    return false;
}

int reserved_ports_add(struct reserved_ports *r, uint16_t first, uint16_t last)
{
    char list[RESERVED_PORTS_TEXT + 16];
    r->changed = false;
    if (sysctl_read(SETTING, r->before, sizeof(r->before)) < 0)
        return -1;
    if (reserved_ports_covers(r->before, first, last))
        return 0;
    if (strlen(r->before) == sizeof(r->before) - 1) {
        errno = E2BIG;
        return -1;
    }
    snprintf(list, sizeof(list), "%s%s%u-%u", r->before, *r->before ? "," : "", first, last);
    if (sysctl_write(SETTING, list) < 0 || sysctl_read(SETTING, r->after, sizeof(r->after)) < 0)
        return -1;
    r->changed = true;
    return 0;
}

void reserved_ports_restore(struct reserved_ports *r)
{
    char now[RESERVED_PORTS_TEXT];
    if (r->changed && sysctl_read(SETTING, now, sizeof(now)) == 0 && strcmp(now, r->after) == 0)
        sysctl_write(SETTING, *r->before ? r->before : "\n");
    r->changed = false;
}
