/* The numbers that deploy/braid-steer and the daemon share. */
#ifndef BRAID_IO_STEER_H
#define BRAID_IO_STEER_H

#define STEER_MASK 0xff0000u
#define STEER_MARK 0x1e0000u /* of packets that go into the TUN, and of connections that began so */

#endif
