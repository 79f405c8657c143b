/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request's target asks for: RFC 8040 section 3 (resources), 3.5.3 (data resource
 * identifiers), 4.8 (query parameters), RFC 8527 section 3.1 (datastore resources).
 *
 * Parsing is bounded and needs no schema: text in, a struct uri without pointers to anything
 * outside it out. Whether the nodes exist is for the data resources to find out.
 */
#ifndef RESTCONF_URI_H
#define RESTCONF_URI_H

#include <stdbool.h>
#include <stddef.h>

#define URI_LENGTH_MAX 4096 /* bytes of a target, its NUL not counted */
#define URI_STEPS_MAX 16
#define URI_KEYS_MAX 8
#define URI_PARAMETERS_MAX 32

enum uri_resource {
    URI_HOST_META,            /* /.well-known/host-meta */
    URI_API,                  /* /restconf */
    URI_YANG_LIBRARY_VERSION, /* /restconf/yang-library-version */
    URI_DATA,                 /* /restconf/data/..., /restconf/ds/ietf-datastores:NAME/... */
    URI_OPERATIONS,           /* /restconf/operations */
    URI_OPERATION,            /* /restconf/operations/vgw:NAME; steps[0] */
    URI_STREAM,               /* /restconf/streams/NAME; steps[0] */
};

enum uri_datastore {
    URI_ALL, /* /restconf/data: running and state together */
    URI_RUNNING,
    URI_CANDIDATE,
    URI_OPERATIONAL,
};

struct uri_step {
    const char *module; /* "" where none is given: that of the step before */
    const char *name;
    bool has_keys; /* "=" was there */
    unsigned int key_count;
    const char *keys[URI_KEYS_MAX]; /* decoded */
};

struct uri_parameter {
    const char *name;
    const char *value; /* "" where none is given */
};

struct uri {
    enum uri_resource resource;
    enum uri_datastore datastore;
    unsigned int step_count;
    struct uri_step steps[URI_STEPS_MAX];
    unsigned int parameter_count;
    struct uri_parameter parameters[URI_PARAMETERS_MAX];
    char path[URI_LENGTH_MAX + 1];  /* the target as received, without its query */
    char text[URI_LENGTH_MAX + 64]; /* what the pointers above point into */
};

/* Parses a request target (path and query, percent-encoded). Returns 0; -ENOENT: no such resource;
 * -EINVAL: malformed; -ENAMETOOLONG. `error` gets a text that lives for ever. */
int uri_parse(struct uri *uri, const char *target, size_t length, const char **error);

/* A copy whose pointers point into itself. */
void uri_copy(struct uri *to, const struct uri *from);

/* The first parameter of a name, or NULL. */
const char *uri_parameter(const struct uri *uri, const char *name);

/* Writes the resource identifier of the first `count` steps: "/vgw:vfabric=acme/network=web", keys
 * percent-encoded; modules of all but the first step are left out where they are the same. Returns
 * its length, or -ENAMETOOLONG. */
int uri_write_path(const struct uri *uri, unsigned int count, char *buffer, size_t size);

/* Percent-encodes a key's value (RFC 3986 unreserved characters and ":" stay). Returns the length,
 * or -ENAMETOOLONG. */
int uri_encode(const char *text, char *buffer, size_t size);

#endif
