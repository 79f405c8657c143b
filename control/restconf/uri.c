/* SPDX-License-Identifier: Apache-2.0
 * See uri.h. */
#include "control/restconf/uri.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Decoded text goes to uri->text, which is never too small: decoding does not lengthen, and each
 * piece trades its delimiter for a NUL. */
struct parser {
    struct uri *uri;
    size_t used; /* of uri->text */
    const char **error;
};

static int refuse(struct parser *parser, int rc, const char *text)
{
    *parser->error = text;
    return rc;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Well-formed UTF-8 (RFC 3629 section 4). */
static bool is_utf8(const unsigned char *text, size_t length)
{
    size_t i = 0;

    while (i < length) {
        unsigned char c = text[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 3;

        if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || length - i <= more)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((text[i + k] & 0xc0) != 0x80)
                return false;
        }
        if ((c == 0xe0 && text[i + 1] < 0xa0) || (c == 0xed && text[i + 1] > 0x9f) ||
            (c == 0xf0 && text[i + 1] < 0x90) || (c == 0xf4 && text[i + 1] > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

/* Decodes [from, to); `plus` as in a query, where it stands for a blank. */
static int decode(struct parser *parser, const char *from, const char *to, bool plus,
                  const char **decoded)
{
    char *out = parser->uri->text + parser->used;
    size_t length = 0;

    if (parser->used + (size_t)(to - from) + 1 > sizeof(parser->uri->text))
        return refuse(parser, -ENAMETOOLONG, "the URI is too long");
    for (const char *c = from; c < to; c++) {
        int high, low;

        if (*c != '%') {
            out[length++] = plus && *c == '+' ? ' ' : *c;
            continue;
        }
        if (to - c < 3 || (high = hex_digit(c[1])) < 0 || (low = hex_digit(c[2])) < 0)
            return refuse(parser, -EINVAL, "% must be followed by two hexadecimal digits");
        if (high == 0 && low == 0)
            return refuse(parser, -EINVAL, "%00 is not a character of YANG (RFC 7950 9.4)");
        out[length++] = (char)(high << 4 | low);
        c += 2;
    }
    if (!is_utf8((const unsigned char *)out, length))
        return refuse(parser, -EINVAL, "not UTF-8 after percent-decoding");
    out[length] = '\0';
    parser->used += length + 1;
    *decoded = out;
    return 0;
}

static bool is_identifier(const char *text)
{
    if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_'))
        return false;
    for (; *text != '\0'; text++) {
        if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
              (*text >= '0' && *text <= '9') || *text == '_' || *text == '-' || *text == '.'))
            return false;
    }
    return true;
}

static int parse_keys(struct parser *parser, struct uri_step *step, const char *from,
                      const char *to)
{
    step->has_keys = true;
    for (;;) {
        const char *comma = memchr(from, ',', (size_t)(to - from));
        int rc;

        if (step->key_count == URI_KEYS_MAX)
            return refuse(parser, -EINVAL, "more keys than any list has");
        rc = decode(parser, from, comma != NULL ? comma : to, false, &step->keys[step->key_count]);
        if (rc < 0)
            return rc;
        step->key_count++;
        if (comma == NULL)
            return 0;
        from = comma + 1;
    }
}

/* api-identifier [ "=" key-value *( "," key-value ) ] */
static int parse_step(struct parser *parser, const char *from, const char *to)
{
    struct uri *uri = parser->uri;
    struct uri_step *step;
    const char *equals = memchr(from, '=', (size_t)(to - from));
    const char *end = equals != NULL ? equals : to, *colon;
    int rc;

    if (uri->step_count == URI_STEPS_MAX)
        return refuse(parser, -EINVAL, "the path has more steps than any node is deep");
    step = &uri->steps[uri->step_count];
    memset(step, 0, sizeof(*step));
    step->module = "";
    colon = memchr(from, ':', (size_t)(end - from));
    if (colon != NULL) {
        rc = decode(parser, from, colon, false, &step->module);
        if (rc < 0)
            return rc;
        if (!is_identifier(step->module))
            return refuse(parser, -EINVAL, "a module's name is expected before ':'");
        from = colon + 1;
    }
    rc = decode(parser, from, end, false, &step->name);
    if (rc < 0)
        return rc;
    if (!is_identifier(step->name))
        return refuse(parser, -EINVAL, "a node's name is expected between '/' and '/'");
    if (equals != NULL) {
        rc = parse_keys(parser, step, equals + 1, to);
        if (rc < 0)
            return rc;
    }
    uri->step_count++;
    return 0;
}

static int parse_steps(struct parser *parser, const char *from, const char *to)
{
    if (to > from && to[-1] == '/') /* a trailing slash changes nothing */
        to--;
    while (from < to) {
        const char *slash = memchr(from + 1, '/', (size_t)(to - from - 1));
        const char *end = slash != NULL ? slash : to;
        int rc = parse_step(parser, from + 1, end);

        if (rc < 0)
            return rc;
        from = end;
    }
    return 0;
}

static int parse_query(struct parser *parser, const char *from, const char *to)
{
    struct uri *uri = parser->uri;

    while (from < to) {
        const char *ampersand = memchr(from, '&', (size_t)(to - from));
        const char *end = ampersand != NULL ? ampersand : to;
        const char *equals = memchr(from, '=', (size_t)(end - from));
        struct uri_parameter *parameter = &uri->parameters[uri->parameter_count];
        int rc;

        if (end > from) {
            if (uri->parameter_count == URI_PARAMETERS_MAX)
                return refuse(parser, -EINVAL, "too many query parameters");
            parameter->value = "";
            rc = decode(parser, from, equals != NULL ? equals : end, true, &parameter->name);
            if (rc == 0 && equals != NULL)
                rc = decode(parser, equals + 1, end, true, &parameter->value);
            if (rc < 0)
                return rc;
            uri->parameter_count++;
        }
        from = end + 1;
    }
    return 0;
}

/* Whether [*from, to) begins with `prefix` as whole path segments; then steps over it. */
static bool step_over(const char **from, const char *to, const char *prefix)
{
    size_t length = strlen(prefix);

    if ((size_t)(to - *from) < length || memcmp(*from, prefix, length) != 0)
        return false;
    if (*from + length < to && (*from)[length] != '/')
        return false;
    *from += length;
    return true;
}

static bool at_end(const char *from, const char *to)
{
    return from == to || (from + 1 == to && *from == '/');
}

static int parse_one_step(struct parser *parser, enum uri_resource resource, const char *from,
                          const char *to, const char *missing)
{
    int rc = parse_steps(parser, from, to);

    parser->uri->resource = resource;
    if (rc == 0 && (parser->uri->step_count != 1 || parser->uri->steps[0].has_keys))
        return refuse(parser, -ENOENT, missing);
    return rc;
}

static int parse_path(struct parser *parser, const char *from, const char *to)
{
    static const struct {
        const char *prefix;
        enum uri_datastore datastore;
    } datastores[] = {
        {"/data", URI_ALL},
        {"/ds/ietf-datastores:running", URI_RUNNING},
        {"/ds/ietf-datastores:candidate", URI_CANDIDATE},
        {"/ds/ietf-datastores:operational", URI_OPERATIONAL},
    };
    struct uri *uri = parser->uri;

    if (step_over(&from, to, "/.well-known/host-meta") && at_end(from, to)) {
        uri->resource = URI_HOST_META;
        return 0;
    }
    if (!step_over(&from, to, "/restconf"))
        return refuse(parser, -ENOENT, "the API begins at /restconf");
    if (at_end(from, to)) {
        uri->resource = URI_API;
        return 0;
    }
    for (size_t i = 0; i < sizeof(datastores) / sizeof(datastores[0]); i++) {
        if (step_over(&from, to, datastores[i].prefix)) {
            uri->resource = URI_DATA;
            uri->datastore = datastores[i].datastore;
            return parse_steps(parser, from, to);
        }
    }
    if (step_over(&from, to, "/yang-library-version") && at_end(from, to)) {
        uri->resource = URI_YANG_LIBRARY_VERSION;
        return 0;
    }
    if (step_over(&from, to, "/operations")) {
        if (at_end(from, to)) {
            uri->resource = URI_OPERATIONS;
            return 0;
        }
        return parse_one_step(parser, URI_OPERATION, from, to,
                              "an operation is /restconf/operations/vgw:NAME");
    }
    if (step_over(&from, to, "/streams"))
        return parse_one_step(parser, URI_STREAM, from, to,
                              "a stream is /restconf/streams/ trace, capture or events");
    return refuse(parser, -ENOENT,
                  "under /restconf there are data, ds/ietf-datastores:NAME (running, candidate, "
                  "operational), operations, streams and yang-library-version");
}

int uri_parse(struct uri *uri, const char *target, size_t length, const char **error)
{
    struct parser parser = {.uri = uri, .error = error};
    const char *end = target + length, *question;
    int rc;

    uri->resource = URI_API;
    uri->datastore = URI_ALL;
    uri->step_count = 0;
    uri->parameter_count = 0;
    uri->path[0] = '\0';
    if (length > URI_LENGTH_MAX)
        return refuse(&parser, -ENAMETOOLONG, "the URI is too long");
    if (memchr(target, '\0', length) != NULL)
        return refuse(&parser, -EINVAL, "the URI has a NUL byte");
    question = memchr(target, '?', length);
    if (question == NULL)
        question = end;
    memcpy(uri->path, target, (size_t)(question - target));
    uri->path[question - target] = '\0';
    rc = parse_path(&parser, target, question);
    if (rc == 0 && question < end)
        rc = parse_query(&parser, question + 1, end);
    return rc;
}

static const char *move(const char *text, const struct uri *from, struct uri *to)
{
    if (text < from->text || text >= from->text + sizeof(from->text))
        return text; /* "" */
    return to->text + (text - from->text);
}

void uri_copy(struct uri *to, const struct uri *from)
{
    *to = *from;
    for (unsigned int i = 0; i < to->step_count; i++) {
        struct uri_step *step = &to->steps[i];

        step->module = move(step->module, from, to);
        step->name = move(step->name, from, to);
        for (unsigned int k = 0; k < step->key_count; k++)
            step->keys[k] = move(step->keys[k], from, to);
    }
    for (unsigned int i = 0; i < to->parameter_count; i++) {
        to->parameters[i].name = move(to->parameters[i].name, from, to);
        to->parameters[i].value = move(to->parameters[i].value, from, to);
    }
}

const char *uri_parameter(const struct uri *uri, const char *name)
{
    for (unsigned int i = 0; i < uri->parameter_count; i++) {
        if (strcmp(uri->parameters[i].name, name) == 0)
            return uri->parameters[i].value;
    }
    return NULL;
}

int uri_encode(const char *text, char *buffer, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~:", c) != NULL;

        if (length + (plain ? 1 : 3) >= size)
            return -ENAMETOOLONG;
        if (plain) {
            buffer[length++] = (char)c;
        } else {
            buffer[length++] = '%';
            buffer[length++] = digits[c >> 4];
            buffer[length++] = digits[c & 15];
        }
    }
    if (size == 0)
        return -ENAMETOOLONG;
    buffer[length] = '\0';
    return (int)length;
}

/* Appends at *length. */
static int append(char *buffer, size_t size, size_t *length, const char *text)
{
    size_t more = strlen(text);

    if (*length + more >= size)
        return -ENAMETOOLONG;
    memcpy(buffer + *length, text, more + 1);
    *length += more;
    return 0;
}

static int write_step(const struct uri_step *step, const char *module, char *buffer, size_t size,
                      size_t *length)
{
    int rc = append(buffer, size, length, "/");

    if (rc == 0 && step->module[0] != '\0' && strcmp(step->module, module) != 0) {
        rc = append(buffer, size, length, step->module);
        if (rc == 0)
            rc = append(buffer, size, length, ":");
    }
    if (rc == 0)
        rc = append(buffer, size, length, step->name);
    for (unsigned int i = 0; rc == 0 && i < step->key_count; i++) {
        rc = append(buffer, size, length, i == 0 ? "=" : ",");
        if (rc == 0)
            rc = uri_encode(step->keys[i], buffer + *length, size - *length);
        if (rc > 0)
            *length += (size_t)rc;
        rc = rc < 0 ? rc : 0;
    }
    return rc;
}

int uri_write_path(const struct uri *uri, unsigned int count, char *buffer, size_t size)
{
    size_t length = 0;
    const char *module = "";

    if (size == 0)
        return -ENAMETOOLONG;
    buffer[0] = '\0';
    for (unsigned int i = 0; i < count; i++) {
        int rc = write_step(&uri->steps[i], module, buffer, size, &length);

        if (rc < 0)
            return rc;
        if (uri->steps[i].module[0] != '\0')
            module = uri->steps[i].module;
    }
    return (int)length;
}
