/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mbn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/filler.h"
#include "images/mbn_layout.h"

#define CHAIN_MAX (64u << 10) /* three certificates have six thousand bytes; some carry sixteen roots */
#define SIGNATURE_MAX 1024    /* RSA-8192 */
#define TABLE_MAX (MBN_LAYOUT_SEGMENTS_MAX * 48)

/* One image at work. */
struct job {
	struct walk *w;
	struct mbn_layout l;
	struct walk_span span; /* header, metadata, hashes */
	enum digest_alg alg;   /* of the table, and of what is signed */
	struct walk_signed by;
	uint8_t table[TABLE_MAX];
	/* Ranges that were told, so that what lies between them can be looked at. */
	struct sig_range part[MBN_LAYOUT_SEGMENTS_MAX + 1];
	unsigned parts;
};

/* Nothing but zeros or nothing but ones. */
static int
is_filling(const struct source *s, struct sig_range at, bool *ret)
{
	uint8_t chunk[4096], want = 0;
	uint64_t end = at.offset + at.length;
	*ret = true;
	for (uint64_t p = at.offset; p < end && *ret; p += sizeof chunk) {
		size_t n = end - p < sizeof chunk ? (size_t)(end - p) : sizeof chunk;
		int err = source_read(s, p, chunk, n);
		if (err)
			return err;
		if (p == at.offset)
			want = chunk[0] == 0xff ? 0xff : 0;
		*ret = filler_is(view_of(chunk, n), want);
	}
	return 0;
}

/* ---- the signature ---- */

/* Length of the DER object at p; 0 when it has none, or none that fits. */
static size_t
der_length(const uint8_t *p, size_t n)
{
	if (n < 4 || p[0] != 0x30)
		return 0;
	size_t len = p[1] < 0x80 ? (size_t)p[1] + 2
	             : p[1] == 0x81 ? (size_t)p[2] + 3
	             : p[1] == 0x82 ? ((size_t)p[2] << 8 | p[3]) + 4
	                            : 0;
	return len <= n ? len : 0;
}

/* Certificates one behind the other, then filling. False when something else stands there. */
static bool
split_chain(const uint8_t *p, size_t n, struct walk_chain *c)
{
	size_t at = 0;
	while (c->n < WALK_CHAIN_MAX) {
		size_t len = der_length(p + at, n - at);
		if (len == 0)
			break;
		c->cert[c->n++] = view_of(p + at, len);
		at += len;
	}
	for (size_t i = at; i < n; i++)
		if (p[i] != p[at] || (p[i] != 0 && p[i] != 0xff))
			return false;
	return true;
}

/* "01 0000000100000003 SW_ID" and its like in the leaf's organizational units. */
static void
unit(struct job *j, struct view text)
{
	static const struct {
		const char *name;
		enum contents_fact_id id;
	} known[] = { { "SW_ID", CONTENTS_FACT_TYPE }, { "HW_ID", CONTENTS_FACT_COMPATIBLE },
		{ "OEM_ID", CONTENTS_FACT_COMPATIBLE }, { "MODEL_ID", CONTENTS_FACT_COMPATIBLE },
		{ "DEBUG", CONTENTS_FACT_NOTE }, { "APP_ID", CONTENTS_FACT_NOTE },
		{ "ROT_EN", CONTENTS_FACT_NOTE }, { "IN_USE_SOC_HW_VERSION", CONTENTS_FACT_COMPATIBLE },
		{ "SOC_VERS", CONTENTS_FACT_COMPATIBLE }, { "USE_SERIAL_NUMBER", CONTENTS_FACT_TARGET } };
	char words[CONTENTS_VALUE_MAX], name[32], hex[24];
	unsigned number;
	if (text.n >= sizeof words)
		return;
	memcpy(words, text.p, text.n);
	words[text.n] = '\0';
	if (strlen(words) != text.n || sscanf(words, "%2u %23s %31s", &number, hex, name) != 3)
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		walk_fact(j->w, known[i].id, j->by, text);
		/* The upper half of a software's number is what must not fall (technical overview v1.0). */
		char *end;
		uint64_t v = strtoull(hex, &end, 16);
		if (i == 0 && *end == '\0' && strlen(hex) == 16)
			walk_fact_uint(j->w, CONTENTS_FACT_SECURITY_COUNTER, j->by, v >> 32);
	}
}

