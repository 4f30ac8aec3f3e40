/* Receive packet steering: the CPUs on which the kernel receives what comes in by a device, instead of that
 * on which it was sent. */
#ifndef BRAID_IO_RPS_H
#define BRAID_IO_RPS_H

#define RPS_CPUS 256                       /* CPUs, from 0, that can be named */
#define RPS_TEXT (RPS_CPUS / 32 * (8 + 1)) /* bytes of a mask with its NUL */

/* The kernel's notation of a set: groups of 32 CPUs in hexadecimal, the highest first. cpus: bit c % 32 of
 * word c / 32. */
void rps_mask(const unsigned cpus[RPS_CPUS / 32], char mask[RPS_TEXT]);
/* Sets that of one queue; "0": nobody but the sender. 0, or -1 with errno. */
int rps_set(const char *device, unsigned queue, const char *mask);

#endif
