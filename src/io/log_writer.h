/* Lines on their way to stderr. Whoever reads them may be slow, or stuck: nobody but the writer's own thread
 * waits for that. */
#ifndef BRAID_IO_LOG_WRITER_H
#define BRAID_IO_LOG_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of lines that a thread may have waiting; a power of two. Some hundred connections may end in one turn
 * of a worker's loop. */
#define LOG_RING    131072
#define LOG_THREADS 80 /* that may have lines waiting */

/* A line that ends with a newline, of at most LOG_LINE bytes. Without a writer it is written here and now.
 * Never waits otherwise: a line that finds no room is lost, and counted. From any thread. */
void log_writer_put(const char *line, size_t len);

/* From here on a thread of its own writes the lines, and nobody else waits for whoever reads them: beyond
 * LOG_RING bytes per thread they are lost, which the log says once it is read again. Until then, lines are
 * written where they come from. 0, or -1: memory is short. */
int log_start(void);
/* Waits until all lines are written, as long as that goes on; then it is as before log_start. If nobody reads
 * them, later ones are lost. The threads that may still speak must have ended. */
void log_stop(void);
/* Waits, a second at most, until what this thread has said is written: before abort(). */
void log_flush(void);
/* Lines that were lost so far. */
uint64_t log_lost(void);

#endif
