/* Files that hold secrets: nobody but their owner, and a group that may read them, has access to them. */
#ifndef BRAID_IO_SECRET_FILE_H
#define BRAID_IO_SECRET_FILE_H

#include <stddef.h>

#define SECRET_FILE_ERROR 256
#define SECRET_FILE_MAX   65536 /* bytes */

/* The whole file and a NUL behind it, for secret_file_free; *len is without the NUL. NULL: it cannot be read,
 * is too long, or others could know or change what is in it; error holds what is wrong and what would be
 * right, without the path. */
char *secret_file_read(const char *path, size_t *len, char error[SECRET_FILE_ERROR]);
/* Forgets what was read. NULL is allowed. */
void secret_file_free(char *text, size_t len);

#endif
