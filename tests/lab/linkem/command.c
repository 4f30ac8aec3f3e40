/* Commands to a running link. */
#include "linkem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int stats(const struct lane *l, const char *name, char *out, size_t size)
{
    const struct model_count *c = &l->model.count;
    int n = snprintf(out, size,
                     "%s sent %" PRIu64 " delivered %" PRIu64 " bytes %" PRIu64 " late %" PRIu64
                     " doubled %" PRIu64 " refused %" PRIu64 " too_big %" PRIu64 " rate %" PRIu64
                     " queue %" PRIu64 " flying %u waited_us %" PRIu64,
                     name, c->sent, c->delivered, c->bytes, c->late, c->doubled, l->refused, l->too_big,
                     link_mean_rate(&l->model.p), model_waiting(&l->model, now_ns()), model_flying(&l->model),
                     c->waited / 1000);

    for (unsigned i = 0; i < MODEL_DROPS; i++)
        n += snprintf(out + n, size - (size_t)n, " %s %" PRIu64, model_drop_names[i], c->drops[i]);
    return n + snprintf(out + n, size - (size_t)n, "\n");
}

static void set(struct linkem *l, const char *arguments, char *answer, size_t size)
{
    const char *blank = strchr(arguments, ' ');
    char key[LAB_NAME], error[LAB_ERROR];
    struct lab_path path = l->path;

    if (!blank || blank - arguments >= LAB_NAME) {
        snprintf(answer, size, "error: expected set KEY VALUE\n");
        return;
    }
    snprintf(key, sizeof(key), "%.*s", (int)(blank - arguments), arguments);
    /* A schedule counts from the beginning of the link. */
    if (strstr(key, "schedule"))
        snprintf(error, sizeof(error), "%s: expected down and up while the link runs", key);
    else if (lab_path_set(&path, key, blank + 1, error) == 0 && lab_path_check(&path, error) == 0) {
        l->path = path;
        l->down.model.p = path.down;
        l->up.model.p = path.up;
        snprintf(answer, size, "ok\n");
        return;
    }
    snprintf(answer, size, "error: %.*s\n", (int)size - 16, error);
}

void command_run(struct linkem *l, const char *command, char *answer, size_t size)
{
    if (strncmp(command, "set ", 4) == 0) {
        set(l, command + 4, answer, size);
        return;
    }
    *answer = '\0';
    if (strcmp(command, "down") == 0 || strcmp(command, "up") == 0)
        l->down.model.down = l->up.model.down = command[0] == 'd';
    else if (strcmp(command, "quit") == 0)
        l->quit = true;
    else if (strcmp(command, "stats") == 0) {
        int n = stats(&l->down, "down", answer, size);

        stats(&l->up, "up", answer + n, size - (size_t)n);
    } else {
        snprintf(answer, size, "error: expected set KEY VALUE, down, up, stats or quit\n");
        return;
    }
    strncat(answer, "ok\n", size - strlen(answer) - 1);
}
