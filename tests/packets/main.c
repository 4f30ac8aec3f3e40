/* pkt [-v|-f] SCRIPT...: runs packet scripts; says which fail and why. -v: prints every segment as well. -f:
 * each must fail, with the words that its first line names after "fails: ". */
#include <stdio.h>
#include <string.h>

#include "pkt.h"

/* What the first line asks for: text holds it. */
static const char *wanted_failure(const char *path, char *text, int size)
{
    FILE *f = fopen(path, "r");
    const char *found = f ? fgets(text, size, f) : NULL;

    if (f)
        fclose(f);
    found = found ? strstr(text, "fails: ") : NULL;
    text[strcspn(text, "\r\n")] = '\0';
    return found ? found + strlen("fails: ") : NULL;
}

/* True if it passed, or must fail and failed as it must. */
static bool run(const char *path, bool verbose, bool must_fail, struct result *r)
{
    char line[512];
    const char *wanted = must_fail ? wanted_failure(path, line, sizeof(line)) : NULL;

    script_file(path, verbose, r);
    if (must_fail && wanted && r->failed && strstr(r->complaint, wanted))
        return true;
    if (must_fail)
        printf("%s: should fail with \"%s\"\n", path, wanted ? wanted : "");
    if (r->failed)
        printf("%s\n", r->complaint);
    if (r->failed > 1)
        printf("%s: %u more of its %u variants fail\n", path, r->failed - 1, r->runs);
    return r->failed == 0 && !must_fail;
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0, must_fail = argc > 1 && strcmp(argv[1], "-f") == 0;
    int first = 1 + (verbose || must_fail);
    unsigned runs = 0, bad = 0;
    static struct result r;

    if (argc <= first) {
        fprintf(stderr, "usage: %s [-v|-f] SCRIPT...\n", argv[0]);
        return 2;
    }
    for (int i = first; i < argc; i++) {
        bad += !run(argv[i], verbose, must_fail, &r);
        runs += r.runs;
    }
    printf("%d scripts%s, %u runs, %u scripts %s\n", argc - first, must_fail ? " that must fail" : "", runs,
           bad, must_fail ? "did not" : "failed");
    return bad > 0;
}
