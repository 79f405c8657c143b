/* SPDX-License-Identifier: Apache-2.0
 *
 * rtnetlink requests, see netlink.h.
 */
#include "kernel/netlink.h"
#include "route/ip.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_ROOM 32768
#define ADDRESSES_SEEN 1024
#define ANSWER_TIMEOUT_S 5 /* the kernel answers within the request; this is against its faults */

struct mnl_socket *netlink_open(const unsigned int *groups)
{
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    if (nl == NULL)
        return NULL;
    if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
        goto err;
    for (; groups != NULL && *groups != 0; groups++)
        if (mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, (void *)groups, sizeof(*groups)) < 0)
            goto err;
    setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return nl;
err:
    mnl_socket_close(nl);
    return NULL;
}

struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    return message;
}

int netlink_call(struct mnl_socket *nl, struct nlmsghdr *message, mnl_cb_t cb, void *context)
{
    static char answer[ANSWER_ROOM];
    static unsigned int sequence;
    ssize_t length;
    int rc;

    message->nlmsg_seq = ++sequence;
    if (mnl_socket_sendto(nl, message, message->nlmsg_len) < 0)
        return -errno;
    do {
        length = mnl_socket_recvfrom(nl, answer, sizeof(answer));
        if (length < 0)
            return -errno;
        rc = mnl_cb_run(answer, (size_t)length, sequence, mnl_socket_get_portid(nl), cb, context);
    } while (rc > MNL_CB_STOP);
    return rc < 0 ? -errno : 0;
}

int netlink_set_link(struct mnl_socket *nl, const struct netlink_link *link)
{
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_NEWLINK, 0);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

    info->ifi_family = AF_UNSPEC;
    info->ifi_index = link->index;
    info->ifi_flags = link->flags;
    info->ifi_change = link->mask;
    if (link->mac != NULL)
        mnl_attr_put(message, IFLA_ADDRESS, 6, link->mac);
    if (link->mtu != 0)
        mnl_attr_put_u32(message, IFLA_MTU, link->mtu);
    if (link->alias != NULL)
        mnl_attr_put_str(message, IFLA_IFALIAS, link->alias);
    return netlink_call(nl, message, NULL, NULL);
}

int netlink_delete_link(struct mnl_socket *nl, int index)
{
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_DELLINK, 0);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

    info->ifi_index = index;
    return netlink_call(nl, message, NULL, NULL);
}

/* --- aliases --- */

/* The attribute's text when it is one; NULL. */
static const char *alias_of(const struct nlmsghdr *message)
{
    const struct nlattr *a;

    if (message->nlmsg_type != RTM_NEWLINK ||
        message->nlmsg_len < mnl_nlmsg_size(sizeof(struct ifinfomsg)))
        return NULL;
    mnl_attr_for_each(a, message,
                      sizeof(struct ifinfomsg)) if (mnl_attr_get_type(a) == IFLA_IFALIAS &&
                                                    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >=
                                                        0) return mnl_attr_get_str(a);
    return NULL;
}

struct alias {
    char *text;
    size_t size;
};

static int take_alias(const struct nlmsghdr *message, void *context)
{
    struct alias *alias = context;
    const char *text = alias_of(message);

    if (text != NULL && strlen(text) < alias->size)
        strcpy(alias->text, text);
    return MNL_CB_OK;
}

int netlink_alias(struct mnl_socket *nl, int index, char *alias, size_t size)
{
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_GETLINK, 0);
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

    info->ifi_index = index;
    alias[0] = '\0';
    return netlink_call(nl, message, take_alias, &(struct alias){alias, size});
}

struct aliases {
    void (*fn)(int index, const char *alias, void *context);
    void *context;
};

static int tell_alias(const struct nlmsghdr *message, void *context)
{
    const struct aliases *aliases = context;
    const char *text = alias_of(message);
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

    if (text != NULL)
        aliases->fn(info->ifi_index, text, aliases->context);
    return MNL_CB_OK;
}

int netlink_aliases(struct mnl_socket *nl, void (*fn)(int index, const char *alias, void *context),
                    void *context)
{
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_GETLINK, NLM_F_DUMP);

    mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
    return netlink_call(nl, message, tell_alias, &(struct aliases){fn, context});
}

/* --- addresses --- */

struct address_list {
    int index;
    uint32_t count;
    struct vgw_prefix have[ADDRESSES_SEEN];
};

static int take_address(const struct nlmsghdr *message, void *context)
{
    struct address_list *list = context;
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *a;
    struct vgw_prefix found = {0};
    bool is_ours = false;

    if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) ||
        (int)info->ifa_index != list->index)
        return MNL_CB_OK;
    mnl_attr_for_each(a, message, sizeof(*info))
    {
        const uint16_t size = mnl_attr_get_payload_len(a);

        if (mnl_attr_get_type(a) == IFA_PROTO && size >= 1)
            is_ours = mnl_attr_get_u8(a) == NETLINK_PROTOCOL_VGW;
        else if (mnl_attr_get_type(a) == IFA_LOCAL && info->ifa_family == AF_INET && size >= 4)
            found.ip = ip_from_bytes(4, mnl_attr_get_payload(a));
        else if (mnl_attr_get_type(a) == IFA_ADDRESS && info->ifa_family == AF_INET6 && size >= 16)
            found.ip = ip_from_bytes(6, mnl_attr_get_payload(a));
    }
    found.length = info->ifa_prefixlen;
    if (is_ours && found.ip.family != 0 && list->count < ADDRESSES_SEEN)
        list->have[list->count++] = found;
    return MNL_CB_OK;
}

static int change_address(struct mnl_socket *nl, uint16_t type, int index,
                          const struct vgw_prefix *address)
{
    const bool is_ipv6 = address->ip.family == 6;
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message =
        netlink_begin(buffer, type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0);
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

    info->ifa_family = is_ipv6 ? AF_INET6 : AF_INET;
    info->ifa_prefixlen = address->length;
    info->ifa_index = (unsigned int)index;
    info->ifa_scope = ip_is_link_local(&address->ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (is_ipv6) /* whether it is a duplicate is found out by neighbour/, on the real link */
        mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
    mnl_attr_put(message, IFA_LOCAL, is_ipv6 ? 16 : 4, address->ip.bytes);
    mnl_attr_put(message, IFA_ADDRESS, is_ipv6 ? 16 : 4, address->ip.bytes);
    mnl_attr_put_u8(message, IFA_PROTO, NETLINK_PROTOCOL_VGW);
    return netlink_call(nl, message, NULL, NULL);
}

static bool is_among(const struct vgw_prefix *p, const struct vgw_prefix *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (prefix_equal(p, &list[i]))
            return true;
    return false;
}

int netlink_set_addresses(struct mnl_socket *nl, int index, const struct vgw_prefix *wanted,
                          uint32_t count)
{
    static struct address_list list;
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_GETADDR, NLM_F_DUMP);
    int rc, first_error = 0;

    mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
    list.index = index;
    list.count = 0;
    rc = netlink_call(nl, message, take_address, &list);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < list.count; i++)
        if (!is_among(&list.have[i], wanted, count))
            change_address(nl, RTM_DELADDR, index, &list.have[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (is_among(&wanted[i], list.have, list.count))
            continue;
        rc = change_address(nl, RTM_NEWADDR, index, &wanted[i]);
        if (rc < 0 && first_error == 0)
            first_error = rc;
    }
    return first_error;
}
