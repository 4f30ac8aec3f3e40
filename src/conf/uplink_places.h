/* Internal to src/conf: the places of uplinks, which are their inner addresses and so ends of connections. */
#ifndef BRAID_CONF_UPLINK_PLACES_H
#define BRAID_CONF_UPLINK_PLACES_H

#include "conf/parser.h"

/* Gives each uplink the place that it has in p->before. One that is new gets a place that nobody has had, or,
 * if there is none, that of one that is gone; one that the file has no more stays as gone. */
void uplink_places_keep(struct parser *p);

#endif
