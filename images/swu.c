/* SPDX-License-Identifier: Apache-2.0 */
#include "images/swu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/openpgp.h"
#include "crypto/visible.h"
#include "images/conf.h"
#include "images/cpio.h"
#include "images/swdesc.h"
#include "images/unpack.h"

#define SHOWN_MAX 80
#define CMS_SCHEME "swu/cms-detached"
#define OPENPGP_SCHEME "swu/openpgp"
#define CIPHER_BLOCK 16 /* AES-CBC, the only cipher that swupdate has */
#define ODD_SHARE 32    /* of bytes, one at least is of no text */

/* One .swu being walked. */
struct swu {
	struct sig_range description;
	bool described;
	bool encrypted; /* the description itself */
	struct walk_signed by;
	struct conf *conf;
	struct swdesc *desc; /* NULL: it could not be read, which is told */
	bool *found;         /* an entry each: its member was there */
};

/*
 * No text: a device that has the key decrypts the description, and asks the
 * signature of what comes out. It is a CMS object for the device, or bare blocks:
 * a tenth of random bytes is of no text.
 */
static int
is_encrypted(struct walk *w, struct sig_range at, bool *ret)
{
	uint8_t *bytes = NULL;
	size_t odd = 0;
	*ret = false;
	if (at.length < CIPHER_BLOCK)
		return 0;
	int err = walk_load(w, at, CONF_TEXT_MAX, &bytes);
	if (err)
		return err == FG_EFORMAT ? 0 : err; /* too long for one: told where it is read */
	for (size_t i = 0; i < at.length; i++)
		odd += bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r');
	*ret = format_is_enveloped_data(view_of(bytes, (size_t)at.length)) ||
	       (at.length % CIPHER_BLOCK == 0 && odd > at.length / ODD_SHARE);
	free(bytes);
	return 0;
}

static const char *
scheme_of(struct view sig)
{
	return format_is_signed_data(sig) ? CMS_SCHEME : openpgp_recognise(sig) ? OPENPGP_SCHEME : "swu/raw";
}

/* *ret_closed: nothing of it is anybody's to choose. */
static int
judge_as(struct walk *w, struct swu *u, struct view sig, bool *ret_closed)
{
	struct walk_span span = { .range = { u->description }, .n = 1 };
	struct walk_claim claim = { .as = TRUST_SCHEME_NONE, .signature = sig, .span = span };
	if (u->encrypted) {
		walk_settle(w, scheme_of(sig), SIG_OPAQUE,
		    "it is over the description before encryption, for which the device's key is needed");
		return 0;
	}
	/* Since the fix of CVE-2026-109399 swupdate takes no intermediates from the signature. */
	if (format_is_signed_data(sig))
		return walk_cms_lone(w, CMS_SCHEME, sig, &span, &u->by, ret_closed);
	/* It asks GnuPG, and any one good signature by a key of its ring will do, whatever trust that key has there. */
	if (openpgp_recognise(sig))
		return walk_openpgp(w, OPENPGP_SCHEME, sig, &span, &u->by, ret_closed);
	int err = walk_keys(w, &claim, &u->by);
	*ret_closed = !err && walk_all_verified(w, u->by);
	return err;
}

static int
judge(struct walk *w, struct swu *u, struct sig_range at)
{
	uint8_t *bytes = NULL;
	bool closed = false;
	int err = walk_load(w, at, CMS_SIG_MAX, &bytes);
	if (err == FG_EFORMAT) {
		walk_settle(w, CMS_SCHEME, SIG_INVALID, "a signature of more than 64 KiB");
		return 0;
	}
	if (!err)
		err = judge_as(w, u, view_of(bytes, (size_t)at.length), &closed);
	free(bytes);
	/* What did not verify could be anything, beside one that did, too. */
	if (!err && closed)
		walk_structure(w, at.offset, at.length);
	return err;
}

/* The description as a member, and as what it says; after its signature, if it has one. */
static int
describe(struct walk *w, struct swu *u)
{
	struct sig_range at = u->description;
	struct walk_member m = { .name = view_str("sw-description"),
		.at = at,
		.by = u->by,
		.inside = true,
		.plain = true };
	struct conf_fault fault;
	uint8_t *text = NULL;
	u->described = true;
	int err = walk_member(w, &m, NULL);
	if (!err && u->encrypted) {
		walk_raise(w, FINDING_FMT_ENCRYPTED, &at.offset, "sw-description: what it asks for is not known");
		return 0;
	}
	if (!err)
		err = walk_load(w, at, CONF_TEXT_MAX, &text);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &at.offset,
		    "sw-description: longer than 1 MiB: what it asks for is not known");
		return 0;
	}
	if (!err)
		err = conf_parse(view_of(text, (size_t)at.length), &u->conf, &fault);
	free(text);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		walk_raise(w, FINDING_FMT_MALFORMED, &at.offset, "sw-description: line %u: %s",
		    fault.line, fault.what);
		return 0;
	}
	if (!err)
		err = swdesc_read(w, at.offset, u->by, u->conf, &u->desc);
	if (!err && !(u->found = calloc(u->desc->n + 1, sizeof *u->found)))
		err = FG_ENOMEM;
	return err;
}

/* The first entry for a member of that name, all of which are marked; NULL: there is none. */
static const struct swdesc_entry *
claim(struct swu *u, struct view name, bool *ret_runs)
{
	const struct swdesc_entry *first = NULL;
	*ret_runs = false;
	for (unsigned i = 0; u->desc && i < u->desc->n; i++) {
		const struct swdesc_entry *e = &u->desc->entry[i];
		if (e->filename.n == 0 || !view_equal(e->filename, name))
			continue;
		u->found[i] = true;
		*ret_runs = *ret_runs || e->runs;
		first = first ? first : e;
	}
	return first;
}

