/* SPDX-License-Identifier: Apache-2.0 */
/* config_form - what a text in the configuration must look like, and the two number forms with units. */
#ifndef FG_POLICY_CONFIG_FORM_H
#define FG_POLICY_CONFIG_FORM_H

#include "crypto/view.h"

enum config_form {
	CONFIG_FORM_NONE = 0, /* accepts nothing */
	CONFIG_FORM_TEXT,     /* printable ASCII */
	CONFIG_FORM_BODY,     /* the same with line breaks and tabs */
	CONFIG_FORM_WORD,     /* our own names: a-z 0-9 "-" */
	CONFIG_FORM_USER,     /* Unix user or group */
	CONFIG_FORM_FILE,     /* file name without "/" */
	CONFIG_FORM_DIR,      /* absolute path */
	CONFIG_FORM_ADDRESS,  /* IP address */
	CONFIG_FORM_CIDR,
	CONFIG_FORM_COUNTRY,
	CONFIG_FORM_FINDING,  /* id of a finding, or how several begin and "*" */
	CONFIG_FORM_HOST,     /* name, or "*.name" */
	CONFIG_FORM_PATTERN,  /* path pattern; braces are checked with the profile */
	CONFIG_FORM_PARAM,    /* query parameter pattern */
	CONFIG_FORM_URL,      /* template; checked with the profile */
	CONFIG_FORM_SOURCE,   /* capture:NAME, header:NAME, fixed:TEXT, client_cert, psk_identity, source_address */
	CONFIG_FORM_PIN,      /* SHA-256 in hex */
	CONFIG_FORM_MEDIA,    /* media type */
	CONFIG_FORM_STAMP,    /* time in UTC, to the second */
	CONFIG_FORM_STEM,     /* text, or how several begin and "*" */
	CONFIG_FORM_ZONE,     /* time zone as POSIX writes it */
	CONFIG_FORM_WEEKDAY,  /* mon ... sun */
	CONFIG_FORM_CLOCK,    /* 00:00 to 24:00 */
	CONFIG_FORM_DATE,     /* 2026-12-24 */
	CONFIG_FORM_DIGITS,
};

/* NULL when s has the form, else the cure ("write ..."); static text. */
const char *config_form_check(enum config_form form, const char *s);
/* "90s", "15m", "2h", "30d"; no blanks, at most nine digits. */
bool config_form_duration(const char *s, int64_t *ret_seconds);
/* "64 KiB", "4GiB", "512 B", "512". */
bool config_form_size(const char *s, int64_t *ret_bytes);

#endif