static void
units(struct job *j, struct view leaf)
{
	const uint8_t *p = leaf.p;
	X509 *x = d2i_X509(NULL, &p, (long)leaf.n);
	const X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	int at = -1;
	while (subject &&
	       (at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, at)) >= 0) {
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
		unit(j, view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)));
	}
	X509_free(x);
	ERR_clear_error();
}

/* One signature with its chain. */
static int
judge(struct job *j, struct sig_range signature, struct sig_range chain)
{
	struct walk_chain c = { .scheme = "mbn",
		.misfit = j->l.version < 6 ? "it fits in no public way; older chips mix identities of"
		                             " device and software into what is signed"
		                           : NULL,
		.span = j->span,
		.alg = j->alg };
	bool closed = false;
	uint8_t *sig = NULL, *certs = NULL;
	struct walk_signed by = { .n = 0 };
	int err = walk_load(j->w, signature, SIGNATURE_MAX, &sig);
	if (!err)
		err = walk_load(j->w, chain, CHAIN_MAX, &certs);
	if (err == FG_EFORMAT) {
		walk_settle(j->w, "mbn", SIG_INVALID, "a signature or a chain longer than any is");
		err = 0;
	} else if (!err && !split_chain(certs, (size_t)chain.length, &c)) {
		walk_settle(j->w, "mbn", SIG_INVALID, "something else than certificates stands in the chain");
	} else if (!err) {
		c.signature = view_of(sig, (size_t)signature.length);
		err = walk_chain(j->w, &c, &by, &closed);
		j->by = by;
		if (!err && c.n)
			units(j, c.cert[0]);
		if (!err && walk_verified(j->w, by))
			walk_structure(j->w, signature.offset, signature.length);
		if (!err && closed)
			walk_structure(j->w, chain.offset, chain.length);
	}
	free(sig);
	free(certs);
	return err;
}

static int
signatures(struct job *j)
{
	const struct mbn_layout *l = &j->l;
	int err = 0;
	j->span = (struct walk_span){ .range = { { l->header.offset,
	                                  l->header.length + l->metadata.length + l->table.length } },
		.n = 1 };
	if (l->signature.length)
		err = judge(j, l->signature, l->chain);
	if (!err && l->maker_signature.length && l->signature.length)
		walk_settle(j->w, "mbn/qualcomm", SIG_OPAQUE,
		    "what Qualcomm's own signature covers beside the device maker's is not public");
	else if (!err && l->maker_signature.length)
		err = judge(j, l->maker_signature, l->maker_chain);
	return err;
}

/* ---- the parts ---- */

static void
part(struct job *j, struct sig_range at)
{
	unsigned i = j->parts++;
	for (; i > 0 && j->part[i - 1].offset > at.offset; i--)
		j->part[i] = j->part[i - 1];
	j->part[i] = at;
}

/* Program header i against its hash. */
static int
segment(struct job *j, unsigned i)
{
	const struct mbn_layout_segment *s = &j->l.segment[i];
	const uint8_t *hash = j->table + i * j->l.hash_len;
	char name[32];
	uint64_t at = s->at.offset;
	part(j, s->at);
	if (i == j->l.hashes) {
		if (!filler_is_zeros(hash, j->l.hash_len))
			walk_raise(j->w, FINDING_FMT_CONFLICT, &at, "the hash segment has a hash of itself");
		return 0;
	}
	if (s->at.length == 0)
		return 0;
	snprintf(name, sizeof name, s->kind == MBN_LAYOUT_HEADERS ? "headers" : "segment-%u", i);
	struct walk_member m = { .name = view_str(name), .at = s->at, .by = j->by, .plain = true };
	if (filler_is_zeros(hash, j->l.hash_len)) {
		walk_raise(j->w, FINDING_MEMBER_NO_DIGEST, &at, "%s", name);
	} else {
		m.alg = j->alg;
		memcpy(m.digest, hash, j->l.hash_len);
	}
	return walk_member(j->w, &m, NULL);
}

