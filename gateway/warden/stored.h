/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored - what the warden kept from before: nothing of it is believed. Records
 * are parsed, statements judged again at the time they were issued, images copied
 * and hashed again; what does not hold is not served.
 */
#ifndef FG_GATEWAY_WARDEN_STORED_H
#define FG_GATEWAY_WARDEN_STORED_H

#include "gateway/warden/state.h"

/* Fills w->list from the vault, before START is answered. Local failure only. */
int stored_load(struct warden *w);

#endif
