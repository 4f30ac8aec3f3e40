/* See uplink_log.h. */
#include <stdio.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/multihoming.h"
#include "role/probe_record.h"
#include "service/uplink_log.h"

static const char *way_text(const struct uplink_way *way, char text[2 * ADDR_TEXT + 8])
{
    char outer[ADDR_TEXT], gateway[ADDR_TEXT];
    if (way->lack != UPLINK_LACKS_NOTHING)
        return uplink_lack_text(way->lack);
    ip_text(&way->outer, outer);
    if (ip_is_unspecified(&way->gateway))
        snprintf(text, 2 * ADDR_TEXT + 8, "%s", outer);
    else
        snprintf(text, 2 * ADDR_TEXT + 8, "%s via %s", outer, ip_text(&way->gateway, gateway));
    return text;
}

void uplink_log_change(const struct uplink_params *u, unsigned f, const struct uplink_way *before,
                       const struct uplink_way *now)
{
    char text[2 * ADDR_TEXT + 8], old[ADDR_TEXT];
    int family = f == UPLINK_V6 ? 6 : 4;
    bool was = before->lack == UPLINK_LACKS_NOTHING, is = now->lack == UPLINK_LACKS_NOTHING;
    way_text(now, text);
    if (is && !was)
        log_notice("uplink %s: IPv%d is up: %s (%s)", u->name, family, text, u->interface);
    else if (is && !ip_equal(&before->outer, &now->outer))
        log_notice("uplink %s: IPv%d has another address: %s, no longer %s (%s)", u->name, family, text,
                   ip_text(&before->outer, old), u->interface);
    else if (is)
        log_notice("uplink %s: IPv%d has another gateway: %s (%s)", u->name, family, text, u->interface);
    else if (was)
        log_warn("uplink %s: IPv%d is down: %s (%s)", u->name, family, uplink_lack_text(now->lack),
                 u->interface);
}

void uplink_log_first(const struct uplink_params *u, const struct uplink_state *s)
{
    static const struct uplink_way nothing = {.lack = UPLINK_LACKS_INTERFACE};
    if (s->ways[UPLINK_V4].lack && s->ways[UPLINK_V6].lack)
        log_warn("uplink %s: cannot be used: %s (%s)", u->name, uplink_lack_text(s->ways[UPLINK_V4].lack),
                 u->interface);
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
        uplink_log_change(u, f, &nothing, &s->ways[f]);
}

void uplink_log_silence(const struct uplink *u, unsigned f)
{
    int family = f == UPLINK_V6 ? 6 : 4;
    if (u->silent[f])
        log_warn("uplink %s: IPv%d is silent: %d probes in a row got no answer (%s)", u->name, family,
                 PROBE_SILENCE, u->interface);
    else
        log_notice("uplink %s: IPv%d is no longer silent (%s)", u->name, family, u->interface);
}

void uplink_log_multihoming(unsigned before, unsigned now)
{
    for (unsigned one = 1; one <= MULTIHOMING_HIP; one <<= 1) {
        if (now & ~before & one)
            log_warn("this machine uses %s, which MPTCP is not to be mixed with (RFC 6897 section 6.3): %s",
                     multihoming_name(one), multihoming_effect(one));
        else if (before & ~now & one)
            log_notice("this machine does not use %s any more", multihoming_name(one));
    }
}
