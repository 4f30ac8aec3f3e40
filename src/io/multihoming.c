/* See multihoming.h. The kernel shows raw sockets in files of the form that it has for UDP: the protocol is
 * in the place of the local port. */
#include "io/multihoming.h"
#include <limits.h>
#include <stdio.h>

enum { PROTOCOL_MOBILITY = 135, PROTOCOL_HIP = 139, PROTOCOL_SHIM6 = 140 };

static unsigned of_protocol(unsigned protocol)
{
    switch (protocol) {
    case PROTOCOL_MOBILITY:
        return MULTIHOMING_MOBILE;
    case PROTOCOL_HIP:
        return MULTIHOMING_HIP;
    case PROTOCOL_SHIM6:
        return MULTIHOMING_SHIM6;
    default:
        return 0;
    }
}

static unsigned look_at(const char *proc_net, const char *file)
{
    char path[PATH_MAX], line[512];
    unsigned found = 0, protocol;
    snprintf(path, sizeof(path), "%s/%s", proc_net, file);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, " %*u: %*32[0-9A-Fa-f]:%x", &protocol) == 1)
            found |= of_protocol(protocol);
    if (f)
        fclose(f);
    return found;
}

unsigned multihoming_look(const char *proc_net)
{
    return look_at(proc_net, "raw") | look_at(proc_net, "raw6");
}

const char *multihoming_name(unsigned one)
{
    return one == MULTIHOMING_SHIM6 ? "SHIM6" : one == MULTIHOMING_MOBILE ? "Mobile IPv6" : "HIP";
}

const char *multihoming_effect(unsigned one)
{
    return one & MULTIHOMING_IPV6 ? "connections over IPv6 are plain TCP"
                                  : "connections of its identities are left to the kernel";
}
