/* SPDX-License-Identifier: Apache-2.0
 * Life of the cache of names; see state_names.c. */
#ifndef STATE_NAMES_H
#define STATE_NAMES_H

struct state;

int state_names_new(struct state *state);
void state_names_free(struct state *state);

#endif
