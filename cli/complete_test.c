/* SPDX-License-Identifier: Apache-2.0
 *
 * What can follow, against the real models and canned live objects.
 */
#include "complete.h"

#include <string.h>

#include "rest.h"
#include "test_schema.h"
#include "tokens.h"

/* Answers of a pretended server: what a target begins with, and the JSON. */
static const struct {
    const char *target;
    const char *json;
} answers[] = {
    {REST_CANDIDATE "/vgw:port?", "{\"vgw:port\": [{\"name\": \"uplink\", \"description\": \"to "
                                  "the core\"}, {\"name\": \"hosts\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric?", "{\"vgw:vfabric\": [{\"name\": \"acme\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric=acme/network?",
     "{\"vgw:network\": [{\"name\": \"web\"}, {\"name\": \"db\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric=acme/network=web/attachment?",
     "{\"vgw:attachment\": [{\"name\": \"host1\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric=acme/vrouter?", "{\"vgw:vrouter\": [{\"name\": \"core\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric=acme/vrouter=core/vtep?", "{\"vgw:vtep\": [{\"name\": \"v1\"}]}"},
    {REST_CANDIDATE "/vgw:vfabric=acme/vrouter=core/interface=lo/address",
     "{\"vgw:address\": [\"10.0.0.1/32\"]}"},
    {REST_OPERATIONAL "/vgw:state/mac?limit=500&where=vfabric%3Dacme&fields=network",
     "{\"vgw:mac\": [{\"network\": \"web\"}, {\"network\": \"web\"}, {\"network\": \"db\"}]}"},
    {REST_OPERATIONAL "/vgw:state/drop",
     "{\"vgw:drop\": [{\"reason\": \"runt\", \"description\": \"too short\"}]}"},
};

static json_t *fetch(void *arg, const char *target)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (!strncmp(target, answers[i].target, strlen(answers[i].target)))
            return json_loads(answers[i].json, 0, NULL);
    return NULL;
}

static void complete_text(struct completion *completion, const char *line)
{
    struct tokens tokens;
    char *words[32];

    tokens_split(&tokens, line, strlen(line));
    memcpy(words, tokens.word, (size_t)tokens.count * sizeof(*words));
    if (!tokens.in_word)
        words[tokens.count] = (char *)(uintptr_t) "";
    complete_words(completion, &test_schema, tokens.count + !tokens.in_word, words, fetch, NULL);
    tokens_free(&tokens);
}

/* That exactly these, parted by blanks, can follow. */
static void check(const char *line, const char *expected)
{
    struct completion completion;
    struct text got = {0};

    complete_text(&completion, line);
    for (size_t i = 0; i < completion.count; i++)
        text_printf(&got, "%s%s", i ? " " : "", completion.item[i].word);
    assert_string_equal(text_get(&got), expected);
    text_free(&got);
    completion_free(&completion);
}

/* That a word is among what can follow, with that help. */
static void check_help(const char *line, const char *word, const char *help)
{
    struct completion completion;
    bool found = false;

    complete_text(&completion, line);
    for (size_t i = 0; i < completion.count; i++)
        if (!strcmp(completion.item[i].word, word)) {
            assert_string_equal(completion.item[i].help, help);
            found = true;
        }
    assert_true(found);
    completion_free(&completion);
}

static void check_hint(const char *line, const char *part)
{
    struct completion completion;

    complete_text(&completion, line);
    if (!strstr(text_get(&completion.hint), part))
        fail_msg("\"%s\" does not say \"%s\"", text_get(&completion.hint), part);
    completion_free(&completion);
}

static void commands_by_their_first_letters(void **state)
{
    check("co", "compare commit confirm");
    check("clear ", "macs bindings neighbours counters");
    check("clear n", "neighbours");
    check("xyz", "");
    check("xyz ", "");
}

static void arguments_that_are_not_given_yet(void **state)
{
    check("commit ", "comment confirm");
    check("commit comment \"why not\" ", "confirm");
    check("commit comment ", "");
    check_hint("commit confirm ", "minutes");
    check("import file ", "merge replace");
}

static void files_are_left_to_the_shell(void **state)
{
    struct completion completion;

    complete_text(&completion, "import ");
    assert_true(completion.files);
    completion_free(&completion);
}

