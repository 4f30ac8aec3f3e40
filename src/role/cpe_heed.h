/* What the packets of a device show of the options of its socket (RFC 6897 section 4.4), and what a CPE does
 * about it for the connection over the uplinks (cpe_heed.c): without a word of the program's, and so for
 * devices of the LAN as well. Of connections that come by way of a socket only the SYN is seen. */
#ifndef BRAID_ROLE_CPE_HEED_H
#define BRAID_ROLE_CPE_HEED_H

#include <braid/types.h>

struct braid_conn;
struct braid_connect_params;
struct carried;

/* Of its SYN; 0: nothing is known, or it is not to be heeded. */
struct cpe_shown {
    uint32_t window;
    uint16_t max_segment;
    uint8_t traffic_class;
};

/* Its SYN is here, and is not answered yet: takes notes, for what follows. */
void cpe_heed_syn(struct carried *cd);
/* The wish is known, and with it perhaps what packets do not show. Takes buffers that are smaller than is
 * worth several paths for the wish not to use MPTCP (section 4.4.3), unless the program has said that it
 * wants it. */
void cpe_heed_wish(struct carried *cd);
/* For what it is carried by, ... */
void cpe_heed_connect(struct carried *cd, struct braid_connect_params *connect);
/* ... and that is there now. */
void cpe_heed_opened(struct carried *cd, struct braid_conn *wan);
/* Bytes of the device have come: what it has changed since, and how it writes. */
void cpe_heed_bytes(struct carried *cd);

#endif
