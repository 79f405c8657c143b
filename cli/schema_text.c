/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user reads about a node of the models: one line of help, and which values are right.
 */
#include <inttypes.h>
#include <string.h>

#include "schema.h"

#define HELP_MAX 90 /* characters of a help line */

/* Types that the IETF modules describe in terms too long for a line. */
static const struct {
    const char *name;
    const char *text;
} type_texts[] = {
    {"ip-address", "an IPv4 or IPv6 address"},
    {"ip-address-no-zone", "an IPv4 or IPv6 address"},
    {"ip-prefix", "an IPv4 or IPv6 prefix, as 192.0.2.0/24"},
    {"port-number", "0..65535"},
    {"date-and-time", "a date and time, as 2026-01-31T12:00:00Z"},
    {"mac-address", "a MAC address, as 02:00:00:00:00:01"},
    {"interface-address", "an address and its prefix length, as 192.0.2.1/24"},
    {"name", "a name: letters, digits and _ . : + -, not beginning with one of the last four"},
};

/* The first sentence of a description, blanks folded. */
static void first_sentence(struct text *text, const char *description)
{
    size_t start = text->length;
    bool blank = false;

    for (const char *c = description; *c; c++) {
        if (strchr(" \t\r\n", *c)) {
            blank = true;
            continue;
        }
        if (blank && text->length > start)
            text_puts(text, " ");
        blank = false;
        if (*c == '.' && (!c[1] || strchr(" \n", c[1])))
            return;
        text_add(text, c, 1);
    }
}

void schema_help(struct text *text, const struct lysc_node *node)
{
    size_t start = text->length;

    if (node->dsc)
        first_sentence(text, node->dsc);
    if (text->length - start > HELP_MAX) {
        text_cut(text, start + HELP_MAX);
        text_puts(text, "...");
    }
    const char *units = node->nodetype & (LYS_LEAF | LYS_LEAFLIST)
                            ? ((const struct lysc_node_leaf *)node)->units
                            : NULL;
    if (units)
        text_printf(text, "%s(%s)", text->length > start ? " " : "", units);
}

static void range_text(struct text *text, const struct lysc_type_num *number)
{
    static const struct {
        LY_DATA_TYPE type;
        const char *text;
    } whole[] = {
        {LY_TYPE_UINT8, "0..255"},         {LY_TYPE_UINT16, "0..65535"},
        {LY_TYPE_UINT32, "0..4294967295"}, {LY_TYPE_UINT64, "a number"},
        {LY_TYPE_INT8, "-128..127"},       {LY_TYPE_INT16, "-32768..32767"},
        {LY_TYPE_INT32, "a number"},       {LY_TYPE_INT64, "a number"},
    };
    const struct lysc_range_part *parts = number->range ? number->range->parts : NULL;
    LY_ARRAY_COUNT_TYPE i;

    for (i = 0; i < LY_ARRAY_COUNT(parts); i++) {
        text_puts(text, i ? " or " : "");
        if (parts[i].min_64 == parts[i].max_64)
            text_printf(text, "%" PRId64, parts[i].min_64);
        else
            text_printf(text, "%" PRId64 "..%" PRId64, parts[i].min_64, parts[i].max_64);
    }
    if (parts)
        return;
    for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        if (whole[i].type == number->basetype)
            text_puts(text, whole[i].text);
}

struct listing {
    struct text *text;
    int count;
};

static void add_value(const char *value, const char *help, void *arg)
{
    struct listing *listing = arg;

    text_printf(listing->text, "%s%s", listing->count++ ? " | " : "", value);
}

