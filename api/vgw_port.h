/* SPDX-License-Identifier: Apache-2.0
 * Ports: the devices of a leaf. yang/vgw-port.yang says what each setting means. */
#ifndef VGW_PORT_H
#define VGW_PORT_H

#include "vgw_api.h"

#define VGW_DEVICE_MAX 108

enum vgw_port_driver { VGW_DRIVER_AUTO = 0, VGW_DRIVER_AF_XDP, VGW_DRIVER_AF_PACKET };

struct vgw_port {
    uint32_t id;
    uint8_t enabled;
    uint8_t client;  /* vhost-user, memif: vgw connects */
    uint8_t driver;  /* enum vgw_port_driver; netdev only */
    uint8_t has_mac; /* mac is set */
    uint8_t mac[6];
    uint16_t mtu; /* bytes of Ethernet payload */
    uint8_t rx_queues;
    uint8_t zero_copy; /* memif, client only */
    uint8_t _pad[2];
    uint16_t rx_descriptors;
    uint16_t tx_descriptors;
    char device[VGW_DEVICE_MAX]; /* "pci:.." (lower case), "netdev:..", "tap:..", "vhost-user:..",
                                    "memif:.." */
    char netns[VGW_NAME_MAX];    /* tap only; empty: the data plane's own */
};

enum vgw_wake { VGW_WAKE_INTERRUPT = 0, VGW_WAKE_SOCKET, VGW_WAKE_NAP };

struct vgw_port_state {
    uint32_t id;
    uint8_t admin_up;
    uint8_t link_up;
    uint8_t present; /* the device exists and is started */
    uint8_t wake;    /* enum vgw_wake */
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t speed_mbps; /* 0: unknown */
    uint8_t rx_queues;
    uint8_t tx_queues;
    uint8_t _pad[2];
    char driver[32];  /* DPDK's name: net_af_xdp, ... */
    char reason[128]; /* why this driver, or why it is not present */
    struct vgw_counters counters;
    uint64_t rx_missed; /* frames the device had no descriptor for */
    uint64_t rx_errors;
    uint64_t tx_dropped; /* found the transmit queue full */
};

struct vgw_port_queue_state {
    uint32_t port;
    uint8_t tx; /* 0: receive, 1: transmit */
    uint8_t queue;
    uint8_t worker;
    uint8_t _pad;
    uint64_t packets;
    uint64_t bytes;
};

struct vgw_port_event {
    uint32_t id;
    uint8_t link_up;
    uint8_t present;
    uint8_t _pad[2];
};

#endif
