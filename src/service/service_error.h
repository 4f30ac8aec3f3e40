/* Why something of the service does not work, in one line: for the log, the terminal or braidctl. */
#ifndef BRAID_SERVICE_SERVICE_ERROR_H
#define BRAID_SERVICE_SERVICE_ERROR_H

#define SERVICE_ERROR 512 /* bytes of such a message */

/* Writes the message, cut off where it is too long. Returns -1, for whoever returns that in turn. */
__attribute__((format(printf, 2, 3))) int service_fail(char error[SERVICE_ERROR], const char *format, ...);

#endif
