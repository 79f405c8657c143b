/* SPDX-License-Identifier: Apache-2.0
 *
 * Set lines collected into one RFC 7951 JSON document, to be sent as one plain patch (RFC 8040,
 * section 4.6.1): all of it takes effect, or nothing. Lines that touch the same entry share its
 * object; the index finds it again by its path, so that the cost of a line does not depend on those
 * before it.
 */
#include <errno.h>
#include <string.h>

#include "words.h"

void edit_start(struct edit *edit)
{
    edit->data = json_object();
    edit->index = json_object();
}

void edit_end(struct edit *edit)
{
    json_decref(edit->data);
    json_decref(edit->index);
    *edit = (struct edit){0};
}

/* The array of that name in `parent`, made when it is not there. */
static json_t *array_in(json_t *parent, const char *member)
{
    json_t *array = json_object_get(parent, member);

    if (!array) {
        array = json_array();
        json_object_set_new(parent, member, array);
    }
    return array;
}

/* The object of the container or list entry that the walk has just entered, in `parent`. */
static json_t *entered(struct edit *edit, const struct walk *walk, json_t *parent)
{
    json_t *object = json_object_get(edit->index, text_get(&walk->path));
    struct text member = {0};

    if (object)
        return object;
    schema_member(&member, walk->node);
    object = json_object();
    if (walk->node->nodetype == LYS_LIST) {
        for (unsigned int i = 0; i < walk->key_count; i++) {
            const struct lysc_node *key = schema_key(walk->node, i);
            struct text unused = {0};

            json_object_set_new(object, key->name,
                                schema_value(walk->schema, key, walk->key[i], &unused));
            text_free(&unused);
        }
        json_array_append_new(array_in(parent, text_get(&member)), object);
    } else {
        json_object_set_new(parent, text_get(&member), object);
    }
    json_object_set(edit->index, text_get(&walk->path), object);
    text_free(&member);
    return object;
}

static void set_value(const struct walk *walk, json_t *object)
{
    struct text member = {0};

    schema_member(&member, walk->node);
    if (walk->node->nodetype == LYS_LEAFLIST) {
        json_t *array = array_in(object, text_get(&member));
        bool there = false;

        for (size_t i = 0; i < json_array_size(array); i++)
            there = there || json_equal(json_array_get(array, i), walk->value);
        if (!there)
            json_array_append(array, walk->value);
    } else {
        json_object_set(object, text_get(&member), walk->value);
    }
    text_free(&member);
}

/* Says what is missing when the words end too early. */
static int check_end(const struct walk *walk, int count, struct text *error)
{
    const struct lysc_node *missing = walk->node;

    if (!count) {
        text_puts(error, "set what? A path and values have to follow");
        return -EINVAL;
    }
    if (walk->expect == WALK_CHILD)
        return 0;
    if (walk->expect == WALK_KEY)
        missing = schema_key(walk->node, walk->key_count);
    if (missing != walk->node)
        text_printf(error, "%s needs its %s: ", walk->node->name, missing->name);
    else
        text_printf(error, "%s needs a value: ", missing->name);
    schema_expected(error, missing);
    return -EINVAL;
}

int edit_set(struct edit *edit, const struct schema *schema, int count, char *const *words,
             struct text *error, int *at)
{
    json_t *object[WALK_LEVELS] = {edit->data};
    struct walk walk;
    int rc = -EINVAL;

    walk_start(&walk, schema, WALK_SET);
    for (*at = 0; *at < count; ++*at) {
        enum walk_step step = walk_word(&walk, words[*at], error);

        if (step == STEP_NONE)
            goto out;
        if (step == STEP_ENTERED)
            object[walk.depth] = entered(edit, &walk, object[walk.depth - 1]);
        else if (step == STEP_VALUE)
            set_value(&walk, object[walk.depth]);
    }
    rc = check_end(&walk, count, error);
out:
    walk_end(&walk);
    return rc;
}
