/* A program on the machine of a CPE (cpe_world.h, whose device it is): what it wishes, and what it asks. */
#ifndef BRAID_TESTS_CPE_PROGRAM_H
#define BRAID_TESTS_CPE_PROGRAM_H

#include "cpe_world.h"
#include "role/app_serve.h"
#include "role/wishes.h"

#define SERVER "198.51.100.80:80"
#define OWN    "10.200.0.254:1" /* the TUN's */

static const struct braid_ip outer[] = {{{[10] = 0xff, 0xff, 10, 0, 0, 2}},
                                        {{[10] = 0xff, 0xff, 10, 0, 1, 2}},
                                        {{[10] = 0xff, 0xff, 10, 0, 2, 2}}};

static inline void setup(void)
{
    world_begin();
    for (unsigned i = 0; i < 3; i++)
        world.uplinks.all[i].ways[UPLINK_V4].outer = outer[i];
    make_cpe();
    world.node->wishes = wishes_new();
}

static inline void teardown(void)
{
    world_end();
}

/* Has the device ask from this address, with a wish if there is one, and runs until data went both ways. */
static inline void ask_from(const struct braid_ip *source, const struct wish *w, enum braid_clients clients)
{
    serve(SERVER, clients);
    world.other = (struct braid_addr){.ip = *source, .port = 1};
    device_connects(SERVER);
    struct wish_news n = {.client = {.ip = ip_from_v4((const uint8_t[4]){0}), .port = world.other.port},
                          .meant = at(SERVER)};
    if (w) {
        n.wish = *w;
        wishes_add(world.node->wishes, &n, world.now);
    }
    run_for(BRAID_SECOND, NULL);
    if (world.device.established) {
        say(&world.device, "hello");
        run_for(BRAID_SECOND, NULL);
        expect_got(&world.server, "hello");
    }
}

static inline void ask(const struct wish *w)
{
    struct braid_addr own = at(OWN);
    ask_from(&own.ip, w, BRAID_CLIENTS_ANY);
}

static inline struct app_message answer_to(struct app_question q)
{
    struct app_message answer;
    q.local = world.other;
    q.remote = at(SERVER);
    ck_assert(app_serve(world.node, &q, &answer));
    ck_assert_int_eq(answer.kind, APP_ANSWER);
    return answer;
}

#endif
