/* What the log says of uplinks. */
#ifndef BRAID_SERVICE_UPLINK_LOG_H
#define BRAID_SERVICE_UPLINK_LOG_H

#include "service/uplink_plan.h"

/* At the start: what is there, and what is missing altogether. */
void uplink_log_first(const struct uplink_params *u, const struct uplink_state *s);
/* One family of it has changed. */
void uplink_log_change(const struct uplink_params *u, unsigned family, const struct uplink_way *before,
                       const struct uplink_way *now);
/* It has fallen silent in this family, or is not silent any more. */
void uplink_log_silence(const struct uplink *u, unsigned family);

/* Other layers that may move connections have come or gone: MULTIHOMING_... before and now. */
void uplink_log_multihoming(unsigned before, unsigned now);

#endif
