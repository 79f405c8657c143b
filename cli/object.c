/* SPDX-License-Identifier: Apache-2.0
 *
 * acme/web to vfabric acme, network web.
 */
#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "rest.h"

static const struct {
    const char *kind;
    const char *lists[OBJECT_PARTS];
} kinds[] = {
    {"port", {"port"}},
    {"vfabric", {"vfabric"}},
    {"network", {"vfabric", "network"}},
    {"attachment", {"vfabric", "network", "attachment"}},
    {"vrouter", {"vfabric", "vrouter"}},
    {"vtep", {"vfabric", "vrouter", "vtep"}},
};

int object_lists(const char *kind, const char *lists[OBJECT_PARTS])
{
    int count = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) != 0)
            continue;
        while (count < OBJECT_PARTS && kinds[i].lists[count]) {
            lists[count] = kinds[i].lists[count];
            count++;
        }
    }
    return count;
}

void object_free(char *part[OBJECT_PARTS])
{
    for (int i = 0; i < OBJECT_PARTS; i++)
        free(part[i]);
}

/* The only vfabric's name; NULL when there are more, or none. */
static char *only_vfabric(struct cli *cli, int *rc)
{
    json_t *data = NULL;
    const json_t *list;
    char *name = NULL;

    *rc = rest_get(cli, REST_RUNNING "/vgw:vfabric?limit=2&fields=name", &data, NULL);
    list = json_object_get(data, "vgw:vfabric");
    if (json_array_size(list) == 1)
        name = copy_string(json_string_value(json_object_get(json_array_get(list, 0), "name")));
    json_decref(data);
    return name;
}

int object_parse(struct cli *cli, const char *kind, const char *word, char *part[OBJECT_PARTS])
{
    const char *lists[OBJECT_PARTS];
    int wanted = object_lists(kind, lists), given = 1, first, rc = CLI_OK;
    struct text form = {0};

    memset(part, 0, OBJECT_PARTS * sizeof(*part));
    for (const char *slash = word; (slash = strchr(slash, '/')); slash++)
        given++;
    first = wanted - given;
    if (first == 1)
        part[0] = only_vfabric(cli, &rc);
    if (rc)
        return rc;
    if (first < 0 || first > 1 || (first == 1 && !part[0])) {
        for (int i = 0; i < wanted; i++)
            text_printf(&form, "%s%s", i ? "/" : "", lists[i]);
        for (char *c = form.s; c && *c; c++)
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        rc = cli_error(cli, CLI_USAGE, "which %s is \"%s\"? Give it as %s", kind, word,
                       text_get(&form));
        text_free(&form);
        return rc;
    }
    for (int i = first; i < wanted; i++) {
        size_t length = strcspn(word, "/");

        part[i] = strndup(word, length);
        word += length + (word[length] == '/');
    }
    return CLI_OK;
}
