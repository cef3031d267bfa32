/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsf - an entry as an event of the Open Cybersecurity Schema Framework 1.5, one
 * JSON document on one line. What its class has no place for is under unmapped;
 * metadata.uid is the leaf hash, metadata.sequence the place in the log.
 */
#ifndef FG_GATEWAY_VIEW_OCSF_H
#define FG_GATEWAY_VIEW_OCSF_H

#include "gateway/view/record.h"

/* Appends the document without line end. 0 or what the writer says. */
int ocsf_put(const struct record *r, struct writer *w);

#endif
