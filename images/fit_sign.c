/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_sign - the signatures of a FIT. An image's is over its data. A configuration's
 * is over tokens of the tree, in their order: those of the root and of the
 * configuration, of every image that it names, and of that image's hashes, cipher
 * and dm-verity node; of the direct children of these only the tokens that begin and
 * end them. Left out are the properties that hold data or say where it is. Then come
 * the end of the structure and the first bytes of the names.
 */
#include "images/fit_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/visible.h"

#define SIGNATURE_MAX 512 /* RSA-4096 */
#define WHOLE 2 /* a node with its properties; 1: its two ends */
#define NAMES_MAX 1024 /* of images in one configuration; U-Boot takes a hundred nodes */

static const struct scheme {
	const char *algo;    /* in the file: digest, key */
	const char *padding; /* of RSA */
	const char *key_type;
	enum trust_scheme as; /* NONE: told, and not checked */
	const char *name;
} schemes[] = {
	{ "sha256,rsa2048", "pkcs-1.5", "rsa-2048", TRUST_RSA_PKCS1_SHA256, "rsa-2048-pkcs1v15-sha256" },
	{ "sha256,rsa3072", "pkcs-1.5", "rsa-3072", TRUST_RSA_PKCS1_SHA256, "rsa-3072-pkcs1v15-sha256" },
	{ "sha256,rsa4096", "pkcs-1.5", "rsa-4096", TRUST_RSA_PKCS1_SHA256, "rsa-4096-pkcs1v15-sha256" },
	{ "sha384,rsa2048", "pkcs-1.5", "rsa-2048", TRUST_RSA_PKCS1_SHA384, "rsa-2048-pkcs1v15-sha384" },
	{ "sha384,rsa3072", "pkcs-1.5", "rsa-3072", TRUST_RSA_PKCS1_SHA384, "rsa-3072-pkcs1v15-sha384" },
	{ "sha384,rsa4096", "pkcs-1.5", "rsa-4096", TRUST_RSA_PKCS1_SHA384, "rsa-4096-pkcs1v15-sha384" },
	{ "sha512,rsa2048", "pkcs-1.5", "rsa-2048", TRUST_RSA_PKCS1_SHA512, "rsa-2048-pkcs1v15-sha512" },
	{ "sha512,rsa3072", "pkcs-1.5", "rsa-3072", TRUST_RSA_PKCS1_SHA512, "rsa-3072-pkcs1v15-sha512" },
	{ "sha512,rsa4096", "pkcs-1.5", "rsa-4096", TRUST_RSA_PKCS1_SHA512, "rsa-4096-pkcs1v15-sha512" },
	/* mkimage gives PSS the longest salt that fits. */
	{ "sha256,rsa2048", "pss", "rsa-2048", TRUST_RSA_PSS_SHA256_LONG, "rsa-2048-pss-sha256" },
	{ "sha256,rsa3072", "pss", "rsa-3072", TRUST_RSA_PSS_SHA256_LONG, "rsa-3072-pss-sha256" },
	{ "sha256,rsa4096", "pss", "rsa-4096", TRUST_RSA_PSS_SHA256_LONG, "rsa-4096-pss-sha256" },
	{ "sha256,ecdsa256", "", "ec-p256", TRUST_ECDSA_FIXED, "ecdsa-p256-sha256" },
	{ "sha384,ecdsa384", "", "ec-p384", TRUST_ECDSA_FIXED, "ecdsa-p384-sha384" },
};

/* One signature node and what it is about. */
struct judged {
	struct fit *f;
	unsigned node; /* of the signature */
	unsigned over; /* the image or configuration */
	bool several;
	struct walk_span span;
	uint32_t strings; /* how much of the names is signed; configurations only */
};

static bool
is_signature(const struct fit *f, unsigned node, unsigned over)
{
	return f->t.node[node].parent == over && strncmp(f->t.node[node].name, "signature", 9) == 0;
}

/* ---- what a configuration is over ---- */

static bool
names_images(const char *property)
{
	return strcmp(property, "description") != 0 && strcmp(property, "compatible") != 0 &&
	       strcmp(property, "default") != 0;
}

static void
want_image(const struct fit *f, unsigned node, uint8_t *want)
{
	want[node] = WHOLE;
	for (unsigned i = node + 1; i < f->t.nodes; i++) {
		const char *name = f->t.node[i].name;
		if (f->t.node[i].parent == node && (strncmp(name, "hash", 4) == 0 || strcmp(name, "cipher") == 0 ||
		                                       strcmp(name, "dm-verity") == 0))
			want[i] = WHOLE;
	}
}

