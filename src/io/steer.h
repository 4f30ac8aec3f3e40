/* The numbers that deploy/braid-steer and the daemon share, and what the daemon does with them itself. */
#ifndef BRAID_IO_STEER_H
#define BRAID_IO_STEER_H

#define STEER_MASK 0xff0000u
#define STEER_MARK 0x1e0000u /* of packets that go into the TUN, and of connections that began so */

/* The way back to sockets with a client's address: a mark, and the table of a route that makes all local. */
#define RETURN_MARK  0x1f0000u
#define RETURN_TABLE 8685

/* Of packets that stay the kernel's whatever is steered. */
#define EXEMPT_MARK 0x1b0000u

/* A kernel socket of the daemon's own, not yet connected: what it sends is not to come back through the TUN
 * if connections of this machine are steered. Without the privilege nothing happens; errno is left alone. */
void steer_exempt(int fd);
/* A program's socket, not yet connected: its connection is to come through the TUN, although it is bound to
 * an address and so would be left to the kernel. Other bits of its mark stay. -1 with errno. */
int steer_into(int fd);

#endif
