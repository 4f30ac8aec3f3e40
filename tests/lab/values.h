/* Numbers with units, as scenario files and linkem's commands have them. */
#ifndef LAB_VALUES_H
#define LAB_VALUES_H

#include <braid/types.h>

/* Each returns false if text is not such a value as a whole; *out is then unchanged. */
bool lab_rate(const char *text,
              uint64_t *out); /* "20mbit", "2.5gbit", "500kbit": bytes per second, above 0 */
bool lab_time(const char *text, braid_time *out);    /* "15ms", "1.5s", "200us" */
bool lab_size(const char *text, uint64_t *out);      /* "64KB" (of 1,024), "1.5MB", "1500B", above 0 */
bool lab_probability(const char *text, double *out); /* "1%", "0.01" */

#endif
