/* Numbers with units. */
#include "values.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

/* A decimal number, without sign or exponent, and one of the units behind it. */
static bool with_unit(const char *text, const struct unit *units, unsigned n, double *out)
{
    size_t len = strspn(text, "0123456789.");
    char *end;
    double value;

    if (len == 0 || !isdigit((unsigned char)text[0]))
        return false;
    value = strtod(text, &end);
    if (end != text + len)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (strcmp(end, units[i].name) == 0) {
            *out = value * units[i].factor;
            return true;
        }
    return false;
}

/* A whole number of the smallest unit, at least min and at most 2^53, which a double holds exactly. */
static bool whole(const char *text, const struct unit *units, unsigned n, uint64_t min, uint64_t *out)
{
    double value;

    if (!with_unit(text, units, n, &value))
        return false;
    value = round(value);
    if (value < (double)min || value > 9007199254740992.0)
        return false;
    *out = (uint64_t)value;
    return true;
}

bool lab_rate(const char *text, uint64_t *out)
{
    static const struct unit units[] = {{"kbit", 125}, {"mbit", 125e3}, {"gbit", 125e6}};

    return whole(text, units, 3, 1, out);
}

bool lab_time(const char *text, braid_time *out)
{
    static const struct unit units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
    uint64_t us;

    if (!whole(text, units, 3, 0, &us))
        return false;
    *out = (braid_time)us;
    return true;
}

bool lab_size(const char *text, uint64_t *out)
{
    static const struct unit units[] = {{"B", 1}, {"KB", 1024}, {"MB", 1048576}};

    return whole(text, units, 3, 1, out);
}

bool lab_probability(const char *text, double *out)
{
    static const struct unit units[] = {{"%", 0.01}, {"", 1}};
    double value;

    if (!with_unit(text, units, 2, &value) || value > 1)
        return false;
    *out = value;
    return true;
}
