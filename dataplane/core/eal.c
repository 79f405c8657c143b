/* SPDX-License-Identifier: Apache-2.0
 *
 * DPDK's environment from the bootstrap file. Several instances run on one machine: nothing of an
 * instance is shared or left behind in the file system. No device is taken over at start; ports
 * bring their own when they are configured.
 */
#include "core/start.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 24
#define HUGE_PAGES_DIR "/sys/kernel/mm/hugepages"
#define OTHER_MIB 64 /* beside packets: rings, flooding's copies, queues of ports */

static bool huge_pages;

struct arguments {
    int count;
    char *values[ARGUMENTS_MAX + 1];
};

__attribute__((format(printf, 2, 3))) static void add(struct arguments *a, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (a->count == ARGUMENTS_MAX || vasprintf(&a->values[a->count], format, list) < 0)
        abort();
    a->count++;
    va_end(list);
}

/* MiB of huge pages that nobody uses. */
static uint64_t huge_pages_free_mib(void)
{
    DIR *dir = opendir(HUGE_PAGES_DIR);
    struct dirent *entry;
    uint64_t sum = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        char path[sizeof(HUGE_PAGES_DIR) + 256 + 32];
        uint64_t kib, pages;
        FILE *file;

        if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &kib) != 1)
            continue;
        snprintf(path, sizeof(path), HUGE_PAGES_DIR "/%s/free_hugepages", entry->d_name);
        file = fopen(path, "re");
        if (file == NULL)
            continue;
        if (fscanf(file, "%" SCNu64, &pages) == 1)
            sum += pages * kib / 1024;
        fclose(file);
    }
    closedir(dir);
    return sum;
}

static int huge_pages_choose(const struct conf *conf)
{
    uint64_t free_mib = huge_pages_free_mib();

    if (conf->huge_pages == CONF_HUGE_PAGES_OFF)
        return 0;
    if (free_mib >= conf->memory_mib) {
        huge_pages = true;
        return 0;
    }
    if (conf->huge_pages == CONF_HUGE_PAGES_AUTO) {
        if (free_mib != 0)
            log_notice("%" PRIu64 " MiB of huge pages are free, %u are wanted: using small pages",
                       free_mib, conf->memory_mib);
        return 0;
    }
    log_error("huge-pages = on, but of %u MiB only %" PRIu64 " are free: see vm.nr_hugepages, or "
              "set memory or huge-pages in the configuration",
              conf->memory_mib, free_mib);
    return -ENOMEM;
}

/* lcore 0 is main's, 1 .. the workers'. An unbound main thread may run on any CPU it has now. */
static void add_lcores(struct arguments *a, const struct conf *conf, bool threads)
{
    char text[4096];
    size_t at = 0;
    cpu_set_t set;
    const char *comma = "";

    sched_getaffinity(0, sizeof(set), &set);
    at += (size_t)snprintf(text + at, sizeof(text) - at, "0@(");
    for (int cpu = 0; cpu < CPU_SETSIZE && at < sizeof(text) - 16; cpu++) {
        if (conf->main_core >= 0 ? cpu != conf->main_core : !CPU_ISSET(cpu, &set))
            continue;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%d", comma, cpu);
        comma = ",";
    }
    at += (size_t)snprintf(text + at, sizeof(text) - at, ")");
    for (unsigned int i = 0; threads && i < conf->core_count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, ",%u@%u", i + 1, conf->cores[i]);
    add(a, "--lcores=%s", text);
    add(a, "--main-lcore=0");
}

int eal_start(const struct conf *conf, bool threads)
{
    static struct arguments a, passed; /* EAL keeps pointers to the texts, and reorders its own */
    int rc = huge_pages_choose(conf);

    if (rc < 0)
        return rc;
    add(&a, "vgw-dataplane");
    add_lcores(&a, conf, threads);
    /* EAL's memory grows when it is in huge pages. Small ones it reserves once, and the kernel
     * gives them when they are touched. */
    add(&a, "-m%u", conf->memory_mib + (huge_pages ? 0 : OTHER_MIB));
    if (huge_pages) {
        add(&a, "--in-memory");
        add(&a, "--single-file-segments"); /* what zero-copy memif asks for */
    } else {
        add(&a, "--no-huge");
        add(&a, "--no-shconf");
    }
    add(&a, "--file-prefix=vgw"); /* names a directory that stays empty, for all instances alike */
    add(&a, "--no-telemetry");
    /* Of PCI nothing but this: the host bridge, which no driver takes. So a port's device can be
     * probed later, which --no-pci would forbid. */
    add(&a, "--allow=0000:00:00.0");
    add(&a, "--log-level=*:%s", conf->log_level >= LOG_DEBUG ? "notice" : "error");
    passed = a;
    rc = rte_eal_init(passed.count, passed.values);
    if (rc < 0) {
        rc = -rte_errno;
        log_error("DPDK's environment cannot start: %s", rte_strerror(rte_errno));
    }
    return rc < 0 ? rc : 0;
}

bool eal_has_huge_pages(void)
{
    return huge_pages;
}

void eal_stop(void)
{
    rte_eal_cleanup();
}
