/* SPDX-License-Identifier: Apache-2.0
 * Leaves of state entries as RFC 7951 JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "control/state/state_list.h"

void state_set_u64(json_t *entry, const char *leaf, uint64_t value)
{
    json_object_set_new(entry, leaf, json_sprintf("%llu", (unsigned long long)value));
}

void state_set_int(json_t *entry, const char *leaf, json_int_t value)
{
    json_object_set_new(entry, leaf, json_integer(value));
}

void state_set_bool(json_t *entry, const char *leaf, bool value)
{
    json_object_set_new(entry, leaf, json_boolean(value));
}

void state_set_string(json_t *entry, const char *leaf, const char *text)
{
    if (text != NULL)
        state_set_text(entry, leaf, text, strlen(text));
}

void state_set_text(json_t *entry, const char *leaf, const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    json_t *value = json_stringn(text, length);

    if (value == NULL) { /* not UTF-8 */
        char plain[256];

        length = length < sizeof(plain) ? length : sizeof(plain);
        for (size_t i = 0; i < length; i++)
            plain[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
        value = json_stringn(plain, length);
    }
    json_object_set_new(entry, leaf, value);
}

void state_set_mac(json_t *entry, const char *leaf, const uint8_t mac[6])
{
    json_object_set_new(entry, leaf,
                        json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                                     mac[3], mac[4], mac[5]));
}

void state_ip_text(const struct vgw_ip *ip, char text[STATE_IP_TEXT])
{
    text[0] = '\0';
    if (ip->family == 4 || ip->family == 6)
        inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, text, STATE_IP_TEXT);
}

void state_set_ip(json_t *entry, const char *leaf, const struct vgw_ip *ip)
{
    char text[STATE_IP_TEXT];

    state_ip_text(ip, text);
    if (text[0] != '\0')
        json_object_set_new(entry, leaf, json_string(text));
}

void state_set_counters(json_t *entry, const struct vgw_counters *counters)
{
    state_set_u64(entry, "rx-packets", counters->rx_packets);
    state_set_u64(entry, "rx-bytes", counters->rx_bytes);
    state_set_u64(entry, "tx-packets", counters->tx_packets);
    state_set_u64(entry, "tx-bytes", counters->tx_bytes);
}

void state_set_enum(json_t *entry, const char *leaf, const char *const *names, size_t count,
                    unsigned int value)
{
    if (value < count)
        json_object_set_new(entry, leaf, json_string(names[value]));
}

void state_set_time(json_t *entry, const char *leaf, int64_t time_s)
{
    time_t time_t_s = (time_t)time_s;
    struct tm utc;
    char text[32];

    if (gmtime_r(&time_t_s, &utc) == NULL)
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_object_set_new(entry, leaf, json_string(text));
}

bool state_set_keys(json_t *entry, const char *path, const char *const *leaves)
{
    char value[512];

    if (path == NULL)
        return false;
    for (unsigned int n = 0; leaves[n] != NULL; n++) {
        if (state_path_key(path, n, value, sizeof(value)) < 0)
            return false;
        json_object_set_new(entry, leaves[n], json_string(value));
    }
    return true;
}

void state_copy(json_t *entry, const json_t *configured, const char *leaf)
{
    json_t *value = json_object_get(configured, leaf);

    if (value != NULL)
        json_object_set(entry, leaf, value);
}

void state_set_encapsulation(json_t *entry, const json_t *configured)
{
    const char *kind = json_string_value(json_object_get(configured, "encapsulation"));
    json_int_t vlan = json_integer_value(json_object_get(configured, "vlan"));
    json_int_t inner = json_integer_value(json_object_get(configured, "inner-vlan"));
    char text[64];

    if (kind == NULL)
        kind = "untagged";
    if (strcmp(kind, "qinq") == 0)
        snprintf(text, sizeof(text), "qinq %d.%d", (int)vlan, (int)inner);
    else if (vlan != 0)
        snprintf(text, sizeof(text), "%s %d", kind, (int)vlan);
    else
        snprintf(text, sizeof(text), "%s", kind);
    json_object_set_new(entry, "encapsulation", json_string(text));
}
