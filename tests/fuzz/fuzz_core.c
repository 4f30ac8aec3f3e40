/* Drives a live core with a script (core_script.c). In the end it must let go of everything. */
#include "core_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz z;

    play(&z, data, len);
    end(&z);
    return 0;
}
