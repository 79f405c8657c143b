/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader of the bootstrap file: lines of `key = value`, `#` begins a comment, blank lines are
 * ignored. A key stands at most once. The table below is the whole language.
 */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define CONF_FILE_MAX 65536 /* bytes */
#define CPU_MAX 1023

struct key {
    const char *name;
    /* Returns NULL, or what would have been right. */
    const char *(*set)(const struct key *key, struct conf *conf, const char *value);
    size_t offset;
    size_t size;      /* of text */
    uint32_t minimum; /* of a number */
    uint32_t maximum; /* of a number */
    const char *expected;
};

static const char *set_text(const struct key *key, struct conf *conf, const char *value)
{
    if (strlen(value) >= key->size)
        return key->expected;
    strcpy((char *)conf + key->offset, value);
    return NULL;
}

static const char *set_path(const struct key *key, struct conf *conf, const char *value)
{
    return value[0] == '/' ? set_text(key, conf, value) : key->expected;
}

static const char *set_netns_prefix(const struct key *key, struct conf *conf, const char *value)
{
    if (value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        return key->expected;
    return set_text(key, conf, value);
}

static const char *set_store(const struct key *key, struct conf *conf, const char *value)
{
    return strncmp(value, "sqlite:/", 8) == 0 ? set_text(key, conf, value) : key->expected;
}

/* Decimal digits alone; 0 or -EINVAL. `end` gets the first character after them. */
static int parse_number(const char *text, uint32_t maximum, uint32_t *number, const char **end)
{
    uint64_t value = 0;
    const char *c = text;

    for (; isdigit((unsigned char)*c); c++) {
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > maximum)
            return -EINVAL;
    }
    if (c == text)
        return -EINVAL;
    *number = (uint32_t)value;
    *end = c;
    return 0;
}

static const char *set_number(const struct key *key, struct conf *conf, const char *value)
{
    uint32_t number;
    const char *end;

    if (parse_number(value, key->maximum, &number, &end) < 0 || *end != '\0' ||
        number < key->minimum)
        return key->expected;
    memcpy((char *)conf + key->offset, &number, sizeof(number));
    return NULL;
}

/* "1,3-5" */
static const char *set_cores(const struct key *key, struct conf *conf, const char *value)
{
    bool seen[CPU_MAX + 1] = {false};
    uint32_t first, last;

    conf->core_count = 0;
    for (const char *c = value;; c++) {
        if (parse_number(c, CPU_MAX, &first, &c) < 0)
            return key->expected;
        last = first;
        if (*c == '-' && parse_number(c + 1, CPU_MAX, &last, &c) < 0)
            return key->expected;
        for (uint32_t cpu = first; cpu <= last; cpu++) {
            if (seen[cpu] || conf->core_count == CONF_CORES_MAX)
                return key->expected;
            seen[cpu] = true;
            conf->cores[conf->core_count++] = (uint16_t)cpu;
        }
        if (last < first)
            return key->expected;
        if (*c == '\0')
            return NULL;
        if (*c != ',')
            return key->expected;
    }
}

static const char *set_huge_pages(const struct key *key, struct conf *conf, const char *value)
{
    static const char *const names[] = {"auto", "on", "off"};

    for (unsigned int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            conf->huge_pages = (enum conf_huge_pages)i;
            return NULL;
        }
    }
    return key->expected;
}

static const char *set_log_level(const struct key *key, struct conf *conf, const char *value)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

    for (int i = 0; i < 5; i++) {
        if (strcmp(value, names[i]) == 0) {
            conf->log_level = LOG_ERR + i;
            return NULL;
        }
    }
    return key->expected;
}

#define TEXT(field) offsetof(struct conf, field), sizeof(((struct conf *)NULL)->field), 0, 0
#define NUMBER(field, minimum, maximum) offsetof(struct conf, field), 0, minimum, maximum

static const struct key keys[] = {
    {"leaf-name", set_text, TEXT(leaf_name), "a name of at most 63 bytes"},
    {"cores", set_cores, TEXT(cores), "cpu numbers as in 1,3-5, each once, at most 64"},
    {"main-core", set_number, NUMBER(main_core, 0, CPU_MAX), "a cpu number of at most 1023"},
    {"memory", set_number, NUMBER(memory_mib, 16, 1048576), "MiB, from 16 to 1048576"},
    {"huge-pages", set_huge_pages, TEXT(huge_pages), "auto, on or off"},
    {"networks-max", set_number, NUMBER(networks_max, 1, 16777216), "a number from 1 to 16777216"},
    {"fdb-size-initial", set_number, NUMBER(fdb_size_initial, 1, 33554432),
     "a number from 1 to 33554432"},
    {"dataplane-socket", set_path, TEXT(dataplane_socket), "an absolute path of at most 107 bytes"},
    {"control-socket", set_path, TEXT(control_socket), "an absolute path of at most 107 bytes"},
    {"store", set_store, TEXT(store), "sqlite: and an absolute path"},
    {"yang-dir", set_path, TEXT(yang_dir), "an absolute path"},
    {"group", set_text, TEXT(group), "the name of a group"},
    {"netns-prefix", set_netns_prefix, TEXT(netns_prefix),
     "at most 31 letters, digits, underscores and hyphens"},
    {"log-level", set_log_level, TEXT(log_level), "error, warning, notice, info or debug"},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static uint16_t last_cpu(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (int cpu = CPU_MAX; cpu >= 0; cpu--) {
            if (CPU_ISSET(cpu, &set))
                return (uint16_t)cpu;
        }
    }
    return 0;
}