/* What a configuration names. */
struct named {
	unsigned images; /* that are there */
	unsigned names;
};

/* Images that a property names; those that are not there are told of properties that name nothing else. */
static int
want_named(struct fit *f, const struct fdtree_prop *p, uint8_t *want, struct named *n)
{
	static const char *const always[] = { "kernel", "fdt", "ramdisk", "loadables", "firmware", "setup", "fpga",
		"script", "standalone" };
	char text[FIT_TEXT_MAX], name[FIT_SHOWN_MAX];
	struct view list;
	bool always_names = false;
	int err = fit_text(f, p, text, sizeof text, &list);
	for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
		always_names = always_names || strcmp(p->name, always[i]) == 0;
	if (err == FG_EFORMAT && always_names)
		walk_raise(f->w, FINDING_FMT_MALFORMED, &p->token.offset, "%s is no list of images", p->name);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	for (size_t at = 0; at < list.n && n->names < NAMES_MAX; n->names++) {
		struct view one = view_str(text + at);
		struct fit_image *m = fit_image_find(f, one);
		at += one.n + 1;
		if (m) {
			m->listed = true;
			want_image(f, m->node, want);
			n->images++;
		} else if (always_names) {
			visible_cstr(one, name, sizeof name);
			walk_raise(f->w, FINDING_MEMBER_MISSING, &p->token.offset, "%s %s", p->name, name);
		}
	}
	return 0;
}

/* 2 for a node that is signed with its properties, 1 for a child of one, whose ends are. */
static int
want_nodes(struct fit *f, unsigned config, uint8_t *want, struct named *n)
{
	const struct fdtree_node *c = &f->t.node[config];
	int err = 0;
	want[0] = want[config] = WHOLE;
	for (unsigned i = 0; i < c->props && !err; i++)
		if (names_images(f->t.prop[c->first + i].name))
			err = want_named(f, &f->t.prop[c->first + i], want, n);
	for (unsigned i = 1; i < f->t.nodes; i++)
		if (want[i] == 0 && want[f->t.node[i].parent] == WHOLE)
			want[i] = 1;
	return err;
}

static bool
is_left_out(const char *property)
{
	return strcmp(property, "data") == 0 || strcmp(property, "data-size") == 0 ||
	       strcmp(property, "data-position") == 0 || strcmp(property, "data-offset") == 0;
}

static bool
add(struct walk_span *span, struct sig_range r)
{
	struct sig_range *last = span->n ? &span->range[span->n - 1] : NULL;
	if (last && last->offset + last->length == r.offset)
		last->length += r.length;
	else if (span->n < SIG_COVERS_MAX)
		span->range[span->n++] = r;
	else
		return false;
	return true;
}

/* The tokens in the order of the file: a node's end comes when the next one is no descendant of it. */
static bool
add_tokens(const struct fit *f, const uint8_t *want, struct walk_span *span)
{
	unsigned open[FDTREE_DEPTH_MAX], depth = 0;
	bool fits = true;
	for (unsigned i = 0; i <= f->t.nodes && fits; i++) {
		unsigned parent = i < f->t.nodes ? f->t.node[i].parent : FDTREE_NONE;
		for (; fits && depth > 0 && open[depth - 1] != parent; depth--)
			if (want[open[depth - 1]])
				fits = add(span, f->t.node[open[depth - 1]].end);
		if (i == f->t.nodes)
			break;
		const struct fdtree_node *n = &f->t.node[i];
		if (want[i])
			fits = fits && add(span, n->begin);
		for (unsigned k = 0; want[i] == WHOLE && k < n->props && fits; k++)
			if (!is_left_out(f->t.prop[n->first + k].name))
				fits = add(span, f->t.prop[n->first + k].token);
		open[depth++] = i;
	}
	return fits && add(span, f->t.end_token);
}

/* Every name that a signed property goes by lies in the part of the names that is signed too. */
static bool
names_are_signed(const struct fit *f, const uint8_t *want, uint32_t strings)
{
	for (unsigned i = 0; i < f->t.nodes; i++)
		for (unsigned k = 0; want[i] == WHOLE && k < f->t.node[i].props; k++) {
			const struct fdtree_prop *p = &f->t.prop[f->t.node[i].first + k];
			if (!is_left_out(p->name) && p->name_at + strlen(p->name) + 1 > strings)
				return false;
		}
	return true;
}

