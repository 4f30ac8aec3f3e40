/* Clock and CPU time. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The first line of /proc/stat, all CPUs together: user nice system idle iowait irq softirq steal ... */
static double machine_busy(void)
{
    double user, nice, system, idle, iowait, irq, softirq;
    FILE *file = fopen("/proc/stat", "re");
    if (!file || fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &iowait, &irq,
                        &softirq) != 7)
        die("/proc/stat is not as expected");
    fclose(file);
    return (user + nice + system + irq + softirq) / (double)sysconf(_SC_CLK_TCK);
}

/* The scheduler's own count, in nanoseconds, of all threads. */
static double process_busy(pid_t pid)
{
    char path[300];
    double sum = 0, one;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        die("the proxy, process %d, is gone", (int)pid);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%lf", &one) == 1)
            sum += one / 1e9;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return sum;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double own_busy(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
}

void cpu_sample(const struct load *l, struct cpu *c)
{
    c->machine = machine_busy();
    c->proxy = l->proxy ? process_busy(l->proxy) : 0;
    c->own = own_busy();
}

struct cpu cpu_since(const struct load *l, const struct cpu *then)
{
    struct cpu c;
    cpu_sample(l, &c);
    return (struct cpu){
        .machine = c.machine - then->machine, .proxy = c.proxy - then->proxy, .own = c.own - then->own};
}

void cpu_print(const struct cpu *spent)
{
    printf("\"cpu\": %.3f, \"proxy_cpu\": %.6f, \"own_cpu\": %.6f}\n", spent->machine, spent->proxy,
           spent->own);
}
