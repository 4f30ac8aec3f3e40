/* Feeds the parser of HTTP request heads with arbitrary lines, as a client of the admin port may, and has the
 * guard judge what comes of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "admin/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* In memory of its own, so that the address sanitizer sees every step too far. */
static int take_line(struct request *r, const uint8_t *data, size_t len)
{
    char *line = malloc(len + 1);
    if (!line)
        abort();
    memcpy(line, data, len);
    line[len] = '\0';
    int code = request_take_line(r, line, len);
    free(line);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct request r = {0};
    int code = 0;
    for (size_t at = 0; code == 0 && at < len;) {
        const uint8_t *end = memchr(data + at, '\n', len - at);
        size_t n = end ? (size_t)(end - data) - at : len - at;
        code = take_line(&r, data + at, n > 0 && data[at + n - 1] == '\r' ? n - 1 : n);
        at += n + 1;
    }
    if (code != 0 && code != 200 && code != 400 && code != 505)
        abort();
    if (strlen(r.path) >= REQUEST_PATH || strlen(r.host) >= REQUEST_HOST || (code == 200 && !r.begun))
        abort();
    static const struct admin_params nobody;
    char name[REQUEST_HOST];
    request_host_name(&r, name);
    if (strlen(name) >= REQUEST_HOST || strlen(r.origin) >= sizeof(r.origin) ||
        strlen(r.token) >= REQUEST_TOKEN || guard_token(&nobody, &r))
        abort();
    guard_place(&nobody, &r);
    return 0;
}