/* SWUpdate stops at the end of the first gzip member; what is behind it is signed, and not used. */
static void
told_left(struct walk *w, const struct cpio_member *m, const struct unpack *stream)
{
	char name[SHOWN_MAX];
	uint64_t left = unpack_left(stream);
	if (left == 0)
		return;
	visible_cstr(m->name, name, sizeof name);
	walk_raise(w, FINDING_FMT_HIDDEN_BYTES, &m->data.offset,
	    "%s: %" PRIu64 " bytes behind the packed stream", name, left);
}

static int
payload(struct walk *w, struct swu *u, const struct cpio_member *m)
{
	struct walk_member out = { .name = m->name, .at = m->data, .by = u->by, .size = UINT64_MAX };
	struct unpack *stream = NULL;
	struct walk_seen seen = { .size = 0 };
	const struct swdesc_entry *e = claim(u, m->name, &out.runs);
	char name[SHOWN_MAX];
	visible_cstr(m->name, name, sizeof name);
	if (u->desc && !e)
		walk_raise(w, FINDING_MEMBER_UNLISTED, &m->data.offset, "%s", name);
	if (e)
		walk_structure(w, m->head.offset, m->head.length); /* a name that the description spells */
	if (e && e->have_sha256) {
		out.alg = DIGEST_SHA256;
		memcpy(out.digest, e->sha256, sizeof e->sha256);
	}
	out.plain = e && e->encrypted; /* its bytes mean nothing */
	if (e && e->packing != SWDESC_STORED && !e->encrypted) {
		out.digest_packed = true; /* the digest is of what is stored, as the updater hashes it */
		stream = unpack_new(
		    e->packing == SWDESC_GZIP ? UNPACK_GZIP : UNPACK_ZSTD, w->image, m->data);
		if (!stream)
			return FG_ENOMEM;
		out.read = unpack_read;
		out.again = unpack_again;
		out.arg = stream;
	}
	int err = walk_member(w, &out, &seen);
	if (!err && stream)
		told_left(w, m, stream);
	unpack_free(stream);
	return err;
}

/* An archive's member has its place: description, signature, everything else. */
static int
member(struct walk *w, const struct cpio_member *m, void *arg)
{
	struct swu *u = arg;
	bool is_signature = view_is(m->name, "sw-description.sig");
	char name[SHOWN_MAX];
	int err = 0;
	visible_cstr(m->name, name, sizeof name);
	if ((m->mode & CPIO_TYPE) != CPIO_TYPE_REGULAR)
		walk_raise(w, FINDING_FMT_MALFORMED, &m->offset, "%s is no regular file", name);
	if (m->mode & ~(CPIO_TYPE | CPIO_RIGHTS) || m->rdev_major || m->rdev_minor)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &m->offset,
		    "%s: mode 0%" PRIo32 ", device %" PRIu32 ":%" PRIu32
		    ": not those of a plain file",
		    name, m->mode, m->rdev_major, m->rdev_minor);
	if (m->name.n > SWDESC_FILENAME_MAX ||
	    memchr(m->name.p, '/', m->name.n)) /* the updater puts its folder before it */
		walk_raise(w, FINDING_MEMBER_UNSAFE_NAME, &m->offset,
		    "%s: longer than an updater keeps, or with a folder in it", name);
	if (m->index == 0) {
		if (!view_is(m->name, "sw-description"))
			walk_raise(w, FINDING_FMT_MALFORMED, &m->offset,
			    "the first member is %s, not sw-description", name);
		else
			walk_structure(w, m->head.offset, m->head.length);
		u->description = m->data;
		return is_encrypted(w, m->data, &u->encrypted);
	}
	if (m->index == 1) {
		if (is_signature) {
			walk_structure(w, m->head.offset, m->head.length);
			err = judge(w, u, m->data);
		}
		if (!err)
			err = describe(w, u);
		if (err || is_signature)
			return err;
	} else if (is_signature) {
		walk_raise(w, FINDING_FMT_MALFORMED, &m->offset,
		    "sw-description.sig is member %u: an updater looks for it in the second place only",
		    m->index + 1);
	}
	return payload(w, u, m);
}

static void
missing(struct walk *w, const struct swu *u)
{
	for (unsigned i = 0; u->desc && i < u->desc->n; i++) {
		const struct swdesc_entry *e = &u->desc->entry[i];
		char name[SHOWN_MAX];
		if (e->filename.n == 0 || u->found[i])
			continue;
		visible_cstr(e->filename, name, sizeof name);
		walk_raise(w, FINDING_MEMBER_MISSING, &u->description.offset, "%s: %s, in %s of %s",
		    "sw-description", name, swdesc_list_name(e->list), u->desc->selection[e->selection]);
	}
}

static int
tail(struct walk *w, const struct cpio_end *end)
{
	uint64_t at = 0;
	int err = cpio_tail(w, end->offset, &at);
	if (!err && at < w->image->size)
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &at,
		    "%" PRIu64 " bytes follow the archive's trailer", w->image->size - at);
	return err;
}

int
swu_walk(struct walk *w)
{
	struct swu u = { .desc = NULL };
	struct cpio_end end;
	int err = cpio_members(w, 0, member, &u, &end);
	/* Nothing but a description, or cut behind it: it is shown all the same. */
	if (!err && !u.described && u.description.length > 0)
		err = describe(w, &u);
	if (!err)
		missing(w, &u);
	if (!err && end.whole)
		err = tail(w, &end);
	free(u.desc);
	free(u.found);
	conf_free(u.conf);
	return err;
}
