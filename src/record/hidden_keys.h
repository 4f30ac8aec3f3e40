/* Keys in packets, which leave this process with what stands for them (braid/tap.h) in their place. */
#ifndef BRAID_RECORD_HIDDEN_KEYS_H
#define BRAID_RECORD_HIDDEN_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* Of the keys in the MPTCP options of a packet with so many bytes of headers, TCP's from `tcp` on: those that
 * are `local` or `remote` (0: not known yet, then any other may be it) are replaced each by its own, all
 * others by 0. tcp of 0: an ICMP error, which is left without what it may quote of options. */
void keys_hide(uint8_t *header, size_t len, size_t tcp, uint64_t local, uint64_t remote);
/* What stands for one. */
uint64_t key_stand_in(uint64_t key, uint64_t local, uint64_t remote);
/* The checksums of TCP and DSS become 0, and so does that of IPv4: of packets whose payload differs they do.
 */
void checksums_hide(uint8_t *header, size_t len, size_t tcp);

#endif
