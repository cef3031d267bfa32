/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrations - the schema as the numbered steps that led to it.
 * A step that was released never changes: what is wrong in it is mended by the next.
 */
#ifndef FG_GATEWAY_STATE_MIGRATIONS_H
#define FG_GATEWAY_STATE_MIGRATIONS_H

struct migration {
	unsigned number; /* 1, 2, 3, ... without gaps */
	const char *what;
	const char *sql;
};

/* The i-th, or NULL past the end. */
const struct migration *migrations_at(unsigned i);
/* Number of the last. */
unsigned migrations_newest(void);

#endif
