/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs to stderr, one line a message: with journald's <N> priority prefix when stderr goes to the
 * journal (JOURNAL_STREAM is set, see systemd.exec(5)), plain "level: text" otherwise. Allocates
 * nothing; any thread may log, a line is written whole. Not for workers' packet loops.
 *
 *     log_notice("port %s: link up", name);
 *
 *     static struct log_limit limit = LOG_LIMIT(10, 5);   10 messages in 5 s, then silence
 *     if (log_allowed(&limit)) log_warning(...);
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_LINE_MAX 1024 /* bytes of a line; the rest is cut */

/* Messages less urgent than `level` (LOG_ERR .. LOG_DEBUG) are not written. Default: LOG_INFO. */
void log_init(int level);
bool log_enabled(int level);
void log_write(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_at(level, ...) (log_enabled(level) ? log_write(level, __VA_ARGS__) : (void)0)
#define log_error(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

struct log_limit {
    uint32_t burst;      /* messages ... */
    uint32_t interval_s; /* ... in so many seconds */
    _Atomic uint64_t start_s;
    _Atomic uint32_t count;
};
#define LOG_LIMIT(burst_, interval_s_)                                                             \
    {                                                                                              \
        .burst = (burst_), .interval_s = (interval_s_)                                             \
    }

/* Whether this message is within the limit. When messages were held back in the interval before, a
 * line says how many. */
bool log_allowed(struct log_limit *limit);
bool log_allowed_at(struct log_limit *limit, uint64_t now_s);

#endif
