/* SPDX-License-Identifier: Apache-2.0
 * Copies of an initialised data plane, one for each test. */
#ifndef MOULD_H
#define MOULD_H

#include <stdbool.h>

/* Serves requests for copies from the socket that is stdin; harness.py (class Mould) is the other
 * side. True: this is a copy, whose stdin and stdout are those that came with the request. False:
 * it is the original, and nobody asks any more. */
bool mould_serve(void);

#endif