static void what_to_show(void **state)
{
    check("show m", "macs memory");
    check("show co", "config commits");
    check("watch show po", "ports");
    check("show macs vf", "vfabric");
    check("show macs type ", "learned static");
    check("show macs vfabric acme network ", "web db");
    check("show ports --", "--json --wide");
}

static void nodes_of_the_models(void **state)
{
    check("set ", "port vfabric");
    check("set port uplink m", "mtu mac");
    check_help("set port uplink ", "mtu",
               "Largest payload of an Ethernet frame, tags not counted, in bytes");
    check("set vfabric acme ", "id description network vrouter");
    check("set port uplink mtu 9000 ma", "mac");
}

static void levels_above_follow_in_set_only(void **state)
{
    check("set vfabric acme network web attachment host1 at", "attachment");
    check("delete vfabric acme network web attachment host1 at", "");
}

static void values_of_types(void **state)
{
    check("set port uplink enabled ", "true false");
    check("set port uplink driver af", "af-xdp af-packet");
    check_hint("set port uplink mtu ", "mtu: 68..9216 - Largest payload");
    check("set vfabric acme vrouter core vtep v1 dscp ", "inherit");
}

static void live_entries(void **state)
{
    check("set port ", "uplink hosts");
    check_help("set port ", "uplink", "to the core");
    check("delete vfabric acme network ", "web db");
    check("show config vfabric acme network w", "web");
    check_hint("set port ", "port: the port's name");
}

static void references_lead_to_live_entries(void **state)
{
    check("set vfabric acme network web attachment host1 port ", "uplink hosts");
    check("set vfabric acme vrouter core vtep v1 vni 5 network ", "web db");
    check("set vfabric acme network web static-mac 02:00:00:00:00:01 attachment ", "host1");
    check("set vfabric acme network web static-mac 02:00:00:00:00:01 vrouter core vtep ", "v1");
}

static void values_to_delete(void **state)
{
    check("delete vfabric acme vrouter core interface lo address ", "10.0.0.1/32");
}

static void flags_of_show_config(void **state)
{
    check("show config ", "port vfabric candidate running");
    check("show config candidate ", "port vfabric");
    check("show config port uplink --", "--set --json");
}

static void objects_in_one_word(void **state)
{
    check("clear macs network ", "acme/");
    check("clear macs network acme/", "acme/web acme/db");
    check("clear macs attachment acme/web/", "acme/web/host1");
    check("ping acme/c", "acme/core");
    check("trace port ", "uplink hosts");
    check("trace drop ", "any runt");
}

static void help_completes_commands(void **state)
{
    check("help comm", "commit");
    check("help clear c", "counters");
}

static void wrong_words_are_told(void **state)
{
    check_hint("set prot ", "there is no \"prot\"");
    check_hint("set port uplink mtu 1 ", "68..9216");
}

static void what_candidates_have_in_common(void **state)
{
    struct completion completion;
    struct text common = {0};

    complete_text(&completion, "com");
    completion_common(&completion, &common);
    assert_string_equal(text_get(&common), "com");
    completion_free(&completion);
    text_cut(&common, 0);
    complete_text(&completion, "comm");
    completion_common(&completion, &common);
    assert_string_equal(text_get(&common), "commit");
    completion_free(&completion);
    text_free(&common);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_by_their_first_letters),
        cmocka_unit_test(arguments_that_are_not_given_yet),
        cmocka_unit_test(files_are_left_to_the_shell),
        cmocka_unit_test(what_to_show),
        cmocka_unit_test(nodes_of_the_models),
        cmocka_unit_test(levels_above_follow_in_set_only),
        cmocka_unit_test(values_of_types),
        cmocka_unit_test(live_entries),
        cmocka_unit_test(references_lead_to_live_entries),
        cmocka_unit_test(values_to_delete),
        cmocka_unit_test(flags_of_show_config),
        cmocka_unit_test(objects_in_one_word),
        cmocka_unit_test(help_completes_commands),
        cmocka_unit_test(wrong_words_are_told),
        cmocka_unit_test(what_candidates_have_in_common),
    };

    return cmocka_run_group_tests(tests, load_schema, unload_schema);
}
