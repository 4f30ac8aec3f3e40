/* A terminal as a screen that is drawn again and again, and as keys, by the escape codes that all of them
 * know (ECMA-48).
 */
#ifndef BRAID_CTL_SCREEN_H
#define BRAID_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum {
    SCREEN_NOTHING = -1, /* no key was pressed, or the window has another size */
    SCREEN_OVER = -2,    /* the terminal is gone, or a signal ends us */
    SCREEN_ENTER = '\r',
    SCREEN_ESCAPE = 27,
    SCREEN_ERASE = 127,
    SCREEN_INTERRUPT = 3
};

struct screen {
    int in, out; /* descriptors, which stay the caller's */
    struct termios before;
    unsigned char keys[64];
    unsigned n_keys, taken;
};

/* Another page than that of the shell, without a cursor; keys come one by one, and signals by keys are keys.
 * -1 with errno: these are no terminal. Of one screen at a time SIGINT, SIGTERM, SIGHUP and SIGWINCH are
 * heard. */
int screen_open(struct screen *s, int in, int out);
/* All is as it was before. */
void screen_close(struct screen *s);
/* The window's; 24 and 80 where it does not say. */
void screen_size(const struct screen *s, unsigned *rows, unsigned *columns);
/* The next key, a byte, waited for so many milliseconds at most; or SCREEN_NOTHING or SCREEN_OVER. Keys that
 * send more than a byte are left out, but for those of UTF-8. */
int screen_key(struct screen *s, int wait_ms);
/* Shows the lines of text, the first one reversed, as far as there is room. Control characters are left out.
 * False: the terminal is gone, or memory is short. */
bool screen_draw(struct screen *s, const char *text);
/* How many bytes of line, which ends at '\n' or NUL, take up to so many columns: a character of UTF-8 takes
 * one. */
size_t screen_fit(const char *line, unsigned columns);

#endif
