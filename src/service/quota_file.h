/* The file in which it stands what paths have carried, so that their quotas outlive the daemon: text, a line
 * for each path, and a last line by which a torn file is known. */
#ifndef BRAID_SERVICE_QUOTA_FILE_H
#define BRAID_SERVICE_QUOTA_FILE_H

#include <stddef.h>
#include <stdint.h>

#define QUOTA_FILE_ERROR 512 /* bytes of an error message */
#define QUOTA_FILE_NAME  33  /* bytes of a path's name, the NUL included */
#define QUOTA_FILE_PATHS 4096

struct quota_entry {
    char name[QUOTA_FILE_NAME];
    uint64_t bytes;
};

/* Reads it; the caller frees *out. How many there are, 0 if there is no file; or -1 and one line in error: it
 * is torn or another thing, or cannot be read. */
int quota_file_read(const char *path, struct quota_entry **out, char error[QUOTA_FILE_ERROR]);
/* Puts another one in its place, which is there as a whole or not at all, whenever the machine stops. 0, or
 * -1 and one line in error. Waits for the disk. */
int quota_file_write(const char *path, const struct quota_entry *v, size_t n, char error[QUOTA_FILE_ERROR]);

#endif
