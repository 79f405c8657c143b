/* SPDX-License-Identifier: Apache-2.0
 * The data plane about itself: workers, stages, memory. */
#ifndef VGW_WORKER_H
#define VGW_WORKER_H

#include "vgw_api.h"

struct vgw_system_state {
    uint32_t uptime_s;
    uint32_t generation;
    uint32_t workers;
    uint8_t huge_pages; /* packet memory is in huge pages */
    uint8_t _pad[3];
    char version[32];
};

struct vgw_worker_state {
    uint32_t id;
    uint32_t cpu;
    uint32_t busy_percent;      /* of the last second */
    uint32_t cycles_per_packet; /* TSC cycles, of the last second with packets */
    uint64_t packets;
    uint64_t sleeps;
};

struct vgw_stage_state {
    uint32_t worker;
    uint32_t cycles_per_packet;
    uint64_t packets;
    uint64_t vectors;
    char name[24];
};

struct vgw_memory_state {
    uint64_t objects;
    uint64_t bytes;
    char name[48];
};

#endif