static void
refuse(const struct judged *j, const char *why)
{
	char name[FIT_SHOWN_MAX];
	walk_settle(j->f->w, "fit", SIG_INVALID, "%s: %s", fit_name(j->f, j->over, name), why);
}

/* { 0, length }: the part of the names that is signed. */
static int
signed_strings(struct judged *j, bool *ret_fits)
{
	const struct fdtree_prop *p = fdtree_prop(&j->f->t, j->node, "hashed-strings");
	uint8_t cells[8];
	*ret_fits = false;
	if (!p || p->value.length != sizeof cells)
		return 0;
	int err = source_read(j->f->w->image, p->value.offset, cells, sizeof cells);
	struct reader r;
	reader_init(&r, view_of(cells, sizeof cells));
	uint32_t from = reader_u32(&r);
	j->strings = reader_u32(&r);
	*ret_fits = !err && from == 0 && j->strings <= j->f->t.strings.length;
	return err;
}

/* "/images/kernel" as hashed-nodes spells it is one of the nodes that are signed. */
static unsigned
node_of(const struct fit *f, struct view path)
{
	unsigned node = 0;
	if (view_is(path, "/"))
		return 0;
	while (path.n > 0 && node != FDTREE_NONE) {
		const uint8_t *slash = path.n > 1 ? memchr(path.p + 1, '/', path.n - 1) : NULL;
		size_t n = slash ? (size_t)(slash - path.p) : path.n;
		node = path.p[0] == '/' && n > 1 ? fdtree_child(&f->t, node, view_of(path.p + 1, n - 1)) : FDTREE_NONE;
		path = view_of(path.p + n, path.n - n);
	}
	return node;
}

/*
 * The list beside the signature, by which U-Boot went before CVE-2026-46728: where
 * it is another than the configuration's own, old and new devices disagree.
 */
static int
compare_list(struct judged *j, const uint8_t *want, bool *ret_same)
{
	const struct fit *f = j->f;
	const struct fdtree_prop *p = fdtree_prop(&f->t, j->node, "hashed-nodes");
	char text[FIT_TEXT_MAX], name[FIT_SHOWN_MAX];
	struct view list;
	unsigned due = 0, said = 0;
	bool *seen = calloc(f->t.nodes, sizeof *seen);
	int err = !seen ? FG_ENOMEM : p ? fit_text(f, p, text, sizeof text, &list) : FG_EFORMAT;
	*ret_same = !err;
	for (size_t at = 0; !err && *ret_same && at < list.n; said++) {
		struct view one = view_str(text + at);
		unsigned node = node_of(f, one);
		at += one.n + 1;
		*ret_same = node != FDTREE_NONE && want[node] == WHOLE && !seen[node];
		if (*ret_same)
			seen[node] = true;
	}
	for (unsigned i = 0; i < f->t.nodes; i++)
		due += want[i] == WHOLE;
	*ret_same = *ret_same && due == said;
	free(seen);
	if (!*ret_same && (!err || err == FG_EFORMAT))
		walk_raise(f->w, FINDING_FMT_CONFLICT, &f->t.node[j->node].begin.offset,
		    "%s: hashed-nodes are not the nodes that the configuration boots from", fit_name(f, j->over, name));
	return err == FG_EFORMAT ? 0 : err;
}

/* ---- one signature ---- */

static bool
may_have_signed(const struct trust_key *key, const void *arg)
{
	const struct scheme *s = arg;
	return strcmp(key->key_type, s->key_type) == 0;
}

/* NULL with a result in its place. */
static const struct scheme *
scheme_of(const struct judged *j)
{
	const struct fit *f = j->f;
	const struct fdtree_prop *algo = fdtree_prop(&f->t, j->node, "algo"), *pad = fdtree_prop(&f->t, j->node, "padding");
	char word[32], padding[16] = "pkcs-1.5", name[FIT_SHOWN_MAX], text[128];
	(void)fit_name(f, j->over, name);
	if (!algo || fit_string(f, algo, word, sizeof word) || (pad && fit_string(f, pad, padding, sizeof padding))) {
		refuse(j, "a signature whose algorithm or padding is not said");
		return NULL;
	}
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strcmp(schemes[i].algo, word) == 0 &&
		    (!schemes[i].padding[0] || strcmp(schemes[i].padding, padding) == 0))
			return &schemes[i];
	if (strncmp(word, "sha1,", 5) == 0) {
		walk_settle(f->w, "fit/sha1", SIG_WEAK, "%s: %s: the digest is too weak to sign with", name, word);
		return NULL;
	}
	snprintf(text, sizeof text, "%s, %s", word, padding);
	walk_settle(f->w, "fit", SIG_OPAQUE, "%s: %s is not checked here", name, text);
	return NULL;
}

