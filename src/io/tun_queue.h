/* Packets through one queue of the TUN, super-packets of up to 64 KiB with a virtio header. */
#ifndef BRAID_IO_TUN_QUEUE_H
#define BRAID_IO_TUN_QUEUE_H

#include <sys/types.h>
#include <braid/core.h>

#define TUN_VNET_BYTES 12                       /* virtio header in front of each packet */
#define TUN_BUFFER     (TUN_VNET_BYTES + 65535) /* bytes that hold any packet with its header */

/* Reads a packet into buf (TUN_BUFFER bytes), its IP header at TUN_VNET_BYTES. Returns the length of the IP
 * packet, 0 if it has to be ignored, -1 with errno if there was none. */
ssize_t tun_read(int fd, uint8_t *buf, struct braid_input *in);
/* Writes a packet. 0, or -1 with errno. */
int tun_write(int fd, const struct braid_packet *p);

#endif
