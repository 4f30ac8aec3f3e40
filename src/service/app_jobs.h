/* Requests of programs, carried out (app_jobs.c). */
#ifndef BRAID_SERVICE_APP_JOBS_H
#define BRAID_SERVICE_APP_JOBS_H

#include "app/message.h"
#include "io/mailbox.h"
#include "service/app_socket.h"
#include "service/service_params.h"
#include "service/workers.h"

/* What they need to know. */
struct app_scene {
    const struct service_params *params;
    const struct workers *workers;
    const struct uplinks *uplinks; /* as they are at any time; NULL: there are none */
    struct mailbox *main;          /* of the main loop */
};

struct app_job;
struct watch;

/* In the main thread: what the program is told, but for the number. */
typedef void app_answered(void *arg, const struct app_message *answer);

/* Of a program of this user, about this socket; watch: of a request to be told of events (role/watches.h): it
 * is told some before the answer comes, or none at all if that is an error. NULL: that was all, and *answer
 * is filled in. Else workers are asked: answered(arg, ...) follows, and the job is gone then. */
struct app_job *app_job_begin(const struct app_scene *scene, const struct app_message *request,
                              const struct app_socket *socket, uint32_t user, struct watch *watch,
                              app_answered *answered, void *arg, struct app_message *answer);
/* Nobody waits for it any more; it frees itself when the workers have done with it. */
void app_job_forget(struct app_job *job);

#endif
