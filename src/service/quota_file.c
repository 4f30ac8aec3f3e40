/* See quota_file.h. */
#include "service/quota_file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD           "braid quotas 1\n" /* another number with another layout */
#define LINE_MAX_BYTES 64u                /* a name, a number, a blank and a newline; or the last line */
#define FILE_MAX       (QUOTA_FILE_PATHS * LINE_MAX_BYTES)

__attribute__((format(printf, 2, 3))) static int fail(char error[QUOTA_FILE_ERROR], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, QUOTA_FILE_ERROR, format, args);
    va_end(args);
    return -1;
}

/* FNV-1a: against tearing, not against people, who could as well write the right one. */
static uint64_t sum_of(const char *text, size_t len)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (uint8_t)text[i]) * 0x100000001b3u;
    return sum;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* The whole file as text, which the caller frees. NULL: there is none if *missing, or error says why. */
static char *slurp(const char *path, bool *missing, char error[QUOTA_FILE_ERROR])
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    *missing = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        fail(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = calloc(1, FILE_MAX + 1);
    ssize_t n = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)FILE_MAX && text)
        n = read(fd, text, FILE_MAX);
    close(fd);
    if (n >= 0 && strlen(text) == (size_t)n)
        return text;
    free(text);
    fail(error, "%s is not a file of what paths have carried", path);
    return NULL;
}

/* "name 123" without its newline. */
static bool take_line(char *line, struct quota_entry *to)
{
    static const char digits[] = "0123456789";
    char *number = strchr(line, ' ');
    if (!number || number == line || number - line >= QUOTA_FILE_NAME)
        return false;
    *number++ = '\0';
    errno = 0;
    to->bytes = strtoull(number, NULL, 10);
    if (!*number || strspn(number, digits) != strlen(number) || errno)
        return false;
    strcpy(to->name, line);
    return true;
}

/* What is between the head and the last line. -1: it is torn. */
static int take_lines(char *text, struct quota_entry *v)
{
    char *at = text + strlen(HEAD), *end = strstr(text, "\nend "), expected[LINE_MAX_BYTES];
    int n = 0;
    if (strncmp(text, HEAD, strlen(HEAD)) != 0 || !end)
        return -1;
    end++;
    snprintf(expected, sizeof(expected), "end %016" PRIx64 "\n", sum_of(text, (size_t)(end - text)));
    if (strcmp(end, expected) != 0)
        return -1;
    *end = '\0';
    for (char *line; n < QUOTA_FILE_PATHS && at < end && (line = strsep(&at, "\n")) != NULL; n++)
        if (!take_line(line, &v[n]))
            return -1;
    return n;
}

int quota_file_read(const char *path, struct quota_entry **out, char error[QUOTA_FILE_ERROR])
{
    bool missing;
    *out = NULL;
    char *text = slurp(path, &missing, error);
    if (!text)
        return missing ? 0 : -1;
    *out = calloc(QUOTA_FILE_PATHS, sizeof(**out));
    int n = *out ? take_lines(text, *out) : fail(error, "%s: memory is short", path);
    free(text);
    if (n >= 0)
        return n;
    if (*out)
        fail(error, "%s is torn, or not a file of what paths have carried", path);
    free(*out);
    *out = NULL;
    return -1;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* The caller frees it. NULL: memory is short. */
static char *make_text(const struct quota_entry *v, size_t n)
{
    char *text = malloc(strlen(HEAD) + (n + 1) * LINE_MAX_BYTES + 1);
    if (!text)
        return NULL;
    size_t used = (size_t)sprintf(text, HEAD);
    for (size_t i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "%s %" PRIu64 "\n", v[i].name, v[i].bytes);
    sprintf(text + used, "end %016" PRIx64 "\n", sum_of(text, used));
    return text;
}

static bool write_all(int fd, const char *text)
{
    for (size_t len = strlen(text); len > 0;) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* The name in its directory has to reach the disk, too. */
static bool sync_directory(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

int quota_file_write(const char *path, const struct quota_entry *v, size_t n, char error[QUOTA_FILE_ERROR])
{
    char new[PATH_MAX];
    snprintf(new, sizeof(new), "%s.new", path);
    char *text = make_text(v, n);
    unlink(new); /* of one that did not get so far */
    int fd = text ? open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    bool done = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    free(text);
    if (done && rename(new, path) == 0 && sync_directory(path))
        return 0;
    return fail(error, "%s: %s", path, strerror(done ? errno : why));
}
