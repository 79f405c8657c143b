/* SPDX-License-Identifier: Apache-2.0
 *
 * What main.c measures: tables that hold the same entries, each in its own way. Entry i of a table
 * has a key that is made from i, so that all contenders hold, and are asked for, the same.
 */
#ifndef TABLES_H
#define TABLES_H

#include <stddef.h>
#include <stdint.h>

#define BULK 64 /* lookups of one call */

struct contender {
    void (*fill)(uint32_t entries);
    /* Keys of `count` lookups, in the contender's own shape, made before the clock starts. */
    void (*prepare)(const uint64_t *which, uint32_t count);
    uint64_t (*run)(uint32_t count); /* looks all of them up; a sum of what was found */
    size_t (*bytes)(void);
    void (*empty)(void);
};

/* A key for DPDK's rte_hash, 16 bytes long: it compares those faster than 12. */
struct hash_key {
    uint64_t high;
    uint64_t low;
};

struct subject {
    const char *name;
    uint32_t entries_max;
    struct contender own;
    struct hash_key (*key)(uint64_t i);
};

extern const struct subject subject_fdb, subject_vni, subject_attachment;

/* hash.c: DPDK's rte_hash, of the keys that `key` makes. */
extern const struct contender hash_contender;
void hash_use(struct hash_key (*key)(uint64_t i));

/* Memory for `count` prepared keys; ends the program when there is none. */
void *keys_alloc(uint32_t count, size_t size);

#endif