static int
by_key(struct judged *j, struct walk_signed *ret)
{
	const struct fdtree_prop *value = fdtree_prop(&j->f->t, j->node, "value");
	uint8_t sig[SIGNATURE_MAX];
	char scheme[64];
	if (!value || value->value.length == 0 || value->value.length > sizeof sig) {
		refuse(j, "a signature without a value");
		return 0;
	}
	const struct scheme *s = scheme_of(j);
	if (!s)
		return 0;
	snprintf(scheme, sizeof scheme, "fit/%s", s->name);
	int err = source_read(j->f->w->image, value->value.offset, sig, (size_t)value->value.length);
	struct walk_claim claim = { .scheme = scheme,
		.as = s->as,
		.signature = view_of(sig, (size_t)value->value.length),
		.span = j->span,
		.several = j->several,
		.certificates = true, /* mkimage takes the device's key out of one */
		.candidate = may_have_signed,
		.arg = s };
	return err ? err : walk_keys(j->f->w, &claim, ret);
}

/*
 * What the tool writes beside a signature. Nothing acts on it, so it counts as
 * structure where it is short, plain and shown.
 */
static void
notes(struct judged *j, bool verified)
{
	static const char *const texts[] = { "key-name-hint", "signer-name", "signer-version" };
	struct fit *f = j->f;
	struct walk_signed nobody = { .n = 0 };
	char text[64], line[CONTENTS_VALUE_MAX];
	uint32_t when;
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct fdtree_prop *p = fdtree_prop(&f->t, j->node, texts[i]);
		if (!p || fit_string(f, p, text, sizeof text))
			continue;
		snprintf(line, sizeof line, "%s %s", texts[i], text);
		bool shown = i == 0 ? fit_tell(f, CONTENTS_FACT_KEY_HINT, nobody, text)
		                    : fit_tell(f, CONTENTS_FACT_NOTE, nobody, line);
		if (shown && verified)
			fit_structure(f, p);
	}
	const struct fdtree_prop *p = fdtree_prop(&f->t, j->node, "timestamp");
	if (!p || fit_u32(f, p, &when))
		return;
	snprintf(line, sizeof line, "signed at %" PRIu32, when);
	if (fit_tell(f, CONTENTS_FACT_NOTE, nobody, line) && verified)
		fit_structure(f, p);
}

/* sign-images told the tool what to sign: it can only repeat names of the configuration's own properties. */
static bool
names_properties(const struct judged *j, const struct fdtree_prop *p)
{
	char text[FIT_TEXT_MAX];
	struct view list;
	if (fit_text(j->f, p, text, sizeof text, &list))
		return false;
	for (size_t at = 0; at < list.n; at += strlen(text + at) + 1)
		if (!fdtree_prop(&j->f->t, j->over, text + at))
			return false;
	return true;
}

/* Properties of a signature node: what the arithmetic has shown to be right, what is only told, and all others. */
static void
account(struct judged *j, bool verified, bool same_list)
{
	static const char *const proven[] = { "value", "algo", "padding", "hashed-strings", "hashed-nodes" };
	static const char *const told[] = { "key-name-hint", "signer-name", "signer-version", "timestamp", "sign-images" };
	const struct fdtree_node *n = &j->f->t.node[j->node];
	char name[FIT_SHOWN_MAX];
	notes(j, verified);
	for (unsigned i = 0; i < n->props; i++) {
		const struct fdtree_prop *p = &j->f->t.prop[n->first + i];
		bool is_proven = false, is_told = false;
		for (unsigned k = 0; k < sizeof proven / sizeof *proven; k++)
			is_proven = is_proven || strcmp(p->name, proven[k]) == 0;
		for (unsigned k = 0; k < sizeof told / sizeof *told; k++)
			is_told = is_told || strcmp(p->name, told[k]) == 0;
		if (is_proven && verified && (same_list || strcmp(p->name, "hashed-nodes") != 0))
			fit_structure(j->f, p);
		else if (strcmp(p->name, "sign-images") == 0 && verified && names_properties(j, p))
			fit_structure(j->f, p);
		else if (!is_proven && !is_told)
			walk_raise(j->f->w, FINDING_FMT_UNKNOWN_PART, &p->token.offset, "%s: a signature with a property %s",
			    fit_name(j->f, j->over, name), p->name);
	}
}

