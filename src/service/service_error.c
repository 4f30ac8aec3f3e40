/* See service_error.h. */
#include "service/service_error.h"
#include <stdarg.h>
#include <stdio.h>

int service_fail(char error[SERVICE_ERROR], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, SERVICE_ERROR, format, args);
    va_end(args);
    return -1;
}
