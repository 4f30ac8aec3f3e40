/* What braidrun --stats shows at the end: one line for each subflow of each connection, written when its
 * socket is closed or the program ends (report.c). */
#ifndef BRAID_SOCKET_REPORT_H
#define BRAID_SOCKET_REPORT_H

/* The program has asked for a connection by this descriptor. */
void report_watch(int fd);
/* The descriptor is about to be closed. */
void report_close(int fd);

#endif
