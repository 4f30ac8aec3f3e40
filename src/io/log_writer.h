/* Lines on their way to stderr. Whoever reads them may be slow, or stuck: nobody but the writer's own thread
 * waits for that. */
#ifndef BRAID_IO_LOG_WRITER_H
#define BRAID_IO_LOG_WRITER_H

#include <stddef.h>

#define LOG_LINE    1024  /* bytes of a line, its newline included */
#define LOG_RING    16384 /* bytes of lines that a thread may have waiting; a power of two */
#define LOG_THREADS 80    /* that may have lines waiting */

/* A line that ends with a newline, of at most LOG_LINE bytes. Without a writer it is written here and now.
 * Never waits otherwise: a line that finds no room is lost, and counted. From any thread. */
void log_writer_put(const char *line, size_t len);

/* Makes the line that says how many were lost, in its place. Returns its length. log.c has it. */
size_t log_lost_line(char line[LOG_LINE], unsigned lost);

#endif
