/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - identities of the operator's own fleet, and whether an image holds them: an
 * update that carries them is made for these modules.
 * Role: the explain stage; the command line reads a list to find its mistakes early.
 * Files: own.c (the list), own_page.c (hashes of identities in images; plain and packed
 * ones are tokens, token.h). Guarantees: the list itself is not kept, only hashes are, and
 * none of them gets into a report; reads are linear, memory is at most 132 bytes an
 * identity (lists grow by doubling) and 2 MiB.
 */
#ifndef FG_IMAGES_OWN_H
#define FG_IMAGES_OWN_H

#include "images/page.h"
#include "images/pair.h"
#include "images/token.h"

#define OWN_MAX 1000000 /* identities: the largest fleet that is planned for */
#define OWN_PRINT 16 /* bytes of a hash that are compared: all of an MD5, half of a SHA-256 */

struct own;

/*
 * One identity a line: 14 to 20 digits, a MAC address (six pairs of hex digits, with ':' or
 * '-' between all or none), or the SHA-256 of either in hex, so that a list can be
 * handed on without what it lists (digits in ASCII, a MAC as 12 lower-case hex
 * digits). Spaces around it and lines that are empty or begin with '#' do not count. 0 with
 * *ret (own_free()), FG_EFORMAT with *ret_line, FG_ELIMIT over OWN_MAX, FG_ENOMEM, FG_ECRYPTO.
 */
int own_parse(struct view text, struct own **ret, unsigned *ret_line);
void own_free(struct own *o);
/* For token_set_new(); lives as long as o. */
const struct token_own *own_tokens(const struct own *o);
/* The first OWN_PRINT bytes of bytes are a hash of one of them: which, for own_page.c; or -1. bytes holds as many. */
long own_find(const struct own *o, const uint8_t *bytes);
size_t own_prints(const struct own *o);
bool own_is_md5(const struct own *o, size_t print);

/* ---- own_page.c ---- */

/*
 * A line for each part that is new or changed and holds hashes of own identities that the
 * old image does not: SHA-256 or MD5 of the digits, as bytes or in hex. 0, FG_EIO, FG_ENOMEM.
 */
int own_page(const struct pair *pair, const struct own *o, struct page *page);

#endif
