/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kinds - what each event is called in the vocabularies of others: a title for
 * people, a class and activity of OCSF, a MESSAGE_ID of the journal. One table
 * over all events; the unit test fails for an event without a row.
 */
#ifndef FG_GATEWAY_VIEW_KINDS_H
#define FG_GATEWAY_VIEW_KINDS_H

#include "crypto/entry.h"

/* OCSF: the category is the class without its last three digits. */
enum kinds_class {
	KINDS_BASE = 0,
	KINDS_EVENT_LOG = 1008,
	KINDS_DETECTION = 2004,
	KINDS_AUTHENTICATION = 3002,
	KINDS_ENTITY = 3004,
	KINDS_DEVICE_CONFIG = 5019,
	KINDS_APPLICATION = 6002,
	KINDS_API = 6003,
	KINDS_SCAN = 6007,
};

#define KINDS_OTHER 99 /* an activity the class has no number for: activity_name says it */

#define KINDS_MESSAGE_ID_LEN 16

struct kinds {
	const char *title;  /* "Approval signed" */
	enum kinds_class cls;
	unsigned activity;  /* 1.. or KINDS_OTHER */
	const char *name;   /* of the activity: OCSF's own caption, or ours for KINDS_OTHER */
};

/* Never NULL: an event of a later version is a base event, "Event". */
const struct kinds *kinds_of(enum entry_event ev);
/* "Entity Management" */
const char *kinds_class_name(enum kinds_class cls);
/*
 * The first 16 bytes of SHA-256("fotagate:" || event), marked as a UUID of
 * version 8 (RFC 9562): fixed for each event, and anybody can compute it. 0 or FG_ECRYPTO.
 */
int kinds_message_id(struct view event, uint8_t ret[KINDS_MESSAGE_ID_LEN]);

#endif
