/* See confine.h. */
#include "confine.h"
#include <stdio.h>
#include <stdlib.h>
#include "io/nat.h"
#include "io/sysctl.h"
#include "service/privileges.h"
#include "service/seccomp.h"
#include "service/workers.h"

/* The first port that everybody may listen on. */
static unsigned first_free_port(void)
{
    char text[8] = "1024";
    sysctl_read("net/ipv4/ip_unprivileged_port_start", text, sizeof(text));
    return (unsigned)atoi(text);
}

/* Edges listen within the TUN, where ports take no capability. */
static bool listens_below(const struct conf *c, unsigned port)
{
    bool below = c->admin.listen.port < port;
    for (unsigned i = 0; i < c->n_cpes; i++)
        for (unsigned j = 0; j < c->cpes[i].n_listen; j++)
            below |= c->cpes[i].listen[j].port < port;
    return below;
}

static int check_files(const struct conf *c, const char *path, char *error)
{
    const struct admin_params *a = &c->admin;
    const struct daemon_params *d = &c->daemon;
    if (privileges_check_file(d, "the configuration", path, error) < 0 ||
        privileges_check_file(d, "[admin] token_file", a->token_file, error) < 0 ||
        privileges_check_file(d, "[admin] tls_cert", a->tls_cert, error) < 0 ||
        privileges_check_file(d, "[admin] tls_key", a->tls_key, error) < 0)
        return -1;
    return privileges_check_file(d, "[admin] tls_client_ca", a->tls_client_ca, error);
}

int confine_settle(const struct conf *c, const char *path, char *error, size_t size)
{
    char why[SERVICE_ERROR];
    const struct privileges_params params = {.daemon = &c->daemon,
                                             .queues = workers_wanted(&c->daemon),
                                             .masquerade = c->tun.translation == NAT_MASQUERADE,
                                             .low_ports = listens_below(c, first_free_port())};
    if (privileges_settle(&params, why) == 0 && check_files(c, path, why) == 0)
        return 0;
    snprintf(error, size, "%s", why);
    return -1;
}

/* Whether iptables will have to be run. */
static bool runs_programs(const struct conf *c)
{
    if (c->tun.translation == NAT_AUTO && c->n_uplinks > 0)
        return !nat_has_nftables();
    return c->tun.translation == NAT_MASQUERADE;
}

int confine_calls(const struct conf *c, char *error, size_t size)
{
    char why[SERVICE_ERROR];
    const struct seccomp_params params = {.mode = c->daemon.seccomp, .programs = runs_programs(c)};
    if (seccomp_confine(&params, why) == 0)
        return 0;
    snprintf(error, size, "%s", why);
    return -1;
}
