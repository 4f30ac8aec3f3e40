/* What the next core needs (ledger_note.c). Private to src/core. */
#ifndef BRAID_CORE_LEDGER_NOTE_H
#define BRAID_CORE_LEDGER_NOTE_H

#include "core/inside.h"

/* Brings the entries of a connection's subflows up to date; at each flush. */
void core_ledger_note(struct braid_core *core, const struct braid_conn *c);
/* The subflow is gone: should this core end, nobody has to be told. */
void core_ledger_remove(struct braid_core *core, struct mp_subflow *s);

#endif