static void type_values(const struct lysc_type *type,
                        void (*each)(const char *value, const char *help, void *arg), void *arg)
{
    LY_ARRAY_COUNT_TYPE i;

    if (type->basetype == LY_TYPE_ENUM) {
        const struct lysc_type_bitenum_item *enums = ((const struct lysc_type_enum *)type)->enums;
        for (i = 0; i < LY_ARRAY_COUNT(enums); i++)
            each(enums[i].name, enums[i].dsc ? enums[i].dsc : "", arg);
    } else if (type->basetype == LY_TYPE_BOOL) {
        each("true", "", arg);
        each("false", "", arg);
    } else if (type->basetype == LY_TYPE_IDENT) {
        struct lysc_ident **bases = ((const struct lysc_type_identityref *)type)->bases;
        for (i = 0; i < LY_ARRAY_COUNT(bases[0]->derived); i++)
            each(bases[0]->derived[i]->name,
                 bases[0]->derived[i]->dsc ? bases[0]->derived[i]->dsc : "", arg);
    } else if (type->basetype == LY_TYPE_UNION) {
        struct lysc_type **types = ((const struct lysc_type_union *)type)->types;
        for (i = 0; i < LY_ARRAY_COUNT(types); i++)
            type_values(types[i], each, arg);
    } else if (type->basetype == LY_TYPE_LEAFREF) {
        type_values(((const struct lysc_type_leafref *)type)->realtype, each, arg);
    }
}

void schema_values(const struct lysc_node *leaf,
                   void (*each)(const char *value, const char *help, void *arg), void *arg)
{
    type_values(((const struct lysc_node_leaf *)leaf)->type, each, arg);
}

/* The type's name in the model, without its module's prefix. */
static const char *type_name(const struct lysc_node *leaf)
{
    const struct lysp_node *parsed = leaf->priv;
    const char *name = "", *colon;

    if (parsed && parsed->nodetype == LYS_LEAF)
        name = ((const struct lysp_node_leaf *)parsed)->type.name;
    else if (parsed && parsed->nodetype == LYS_LEAFLIST)
        name = ((const struct lysp_node_leaflist *)parsed)->type.name;
    colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void type_expected(struct text *text, const struct lysc_type *type)
{
    struct listing listing = {.text = text};

    switch (type->basetype) {
    case LY_TYPE_UNION: {
        struct lysc_type **types = ((const struct lysc_type_union *)type)->types;
        LY_ARRAY_COUNT_TYPE i;

        for (i = 0; i < LY_ARRAY_COUNT(types); i++) {
            text_puts(text, i ? " or " : "");
            type_expected(text, types[i]);
        }
        break;
    }
    case LY_TYPE_UINT8:
    case LY_TYPE_UINT16:
    case LY_TYPE_UINT32:
    case LY_TYPE_UINT64:
    case LY_TYPE_INT8:
    case LY_TYPE_INT16:
    case LY_TYPE_INT32:
    case LY_TYPE_INT64:
        range_text(text, (const struct lysc_type_num *)type);
        break;
    case LY_TYPE_EMPTY:
        text_puts(text, "no value");
        break;
    default:
        type_values(type, add_value, &listing);
        if (!listing.count)
            text_puts(text, "a text");
    }
}

void schema_expected(struct text *text, const struct lysc_node *leaf)
{
    const struct lysc_type *type = ((const struct lysc_node_leaf *)leaf)->type;
    const struct lysc_node *parent = schema_parent(leaf);
    const char *name = type_name(leaf);

    if (type->basetype == LY_TYPE_LEAFREF) {
        text_printf(text, "the name of %s %s", strchr("aeiou", leaf->name[0]) ? "an" : "a",
                    leaf->name);
        return;
    }
    for (size_t i = 0; i < sizeof(type_texts) / sizeof(type_texts[0]); i++) {
        if (strcmp(name, type_texts[i].name))
            continue;
        if (!strcmp(name, "name") && parent && lysc_is_key(leaf))
            text_printf(text, "the %s's ", parent->name);
        text_puts(text, type_texts[i].text + (!strcmp(name, "name") && lysc_is_key(leaf) ? 2 : 0));
        return;
    }
    if (type->basetype == LY_TYPE_STRING && leaf->dsc &&
        ((const struct lysc_type_str *)type)->patterns)
        first_sentence(text, leaf->dsc);
    else
        type_expected(text, type);
}