/* Where U-Boot itself would not verify; NULL. */
static const char *
obstacle(const struct fit *f)
{
	return f->suffixed ? "names of nodes with an @, with which no U-Boot verifies (CVE-2021-27138)" : NULL;
}

static int
judge_image(struct judged *j, const struct fit_image *m, struct walk_signed *ret)
{
	const char *why = obstacle(j->f);
	int err = 0;
	if (why || !m->placed || m->data.length == 0) {
		refuse(j, why ? why : "a signature over no data");
		return 0;
	}
	j->span = (struct walk_span){ .range = { m->data }, .n = 1 };
	err = by_key(j, ret);
	if (!err)
		account(j, walk_verified(j->f->w, *ret), true);
	return err;
}

static int
judge_config(struct judged *j, const uint8_t *want, const struct named *n, struct walk_signed *ret)
{
	const char *why = obstacle(j->f);
	bool fits = false, same = false;
	int err = signed_strings(j, &fits);
	j->span.n = 0;
	if (err)
		return err;
	if (!why && n->images == 0)
		why = "a signed configuration without an image";
	else if (!why && n->names == NAMES_MAX)
		why = "a configuration that names more images than are looked at";
	else if (!why && (!fits || !names_are_signed(j->f, want, j->strings)))
		why = "not all names of what is signed are signed too (hashed-strings)";
	else if (!why && (!add_tokens(j->f, want, &j->span) ||
	                     !add(&j->span, (struct sig_range){ j->f->t.strings.offset, j->strings })))
		why = "it is over more pieces of the tree than are looked at";
	if (why) {
		refuse(j, why);
		return 0;
	}
	err = compare_list(j, want, &same);
	if (!err)
		err = by_key(j, ret);
	if (!err)
		account(j, walk_verified(j->f->w, *ret), same);
	return err;
}

/* ---- all of them ---- */

static unsigned
count(const struct fit *f, unsigned over)
{
	unsigned n = 0;
	for (unsigned i = over + 1; i < f->t.nodes; i++)
		n += is_signature(f, i, over);
	return n;
}

/* Signatures of one image or configuration; want is NULL for an image. No more are computed than are listed. */
static int
judge_all(struct fit *f, unsigned over, const struct fit_image *m, const uint8_t *want, const struct named *n,
    struct walk_signed *ret)
{
	unsigned mark = walk_mark(f->w), several = count(f, over);
	int err = 0;
	for (unsigned i = over + 1; i < f->t.nodes && !err; i++) {
		if (!is_signature(f, i, over))
			continue;
		struct judged *j = calloc(1, sizeof *j);
		struct walk_signed one = { .n = 0 };
		if (!j)
			return FG_ENOMEM;
		*j = (struct judged){ .f = f, .node = i, .over = over, .several = several > 1 };
		if (walk_mark(f->w) == SIG_SIGNERS_MAX)
			refuse(j, "not looked at");
		else
			err = want ? judge_config(j, want, n, &one) : judge_image(j, m, &one);
		free(j);
	}
	*ret = walk_since(f->w, mark);
	return err;
}

/* The first verified configuration that names an image stands behind its hashes. */
static void
stand_behind(struct fit *f, const uint8_t *want, struct walk_signed by)
{
	for (unsigned i = 0; i < f->images && walk_verified(f->w, by); i++)
		if (want[f->image[i].node] == WHOLE && !walk_verified(f->w, f->image[i].by))
			f->image[i].by = by;
}

static int
one_config(struct fit *f, struct fit_config *c)
{
	uint8_t *want = calloc(f->t.nodes, 1);
	struct named n = { 0, 0 };
	int err = want ? want_nodes(f, c->node, want, &n) : FG_ENOMEM;
	c->signed_ = count(f, c->node) > 0;
	if (!err)
		err = judge_all(f, c->node, NULL, want, &n, &c->by);
	if (!err)
		stand_behind(f, want, c->by);
	free(want);
	return err;
}

int
fit_sign_judge(struct fit *f)
{
	unsigned mark = walk_mark(f->w);
	int err = 0;
	for (unsigned i = 0; i < f->configs && !err; i++)
		err = one_config(f, &f->config[i]);
	f->by = walk_since(f->w, mark);
	for (unsigned i = 0; i < f->images && !err; i++)
		err = judge_all(f, f->image[i].node, &f->image[i], NULL, NULL, &f->image[i].own);
	return err;
}
