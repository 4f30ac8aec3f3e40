/* See said.h. */
#include "socket/said.h"
#include "socket/fail.h"
#include "socket/give.h"
#include <braid/socket.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TCP_MULTIPATH_EXPECT_BYTES - TCP_MULTIPATH_FATE_SHARING == (int)APP_NUMBER_EXPECT_BYTES &&
                   TCP_MULTIPATH_EXPECT_DURATION - TCP_MULTIPATH_FATE_SHARING ==
                       (int)APP_NUMBER_EXPECT_DURATION &&
                   TCP_MULTIPATH_EXPECT_RATE - TCP_MULTIPATH_FATE_SHARING == (int)APP_NUMBER_EXPECT_RATE &&
                   TCP_MULTIPATH_REDUNDANCY - TCP_MULTIPATH_FATE_SHARING == (int)APP_NUMBER_REDUNDANCY &&
                   TCP_MULTIPATH_NUMBER - TCP_MULTIPATH_FATE_SHARING == (int)APP_NUMBER_SUBFLOWS,
               "numbers are in the order of the messages");

enum app_option said_option(int option)
{
    if (option == TCP_MULTIPATH_PATH_MANAGER)
        return APP_PATH_MANAGER;
    bool is_number =
        option >= TCP_MULTIPATH_FATE_SHARING && option < TCP_MULTIPATH_FATE_SHARING + APP_NUMBERS;
    return is_number ? (enum app_option)(APP_FIRST_NUMBER + option - TCP_MULTIPATH_FATE_SHARING) : APP_NONE;
}

static enum app_number number_of(enum app_option option)
{
    return (enum app_number)(option - APP_FIRST_NUMBER);
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* An int will do. */
static int read_number(const void *value, socklen_t len, uint64_t *out)
{
    int small;
    if (len >= sizeof(*out)) {
        memcpy(out, value, sizeof(*out));
        return 0;
    }
    if (len < sizeof(small))
        return fail(EINVAL);
    memcpy(&small, value, sizeof(small));
    *out = (uint64_t)small; /* one below 0 is too large */
    return 0;
}

int said_read(const void *value, socklen_t len, struct app_message *request)
{
    uint64_t number;
    if (request->option == APP_PATH_MANAGER) {
        size_t n = strnlen(value, len);
        if (n == 0 || n > APP_NAME_MAX)
            return fail(EINVAL);
        memcpy(request->path_manager, value, n);
        return 0;
    }
    if (read_number(value, len, &number) < 0)
        return -1;
    if (!app_number_is_valid(number_of(request->option), number))
        return fail(EINVAL);
    app_numbers_say(&request->numbers, number_of(request->option), number);
    return 0;
}

static int write_number(uint64_t number, void *value, socklen_t *len)
{
    int small = number > INT32_MAX ? INT32_MAX : (int)number;
    const void *from = *len < sizeof(number) ? (const void *)&small : &number;
    socklen_t size = *len < sizeof(number) ? sizeof(small) : sizeof(number);
    if (*len < sizeof(small))
        return fail(EINVAL);
    memcpy(value, from, size);
    *len = size;
    return 0;
}

int said_write(const struct app_message *answer, enum app_option option, void *value, socklen_t *len)
{
    uint64_t number;
    if (option == APP_PATH_MANAGER)
        return give_name(answer->path_manager, value, len);
    app_numbers_tell(&answer->numbers, number_of(option), &number);
    return write_number(number, value, len);
}

int said_write_intent(const struct intent *in, enum app_option option, void *value, socklen_t *len)
{
    uint64_t number;
    if (option == APP_PATH_MANAGER)
        return in->path_manager[0] ? give_name(in->path_manager, value, len) : fail(ENOTCONN);
    return app_numbers_tell(&in->numbers, number_of(option), &number) ? write_number(number, value, len)
                                                                      : fail(ENOTCONN);
}

/* ---- before connect ----------------------------------------------------------------------------------- */

void said_note(struct intent *in, const struct app_message *request)
{
    app_numbers_merge(&in->numbers, &request->numbers);
    if (request->path_manager[0])
        memcpy(in->path_manager, request->path_manager, sizeof(in->path_manager));
}

void said_tell(const struct intent *in, struct app_message *request)
{
    request->numbers = in->numbers;
    memcpy(request->path_manager, in->path_manager, sizeof(request->path_manager));
}

/* Digits only: braidrun has seen to it. */
static bool read_digits(const char *text, enum app_number which, struct app_numbers *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || !app_number_is_valid(which, value))
        return false;
    app_numbers_say(out, which, value);
    return true;
}

bool said_of_environment(struct intent *in)
{
    static const char *const names[APP_NUMBERS] = {
        [APP_NUMBER_FATE_SHARING] = "BRAID_FATE_SHARING",
        [APP_NUMBER_EXPECT_BYTES] = "BRAID_EXPECT_BYTES",
        [APP_NUMBER_EXPECT_DURATION] = "BRAID_EXPECT_DURATION",
        [APP_NUMBER_EXPECT_RATE] = "BRAID_EXPECT_RATE",
        [APP_NUMBER_REDUNDANCY] = "BRAID_REDUNDANCY",
        [APP_NUMBER_SUBFLOWS] = "BRAID_NUMBER",
    };
    const char *name = secure_getenv("BRAID_PATH_MANAGER");
    bool any = name;
    in->is_bad |= name && (!name[0] || strlen(name) > APP_NAME_MAX);
    if (name)
        strncpy(in->path_manager, name, APP_NAME_MAX);
    for (unsigned i = 0; i < APP_NUMBERS; i++) {
        const char *text = secure_getenv(names[i]);
        any |= text != NULL;
        in->is_bad |= text && !read_digits(text, i, &in->numbers);
    }
    return any;
}
