/* SPDX-License-Identifier: Apache-2.0
 *
 * Source guard: what frames may enter by an attachment. Main thread; the worker's check is in
 * binding/inspect.h.
 */
#ifndef GUARD_H
#define GUARD_H

#include "vgw_network.h"

int guard_init(void);
/* Compiles what the body allows. 0, -EINVAL (a group MAC, a family that is none), -ENOMEM. */
int guard_check_body(const struct vgw_attachment *body);
int guard_set(uint32_t attachment, uint32_t network, const struct vgw_attachment *body);
void guard_unset(uint32_t attachment, uint32_t network);

#endif
