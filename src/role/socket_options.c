/* See socket_options.h. The operator's keepalive keeps translators on the way awake: a program may want it
 * more often, but not more seldom. */
#include "role/socket_options.h"
#include "role/profile.h"

#define BUFFER_LEAST 4096 /* bytes (braid/option.h) */

/* A size that is out of range is left to the core. */
static void bound(struct braid_conn *c, enum braid_option option, size_t bytes)
{
    if (bytes > 0)
        braid_conn_set_option(c, option, bytes > BUFFER_LEAST ? (int64_t)bytes : BUFFER_LEAST);
}

static void keep_alive(const struct socket_options *o, struct braid_conn *c)
{
    int64_t idle = 0;
    braid_conn_set_option(c, BRAID_OPT_KEEPALIVE, -1);
    braid_conn_get_option(c, BRAID_OPT_KEEPALIVE, &idle);
    bool own = o->keepalive_idle > 0 && (idle == 0 || o->keepalive_idle <= idle);
    braid_conn_set_option(c, BRAID_OPT_KEEPALIVE_STEP, own ? o->keepalive_step : -1);
    braid_conn_set_option(c, BRAID_OPT_KEEPALIVE_PROBES, own ? (int64_t)o->keepalive_probes : -1);
    if (own)
        braid_conn_set_option(c, BRAID_OPT_KEEPALIVE, o->keepalive_idle);
}

void socket_options_apply(const struct socket_options *o, struct braid_conn *c, struct profile_use *use,
                          braid_time now)
{
    if (!o->told)
        return;
    keep_alive(o, c);
    braid_conn_set_option(c, BRAID_OPT_USER_TIMEOUT, o->user_timeout > 0 ? o->user_timeout : -1);
    braid_conn_set_option(c, BRAID_OPT_SNDBUF, -1);
    bound(c, BRAID_OPT_SNDBUF, o->sndbuf);
    bound(c, BRAID_OPT_RCVBUF, o->rcvbuf);
    if (o->cc)
        braid_conn_set_cc(c, o->cc, now);
    if (o->nodelay && !profile_knows_writer(use))
        profile_writes_at_once(use);
}
