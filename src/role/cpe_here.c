/* See cpe_here.h. Asked anew each time: addresses come and go. */
#include "role/cpe_here.h"
#include "io/rtnetlink.h"
#include "role/cpe_state.h"

bool cpe_is_here(struct cpes *cs, const struct braid_ip *ip)
{
    if (!cs->netlink)
        cs->netlink = rtnetlink_open();
    return cs->netlink && rtnetlink_is_local(cs->netlink, ip);
}
