/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shown - how the vendor's servers showed themselves in one fetch: whose key, and
 * where each led. From the record of its hops; control compares it with what they
 * showed before (gateway/control/vendors.h). Called by upstream.
 */
#ifndef FG_GATEWAY_UPSTREAM_SHOWN_H
#define FG_GATEWAY_UPSTREAM_SHOWN_H

#include "gateway/upstream/provenance.h"

#define SHOWN_SIGNATURES " for signatures" /* behind the place a signature was fetched from */

/*
 * Each once, in the order of the hops; hops without an answer or a key say nothing. True: all of it;
 * false: it was more than list, of MSG_SHOWN_MAX, holds.
 */
bool shown_fill(const struct provenance *p, struct msg_shown *list, uint32_t *ret_n);
/* Notes for shown_fill() what the hop showed that is to be dropped next. */
void shown_note(struct provenance *p);
/* "https://host:port" of a URL; false if it has none or it does not fit. */
bool shown_place(const char *url, char out[MSG_PLACE_MAX]);

#endif