/* What lies between the parts is filling, or hides there. */
static int
gaps(struct job *j)
{
	uint64_t end = 0;
	int err = 0;
	for (unsigned i = 0; i <= j->parts && !err; i++) {
		uint64_t start = i < j->parts ? j->part[i].offset : j->w->image->size;
		bool filling = false;
		if (start > end) {
			struct sig_range gap = { end, start - end };
			err = is_filling(j->w->image, gap, &filling);
			if (!err && filling)
				walk_structure(j->w, gap.offset, gap.length);
			else if (!err)
				walk_raise(j->w, i < j->parts ? FINDING_FMT_HIDDEN_BYTES : FINDING_FMT_TRAILING_BYTES,
				    &end, "%" PRIu64 " bytes that belong to no program header", gap.length);
		}
		if (i < j->parts && j->part[i].offset + j->part[i].length > end)
			end = j->part[i].offset + j->part[i].length;
	}
	return err;
}

static int
padding(struct job *j)
{
	bool filling = false;
	struct sig_range p = j->l.padding;
	int err = is_filling(j->w->image, p, &filling);
	if (!err && filling)
		walk_structure(j->w, p.offset, p.length);
	else if (!err)
		walk_raise(j->w, j->l.elf ? FINDING_FMT_HIDDEN_BYTES : FINDING_FMT_TRAILING_BYTES, &p.offset,
		    "%" PRIu64 " bytes behind the last certificate", p.length);
	return err;
}

static int
elf(struct job *j)
{
	bool headers = false;
	int err = source_read(j->w->image, j->l.table.offset, j->table, (size_t)j->l.table.length);
	for (unsigned i = 0; i < j->l.n && !err; i++) {
		const struct mbn_layout_segment *s = &j->l.segment[i];
		headers = headers || (s->kind == MBN_LAYOUT_HEADERS && s->at.offset == 0 &&
		                         s->at.length >= j->l.elf_header);
		err = segment(j, i);
	}
	/* Without a hash over them, the hashes are of whatever the headers point at. */
	if (!err && !headers) {
		walk_raise(j->w, FINDING_MEMBER_NO_DIGEST, NULL, "ELF header and program headers");
		part(j, (struct sig_range){ 0, j->l.elf_header });
	}
	return err ? err : gaps(j);
}

static int
code(struct job *j)
{
	struct walk_member m = { .name = view_str("code"),
		.at = j->l.table,
		.by = j->by,
		.inside = true };
	return j->l.table.length ? walk_member(j->w, &m, NULL) : 0;
}

static int
walk(struct job *j)
{
	char text[64];
	j->alg = j->l.hash_len == 48 ? DIGEST_SHA384 : j->l.hash_len == 20 ? DIGEST_SHA1 : DIGEST_SHA256;
	int err = signatures(j);
	if (err)
		return err;
	snprintf(text, sizeof text, "header of version %u", j->l.version);
	walk_fact(j->w, CONTENTS_FACT_NOTE, j->by, view_str(text));
	if (j->l.metadata.length) {
		snprintf(text, sizeof text, "%" PRIu64 " bytes of metadata", j->l.metadata.length);
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, &j->l.metadata.offset, "%s", text);
	}
	err = j->l.elf ? elf(j) : code(j);
	return err ? err : padding(j);
}

int
mbn_walk(struct walk *w)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return FG_ENOMEM;
	j->w = w;
	int err = mbn_layout_read(w->image, &j->l);
	if (!err && j->l.bad)
		walk_raise(w, j->l.finding, &j->l.where, "%s", j->l.why);
	else if (!err)
		err = walk(j);
	free(j);
	return err;
}
