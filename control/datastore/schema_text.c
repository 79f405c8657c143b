/* SPDX-License-Identifier: Apache-2.0
 *
 * The models in words for people: what a leaf takes, and defaults.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/datastore/schema.h"

/* Types whose patterns say little to a reader. */
static const struct {
    const char *name;
    const char *words;
} known_types[] = {
    {"name",
     "a name of 1 to 63 letters, digits and _ . : + -, beginning with a letter, digit or _"},
    {"mac-address", "a MAC address in lower case like 02:00:5e:10:00:01"},
    {"ip-address-no-zone", "an IPv4 or IPv6 address"},
    {"ip-prefix", "an IPv4 or IPv6 prefix like 192.0.2.0/24 or 2001:db8::/32"},
    {"interface-address", "an address and its prefix length like 192.0.2.1/24 or 2001:db8::1/64"},
};

static const char *known_type(const struct lysc_node *leaf)
{
    const struct lysp_node *parsed = leaf->priv;
    const char *name, *colon;

    if (!parsed)
        return NULL;
    if (parsed->nodetype == LYS_LEAF)
        name = ((const struct lysp_node_leaf *)parsed)->type.name;
    else if (parsed->nodetype == LYS_LEAFLIST)
        name = ((const struct lysp_node_leaflist *)parsed)->type.name;
    else
        return NULL;
    colon = strchr(name, ':');
    name = colon ? colon + 1 : name;
    for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++)
        if (!strcmp(known_types[i].name, name))
            return known_types[i].words;
    return NULL;
}

static void print_range(FILE *out, const struct lysc_range *range, bool is_signed)
{
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(range->parts, i)
    {
        const struct lysc_range_part *part = &range->parts[i];

        if (i)
            fputs(" or ", out);
        if (part->min_u64 == part->max_u64)
            fprintf(out, is_signed ? "%" PRId64 : "%" PRIu64, part->min_64);
        else if (is_signed)
            fprintf(out, "%" PRId64 " to %" PRId64, part->min_64, part->max_64);
        else
            fprintf(out, "%" PRIu64 " to %" PRIu64, part->min_u64, part->max_u64);
    }
}

static void print_number(FILE *out, const struct lysc_type *type)
{
    const struct lysc_range *range = ((const struct lysc_type_num *)type)->range;
    unsigned bits = 8;

    fputs("a number", out);
    if (range) {
        fputs(" from ", out);
        print_range(out, range, type->basetype >= LY_TYPE_INT8);
        return;
    }
    switch (type->basetype) {
    case LY_TYPE_UINT16:
        bits = 16;
        break;
    case LY_TYPE_UINT32:
        bits = 32;
        break;
    case LY_TYPE_UINT64:
        bits = 64;
        break;
    case LY_TYPE_UINT8:
        break;
    default:
        return;
    }
    fprintf(out, " from 0 to %" PRIu64, bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);
}

static void print_string(FILE *out, const struct lysc_type_str *type)
{
    LY_ARRAY_COUNT_TYPE i;

    fputs("text", out);
    if (type->length) {
        fputs(" of ", out);
        print_range(out, type->length, false);
        fputs(" characters", out);
    }
    LY_ARRAY_FOR(type->patterns, i)
    {
        fprintf(out, "%s%s", i ? " and " : " like the pattern ", type->patterns[i]->expr);
    }
}

static void print_type(FILE *out, const struct lysc_type *type)
{
    LY_ARRAY_COUNT_TYPE i;

    switch (type->basetype) {
    case LY_TYPE_ENUM: {
        const struct lysc_type_enum *e = (const struct lysc_type_enum *)type;

        LY_ARRAY_FOR(e->enums, i)
        {
            fprintf(out, "%s%s", i ? ", " : "one of ", e->enums[i].name);
        }
        break;
    }
    case LY_TYPE_UNION: {
        const struct lysc_type_union *u = (const struct lysc_type_union *)type;

        LY_ARRAY_FOR(u->types, i)
        {
            fputs(i ? ", or " : "", out);
            print_type(out, u->types[i]);
        }
        break;
    }
    case LY_TYPE_STRING:
        print_string(out, (const struct lysc_type_str *)type);
        break;
    case LY_TYPE_BOOL:
        fputs("true or false", out);
        break;
    case LY_TYPE_EMPTY:
        fputs("without a value", out);
        break;
    case LY_TYPE_LEAFREF:
        print_type(out, ((const struct lysc_type_leafref *)type)->realtype);
        break;
    default:
        print_number(out, type);
        break;
    }
}

const char *schema_pattern_words(const struct lysc_node *leaf)
{
    const struct lysc_type *type = ((const struct lysc_node_leaf *)leaf)->type;
    LY_ARRAY_COUNT_TYPE i;
    const char *words = NULL;

    if (!(leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST)) || type->basetype != LY_TYPE_STRING)
        return NULL;
    LY_ARRAY_FOR(((const struct lysc_type_str *)type)->patterns, i)
    {
        const char *emsg = ((const struct lysc_type_str *)type)->patterns[i]->emsg;

        words = emsg ? emsg : words;
    }
    return words;
}

void schema_describe_type(const struct lysc_node *leaf, char *buffer, size_t size)
{
    const char *known = schema_pattern_words(leaf);
    FILE *out;

    if (!known)
        known = known_type(leaf);
    if (known || !(leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST))) {
        snprintf(buffer, size, "%s", known ? known : "a structure");
        return;
    }
    buffer[0] = buffer[size - 1] = '\0';
    out = fmemopen(buffer, size - 1, "w");
    if (!out)
        return;
    print_type(out, ((const struct lysc_node_leaf *)leaf)->type);
    fclose(out);
}

const char *schema_default(const struct schema_kind *kind, const char *name)
{
    const struct lysc_node *node = kind->node;

    while (node && *name) {
        size_t length = strcspn(name, "/");

        node = lys_find_child(node, node->module, name, length, 0, 0);
        name += length;
        name += *name == '/';
    }
    if (!node || node->nodetype != LYS_LEAF || !((const struct lysc_node_leaf *)node)->dflt)
        return NULL;
    return lyd_value_get_canonical(node->module->ctx, ((const struct lysc_node_leaf *)node)->dflt);
}