void conf_defaults(struct conf *conf)
{
    char host[sizeof(conf->leaf_name)] = "";

    memset(conf, 0, sizeof(*conf));
    if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
        strcpy(host, "leaf");
    strcpy(conf->leaf_name, host);
    conf->cores[0] = last_cpu();
    conf->core_count = 1;
    conf->main_core = -1;
    conf->memory_mib = 256;
    conf->huge_pages = CONF_HUGE_PAGES_AUTO;
    conf->networks_max = 16777216;
    conf->fdb_size_initial = 65536;
    strcpy(conf->dataplane_socket, "/run/vgw/dataplane.sock");
    strcpy(conf->control_socket, "/run/vgw/control.sock");
    strcpy(conf->store, "sqlite:/var/lib/vgw/config.db");
    strcpy(conf->yang_dir, "/usr/share/vgw/yang");
    strcpy(conf->group, "vgw");
    strcpy(conf->netns_prefix, "vgw");
    conf->log_level = LOG_INFO;
}

__attribute__((format(printf, 2, 3))) static int fail(char error[CONF_ERROR_MAX],
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, CONF_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Takes blanks off both ends, in place. */
static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int parse_line(struct conf *conf, const char *name, unsigned int number, char *line,
                      unsigned int lines_of[KEY_COUNT], char error[CONF_ERROR_MAX])
{
    char *comment = strchr(line, '#'), *equals, *key_text, *value;
    const char *expected;

    if (comment != NULL)
        *comment = '\0';
    line = trim(line);
    if (*line == '\0')
        return 0;
    equals = strchr(line, '=');
    if (equals == NULL)
        return fail(error, "%.200s:%u: expected: key = value", name, number);
    *equals = '\0';
    key_text = trim(line);
    value = trim(equals + 1);

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(key_text, keys[i].name) != 0)
            continue;
        if (lines_of[i] != 0)
            return fail(error, "%.200s:%u: %s is already set in line %u", name, number, key_text,
                        lines_of[i]);
        lines_of[i] = number;
        if (*value == '\0')
            return fail(error, "%.200s:%u: %s has no value; expected: %s", name, number, key_text,
                        keys[i].expected);
        expected = keys[i].set(&keys[i], conf, value);
        if (expected != NULL)
            return fail(error, "%.200s:%u: %s: '%.60s' is wrong; expected: %s", name, number,
                        key_text, value, expected);
        return 0;
    }
    return fail(error, "%.200s:%u: there is no key '%.60s'", name, number, key_text);
}

int conf_parse(struct conf *conf, const char *name, const char *text, size_t length,
               char error[CONF_ERROR_MAX])
{
    unsigned int lines_of[KEY_COUNT] = {0}, number = 0;
    const char *end = text + length;
    char line[PATH_MAX + 128];

    conf_defaults(conf);
    error[0] = '\0';
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t size = (size_t)((newline != NULL ? newline : end) - text);
        int rc;

        number++;
        if (size >= sizeof(line))
            return fail(error, "%.200s:%u: the line is too long", name, number);
        if (memchr(text, '\0', size) != NULL)
            return fail(error, "%.200s:%u: the line has a NUL byte", name, number);
        memcpy(line, text, size);
        line[size] = '\0';
        rc = parse_line(conf, name, number, line, lines_of, error);
        if (rc < 0)
            return rc;
        text += size + 1;
    }
    return 0;
}

int conf_read(struct conf *conf, const char *path, char error[CONF_ERROR_MAX])
{
    const char *name = path != NULL ? path : CONF_PATH;
    FILE *file = fopen(name, "re");
    char *text = NULL;
    size_t length;
    int rc;

    if (file == NULL) {
        rc = -errno;
        conf_defaults(conf);
        error[0] = '\0';
        if (rc == -ENOENT && path == NULL)
            return 0;
        snprintf(error, CONF_ERROR_MAX, "%.200s: %s", name, strerror(-rc));
        return rc;
    }
    text = malloc(CONF_FILE_MAX);
    if (text == NULL) {
        rc = -ENOMEM;
        snprintf(error, CONF_ERROR_MAX, "%.200s: out of memory", name);
        goto out;
    }
    length = fread(text, 1, CONF_FILE_MAX, file);
    if (ferror(file)) {
        rc = -EIO;
        snprintf(error, CONF_ERROR_MAX, "%.200s: cannot be read", name);
        goto out;
    }
    rc = length == CONF_FILE_MAX ? fail(error, "%.200s: larger than 64 KiB", name)
                                 : conf_parse(conf, name, text, length, error);
out:
    free(text);
    fclose(file);
    return rc;
}

void conf_netns(const struct conf *conf, const char *vfabric, const char *vrouter,
                char name[CONF_NETNS_MAX])
{
    snprintf(name, CONF_NETNS_MAX, "%s-%s-%s", conf->netns_prefix, vfabric, vrouter);
}
