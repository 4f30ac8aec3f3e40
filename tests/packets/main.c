/* pkt [-v] SCRIPT...: runs packet scripts; says which fail and why. -v: prints every segment as well. */
#include <stdio.h>
#include <string.h>

#include "pkt.h"

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    unsigned scripts = 0, runs = 0, bad = 0;

    if (argc < 2 + verbose) {
        fprintf(stderr, "usage: %s [-v] SCRIPT...\n", argv[0]);
        return 2;
    }
    for (int i = 1 + verbose; i < argc; i++, scripts++) {
        unsigned failed;

        runs += script_file(argv[i], verbose, &failed);
        bad += failed > 0;
    }
    printf("%u scripts, %u runs, %u scripts failed\n", scripts, runs, bad);
    return bad > 0;
}
