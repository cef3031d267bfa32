/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pem - strict walk over the PEM objects (RFC 7468) of a text.
 * Role: enrolment of anchors. Text between objects is comment and ignored, but
 * nothing that looks like armour may be left over: a damaged or half object is
 * an error, never a comment, because a person believes that it was enrolled.
 */
#ifndef FG_CRYPTO_PEM_H
#define FG_CRYPTO_PEM_H

#include "crypto/writer.h"

#define PEM_LABEL_MAX 48

struct pem {
	struct view rest;
	size_t line; /* of the first byte of rest, from 1 */
	size_t max;  /* bytes of one decoded object */
};

struct pem_object {
	char label[PEM_LABEL_MAX]; /* "CERTIFICATE"; only A-Z, 0-9, space */
	size_t line;		   /* of its BEGIN */
	uint8_t *der;		   /* owned: free() */
	size_t n;
};

/* text is borrowed until the last pem_next. max bounds one decoded object. */
void pem_begin(struct pem *it, struct view text, size_t max);
/*
 * 1 and the next object, 0 at the end, FG_EFORMAT with *ret_why (static) and
 * it->line, FG_ENOMEM. The object is untouched unless 1 is returned.
 */
int pem_next(struct pem *it, struct pem_object *ret, const char **ret_why);

#endif
