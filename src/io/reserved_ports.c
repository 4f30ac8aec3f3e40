/* See reserved_ports.h. The note has two lines: what the setting was, and what it has been made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io/heirlooms.h"
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

static void set_to(const char *list)
{
    sysctl_write(SETTING, *list ? list : "\n");
}

/* What another process has noted, if the setting is still as that one left it: r->before and r->after. */
static bool read_note(struct reserved_ports *r)
{
    char text[2 * RESERVED_PORTS_TEXT + 2], now[RESERVED_PORTS_TEXT];
    int fd = open(r->note, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *after = strchr(text, '\n'), *end = after ? strchr(after + 1, '\n') : NULL;
    if (!end || sysctl_read(SETTING, now, sizeof(now)) < 0)
        return false;
    *after++ = *end = '\0';
    if (strcmp(now, after) != 0 || strlen(text) >= sizeof(r->before))
        return false;
    memcpy(r->before, text, strlen(text) + 1);
    memcpy(r->after, now, sizeof(now));
    return true;
}

/* One that did not end in order. */
static void put_back_noted(struct reserved_ports *r)
{
    if (read_note(r))
        set_to(r->before);
    unlink(r->note);
}

/* Without it all works; only a crash leaves something behind. */
static void take_note(const struct reserved_ports *r)
{
    int fd = open(r->note, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (dprintf(fd, "%s\n%s\n", r->before, r->after) < 0)
        unlink(r->note);
    close(fd);
}

static int reserve(struct reserved_ports *r, uint16_t first, uint16_t last)
{
    char list[RESERVED_PORTS_TEXT + 16];
    if (r->note)
        put_back_noted(r);
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
    if (r->note)
        take_note(r);
    return 0;
}

int reserved_ports_add(struct reserved_ports *r, const char *note, uint16_t first, uint16_t last)
{
    r->note = note ? strdup(note) : NULL;
    r->due = heirlooms_are_others();
    r->changed = r->due && r->note && read_note(r) && reserved_ports_covers(r->after, first, last);
    if (r->changed) /* by the daemon before us, whose note is ours now */
        r->due = false;
    return r->due || r->changed ? 0 : reserve(r, first, last);
}

int reserved_ports_settle(struct reserved_ports *r, uint16_t first, uint16_t last)
{
    bool due = r->due;
    r->due = false;
    return due ? reserve(r, first, last) : 0;
}

void reserved_ports_restore(struct reserved_ports *r)
{
    char now[RESERVED_PORTS_TEXT];
    r->changed &= !heirlooms_are_others();
    if (r->changed && sysctl_read(SETTING, now, sizeof(now)) == 0 && strcmp(now, r->after) == 0)
        set_to(r->before);
    if (r->changed && r->note)
        unlink(r->note);
    free(r->note);
    r->note = NULL;
    r->changed = false;
}
