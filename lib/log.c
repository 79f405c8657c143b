/* SPDX-License-Identifier: Apache-2.0
 * See log.h. The prefix form is that of sd-daemon(3). */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic int level_max = LOG_INFO;
static _Atomic bool to_journal;

void log_init(int level)
{
    level_max = level;
    to_journal = getenv("JOURNAL_STREAM") != NULL;
}

bool log_enabled(int level)
{
    return level <= atomic_load_explicit(&level_max, memory_order_relaxed);
}

static int write_prefix(char *line, size_t size, int level)
{
    static const char *const names[] = {"emergency", "alert",  "critical", "error",
                                        "warning",   "notice", "info",     "debug"};

    return to_journal ? snprintf(line, size, "<%d>", level & 7)
                      : snprintf(line, size, "%s: ", names[level & 7]);
}

void log_write(int level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;
    int prefix = write_prefix(line, sizeof(line), level), saved_errno = errno;
    int text;
    size_t length;

    va_start(arguments, format);
    text = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, format, arguments);
    va_end(arguments);
    length = (size_t)prefix + (text > 0 ? (size_t)text : 0);
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    /* A message is one line: what a peer sent must not begin another. */
    for (size_t i = (size_t)prefix; i < length; i++) {
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    }
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0) {
        /* nowhere left to say so */
    }
    errno = saved_errno;
}

bool log_allowed_at(struct log_limit *limit, uint64_t now_s)
{
    uint64_t start_s = limit->start_s;

    if (limit->count == 0 || now_s >= start_s + limit->interval_s) {
        if (atomic_compare_exchange_strong(&limit->start_s, &start_s, now_s)) {
            uint32_t count = atomic_exchange(&limit->count, 0);

            if (count > limit->burst)
                log_warning("%u similar messages were held back", count - limit->burst);
        }
    }
    return atomic_fetch_add(&limit->count, 1) < limit->burst;
}

bool log_allowed(struct log_limit *limit)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return log_allowed_at(limit, (uint64_t)now.tv_sec);
}
