/* Why connections end, in the words of the log (farewell.h). */
#include "role/farewell.h"

const char *farewell_word(enum farewell_reason why)
{
    static const char *const words[] = {
#define X(id, word) [FAREWELL_##id] = word,
        FAREWELL_REASONS(X)
#undef X
    };
    return words[why];
}

enum farewell_reason farewell_of_close(enum braid_close why)
{
    static const enum farewell_reason reasons[] = {
        [BRAID_CLOSE_DONE] = FAREWELL_CLOSED,
        [BRAID_CLOSE_RESET] = FAREWELL_CLIENT_RESET,
        [BRAID_CLOSE_TIMEOUT] = FAREWELL_CLIENT_TIMEOUT,
        [BRAID_CLOSE_REFUSED] = FAREWELL_NO_HANDSHAKE,
        [BRAID_CLOSE_UNREACHABLE] = FAREWELL_CLIENT_TIMEOUT,
        [BRAID_CLOSE_PROTOCOL] = FAREWELL_PROTOCOL,
        [BRAID_CLOSE_RESOURCES] = FAREWELL_MEMORY,
        [BRAID_CLOSE_ABORTED] = FAREWELL_KILLED,
        [BRAID_CLOSE_FATE] = FAREWELL_FATE,
    };
    return reasons[why];
}

enum farewell_reason farewell_of_far_close(enum braid_close why)
{
    switch (why) {
    case BRAID_CLOSE_RESET:
        return FAREWELL_SERVER_RESET;
    case BRAID_CLOSE_TIMEOUT:
        return FAREWELL_SERVER_TIMEOUT;
    case BRAID_CLOSE_REFUSED:
        return FAREWELL_SERVER_REFUSED;
    case BRAID_CLOSE_UNREACHABLE:
        return FAREWELL_UNREACHABLE;
    default:
        return farewell_of_close(why);
    }
}
