/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siphash - SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for tables whose
 * keys strangers choose. Without the key nobody can aim at one slot. Not a MAC here.
 */
#ifndef FG_GATEWAY_EDGE_SIPHASH_H
#define FG_GATEWAY_EDGE_SIPHASH_H

#include "crypto/view.h"

#define SIPHASH_KEY 16

uint64_t siphash_24(const uint8_t key[SIPHASH_KEY], struct view v);

#endif
