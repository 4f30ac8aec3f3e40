/* Feeds the messages of programs (src/app/message.c) with arbitrary bytes. Whatever parses has its lists
 * within their bounds, and comes back the same after being written and parsed again. */
#include <stdlib.h>
#include <string.h>
#include "app/message.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct app_message m, again;
    uint8_t out[APP_MESSAGE_MAX], twice[APP_MESSAGE_MAX];
    uint8_t *bytes = malloc(len ? len : 1); /* used to its very end, which ASan guards */
    if (!bytes)
        return 0;
    memcpy(bytes, data, len);
    if (app_parse(bytes, len, &m) == 0) {
        MUST(m.kind > 0 && m.kind < APP_KINDS && m.option < APP_OPTIONS);
        MUST(m.add.n <= APP_ADDRS_MAX && m.remove.n <= APP_ADDRS_MAX && m.n_pairs <= APP_PAIRS_MAX);
        MUST(m.n_figures <= m.n_pairs && m.n_tcp <= m.n_pairs);
        MUST(memchr(m.profile, '\0', sizeof(m.profile)));
        size_t n = app_write(&m, out);
        MUST(n <= sizeof(out) && app_parse(out, n, &again) == 0);
        MUST(app_write(&again, twice) == n && memcmp(out, twice, n) == 0);
    }
    free(bytes);
    return 0;
}
