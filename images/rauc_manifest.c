/* SPDX-License-Identifier: Apache-2.0 */
#include "images/rauc_manifest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/keyfile.h"

#define FAULT_MAX 256

enum group_kind { GROUP_NONE, GROUP_UPDATE, GROUP_BUNDLE, GROUP_HANDLER, GROUP_HOOKS, GROUP_IMAGE, GROUP_META, GROUP_OTHER };

struct listener {
	rauc_manifest_say *say;
	void *arg;
};

/* One manifest being read. */
struct reading {
	struct rauc_manifest *m;
	struct listener to;
	enum group_kind kind;
	struct rauc_manifest_image *image; /* of the group being read; NULL when there was no room */
	struct view group;
	struct view groups[RAUC_MANIFEST_GROUPS_MAX];
	unsigned groups_n;
	unsigned seen[GROUP_OTHER + 1]; /* keys of the groups that come once, one bit each */
};

__attribute__((format(printf, 3, 4))) static void
fault(const struct listener *to, enum finding_id id, const char *fmt, ...)
{
	char text[FAULT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	to->say(to->arg, id, text);
}

#define V(v) (int)((v).n < 80 ? (v).n : 80), (const char *)(v).p

/* ---- values ---- */

static bool
take_string(struct reading *rd, const struct keyfile_line *l, struct view *ret)
{
	uint8_t *dst = rd->m->strings + rd->m->strings_n;
	long n = keyfile_string(l->value, dst);
	if (n < 0) {
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: [%.*s] %.*s is no string", V(l->group), V(l->key));
		return false;
	}
	if (n == 0) {
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: [%.*s] %.*s is empty", V(l->group), V(l->key));
		return false;
	}
	rd->m->strings_n += (size_t)n;
	*ret = view_of(dst, (size_t)n);
	return true;
}

static void
take_uint(struct reading *rd, const struct keyfile_line *l, bool *ret_have, uint64_t *ret)
{
	*ret_have = keyfile_uint(l->value, ret);
	if (!*ret_have)
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: [%.*s] %.*s is no number", V(l->group), V(l->key));
}

/* 32 bytes in hexadecimal digits; RAUC compares an image's as text, so capitals never fit there. */
static void
take_hash(struct reading *rd, const struct keyfile_line *l, bool *ret_have, uint8_t ret[DIGEST_SHA256_LEN])
{
	*ret_have = hex_decode(l->value, ret, DIGEST_SHA256_LEN);
	if (!*ret_have)
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: [%.*s] %.*s is not 64 lower-case digits", V(l->group),
		    V(l->key));
}

static void
take_format(struct reading *rd, const struct keyfile_line *l)
{
	rd->m->format = RAUC_MANIFEST_UNKNOWN;
	for (unsigned f = RAUC_MANIFEST_PLAIN; f <= RAUC_MANIFEST_CRYPT; f++)
		if (view_is(l->value, rauc_manifest_format_name((enum rauc_manifest_format)f)))
			rd->m->format = (enum rauc_manifest_format)f;
	if (rd->m->format == RAUC_MANIFEST_UNKNOWN)
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: bundle format \"%.*s\" is not known", V(l->value));
}

static void
take_hooks(struct reading *rd, const struct keyfile_line *l)
{
	struct view rest = l->value, one;
	while (keyfile_element(&rest, &one)) {
		struct rauc_manifest_image *i = rd->image;
		if (rd->kind == GROUP_HOOKS && view_is(one, "install-check"))
			rd->m->hook_check = true;
		else if (rd->kind == GROUP_IMAGE && view_is(one, "pre-install"))
			i->hook_pre = true;
		else if (rd->kind == GROUP_IMAGE && view_is(one, "install"))
			i->hook_install = true;
		else if (rd->kind == GROUP_IMAGE && view_is(one, "post-install"))
			i->hook_post = true;
		else
			fault(&rd->to, FINDING_FMT_UNKNOWN_PART, "manifest: [%.*s] asks for the hook \"%.*s\", which is not known",
			    V(l->group), V(one));
	}
}

/* ---- keys ---- */

/* Those of the groups that come once; the index is the key's bit. */
static const struct key {
	enum group_kind kind;
	const char *name;
} keys[] = {
	{ GROUP_UPDATE, "compatible" }, { GROUP_UPDATE, "version" }, { GROUP_UPDATE, "description" },
	{ GROUP_UPDATE, "build" }, { GROUP_BUNDLE, "format" }, { GROUP_BUNDLE, "verity-hash" },
	{ GROUP_BUNDLE, "verity-salt" }, { GROUP_BUNDLE, "verity-size" }, { GROUP_BUNDLE, "crypt-key" },
	{ GROUP_HANDLER, "filename" }, { GROUP_HANDLER, "args" }, { GROUP_HOOKS, "filename" }, { GROUP_HOOKS, "hooks" },
	{ GROUP_IMAGE, "filename" }, { GROUP_IMAGE, "sha256" }, { GROUP_IMAGE, "size" }, { GROUP_IMAGE, "hooks" },
	{ GROUP_IMAGE, "adaptive" },
};
enum { COMPATIBLE, VERSION, DESCRIPTION, BUILD, FORMAT, VERITY_HASH, VERITY_SALT, VERITY_SIZE, CRYPT_KEY,
	HANDLER, HANDLER_ARGS, HOOK, HOOKS, FILENAME, SHA256, SIZE, IMAGE_HOOKS, ADAPTIVE, KEYS };

static void
take_value(struct reading *rd, unsigned key, const struct keyfile_line *l)
{
	struct rauc_manifest *m = rd->m;
	struct rauc_manifest_image *i = rd->image;
	uint8_t secret[DIGEST_SHA256_LEN];
	struct view away;
	switch (key) {
	case COMPATIBLE: take_string(rd, l, &m->compatible); break;
	case VERSION: take_string(rd, l, &m->version); break;
	case DESCRIPTION: take_string(rd, l, &m->description); break;
	case BUILD: take_string(rd, l, &m->build); break;
	case FORMAT: take_format(rd, l); break;
	case VERITY_HASH: take_hash(rd, l, &m->have_root_hash, m->root_hash); break;
	case VERITY_SALT: take_hash(rd, l, &m->have_salt, m->salt); break;
	case VERITY_SIZE: take_uint(rd, l, &m->have_verity_size, &m->verity_size); break;
	case CRYPT_KEY: take_hash(rd, l, &m->have_crypt_key, secret); break;
	case HANDLER: take_string(rd, l, &m->handler); break;
	case HANDLER_ARGS: take_string(rd, l, &m->handler_args); break;
	case HOOK: take_string(rd, l, &m->hook); break;
	case FILENAME: take_string(rd, l, &i->filename); break;
	case SHA256: take_hash(rd, l, &i->have_sha256, i->sha256); break;
	case SIZE: take_uint(rd, l, &i->have_size, &i->size); break;
	case ADAPTIVE: (void)(take_string(rd, l, &away) && (i->adaptive = away, true)); break;
	default: take_hooks(rd, l); break;
	}
}

static void
pair(struct reading *rd, const struct keyfile_line *l)
{
	unsigned k = 0;
	if (rd->kind == GROUP_META || rd->kind == GROUP_OTHER || (rd->kind == GROUP_IMAGE && !rd->image))
		return; /* RAUC skips what is meta; the others were told with their group */
	while (k < KEYS && (keys[k].kind != rd->kind || !view_is(l->key, keys[k].name)))
		k++;
	if (k == KEYS) {
		fault(&rd->to, FINDING_FMT_UNKNOWN_PART, "manifest: [%.*s] holds the key \"%.*s\", which is not known",
		    V(l->group), V(l->key));
		return;
	}
	unsigned *seen = rd->kind == GROUP_IMAGE ? &rd->image->seen : &rd->seen[rd->kind];
	if (*seen & 1u << k)
		fault(&rd->to, FINDING_FMT_DUPLICATE, "manifest: [%.*s] %.*s is there twice", V(l->group), V(l->key));
	*seen |= 1u << k;
	take_value(rd, k, l);
}

/* ---- groups ---- */

static bool
has_prefix(struct view v, const char *prefix)
{
	size_t n = strlen(prefix);
	return v.n > n && memcmp(v.p, prefix, n) == 0;
}

static enum group_kind
kind_of(struct view group)
{
	static const char *const names[] = { [GROUP_UPDATE] = "update", [GROUP_BUNDLE] = "bundle",
		[GROUP_HANDLER] = "handler", [GROUP_HOOKS] = "hooks" };
	for (unsigned k = GROUP_UPDATE; k <= GROUP_HOOKS; k++)
		if (view_is(group, names[k]))
			return (enum group_kind)k;
	if (has_prefix(group, "image."))
		return GROUP_IMAGE;
	return has_prefix(group, "meta.") ? GROUP_META : GROUP_OTHER;
}

/* A group that comes again is the same group: GKeyFile merges them. */
static void
note_group(struct reading *rd)
{
	for (unsigned i = 0; i < rd->groups_n; i++)
		if (view_equal(rd->groups[i], rd->group)) {
			fault(&rd->to, FINDING_FMT_DUPLICATE, "manifest: [%.*s] is there twice", V(rd->group));
			return;
		}
	if (rd->groups_n < RAUC_MANIFEST_GROUPS_MAX)
		rd->groups[rd->groups_n++] = rd->group;
	else
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: more than %u groups", RAUC_MANIFEST_GROUPS_MAX);
}

static void
image_group(struct reading *rd)
{
	struct rauc_manifest *m = rd->m;
	rd->image = NULL;
	for (unsigned i = 0; i < m->images_n; i++)
		if (view_equal(m->image[i].group, rd->group))
			rd->image = &m->image[i];
	if (rd->image)
		return;
	if (m->images_n == RAUC_MANIFEST_IMAGES_MAX) {
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest: more than %u images", RAUC_MANIFEST_IMAGES_MAX);
		return;
	}
	rd->image = &m->image[m->images_n++];
	*rd->image = (struct rauc_manifest_image){ .group = rd->group,
		.slot = view_of(rd->group.p + 6, rd->group.n - 6) };
}

static void
group(struct reading *rd, struct view name)
{
	rd->group = name;
	rd->kind = kind_of(name);
	note_group(rd);
	if (rd->kind == GROUP_IMAGE)
		image_group(rd);
	else if (rd->kind == GROUP_OTHER)
		fault(&rd->to, FINDING_FMT_UNKNOWN_PART, "manifest: the group [%.*s] is not known", V(name));
}

int
rauc_manifest_parse(struct view text, struct rauc_manifest *ret, rauc_manifest_say *say, void *arg)
{
	struct keyfile kf;
	struct keyfile_line l = { .opens_group = false };
	struct reading *rd = calloc(1, sizeof *rd);
	*ret = (struct rauc_manifest){ .format = RAUC_MANIFEST_PLAIN };
	/* A copy for the names of groups, and room for all strings, which are never longer than they are spelt. */
	ret->strings = malloc(2 * text.n + 1);
	if (!rd || !ret->strings || text.n > RAUC_MANIFEST_TEXT_MAX) {
		free(rd);
		return text.n > RAUC_MANIFEST_TEXT_MAX ? FG_EINVAL : FG_ENOMEM;
	}
	if (text.n)
		memcpy(ret->strings, text.p, text.n);
	ret->strings_n = text.n;
	*rd = (struct reading){ .m = ret, .to = { say, arg } };
	keyfile_begin(&kf, view_of(ret->strings, text.n));
	int r;
	while ((r = keyfile_next(&kf, &l)) > 0) {
		if (l.opens_group)
			group(rd, l.group);
		else
			pair(rd, &l);
	}
	if (r < 0)
		fault(&rd->to, FINDING_FMT_MALFORMED, "manifest, line %u: %s", kf.line, kf.why);
	free(rd);
	return 0;
}

void
rauc_manifest_free(struct rauc_manifest *m)
{
	free(m->strings);
	*m = (struct rauc_manifest){ .format = RAUC_MANIFEST_UNKNOWN };
}

/* ---- what must be there ---- */

/* "../x", "/x", "a/../x": RAUC joins it to the folder of the mounted bundle and opens it. */
static bool
leads_out(struct view name)
{
	size_t start = 0;
	for (size_t i = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '/')
			continue;
		if (i == 0 || (i - start == 2 && memcmp(name.p + start, "..", 2) == 0))
			return true;
		start = i + 1;
	}
	return false;
}

static void
check_name(const struct listener *to, struct view name)
{
	if (name.p && leads_out(name))
		fault(to, FINDING_MEMBER_UNSAFE_NAME, "manifest: %.*s", V(name));
}

static void
check_image(const struct listener *to, const struct rauc_manifest_image *i)
{
	check_name(to, i->filename);
	if (!i->filename.p) {
		if (!i->hook_install)
			fault(to, FINDING_FMT_MALFORMED, "manifest: [%.*s] names no file", V(i->group));
		return;
	}
	if (!i->have_sha256)
		fault(to, FINDING_MEMBER_NO_DIGEST, "%.*s", V(i->filename));
	if (!i->have_size && !i->hook_install)
		fault(to, FINDING_FMT_MALFORMED, "manifest: [%.*s] gives no size", V(i->group));
}

/* Signed as content: it has to describe the hash tree. */
static void
check_attached(const struct listener *to, const struct rauc_manifest *m)
{
	if (m->format != RAUC_MANIFEST_VERITY && m->format != RAUC_MANIFEST_CRYPT)
		fault(to, FINDING_FMT_MALFORMED,
		    "manifest: signed as content, its format must be verity or crypt");
	else if (!m->have_root_hash || !m->have_salt || !m->have_verity_size)
		fault(to, FINDING_FMT_MALFORMED, "manifest: the hash tree's %s is missing",
		    !m->have_root_hash ? "root" : !m->have_salt ? "salt" : "size");
	else if (m->verity_size == 0 || m->verity_size % 4096 != 0)
		fault(to, FINDING_FMT_MALFORMED, "manifest: a hash tree of %" PRIu64 " bytes is none",
		    m->verity_size);
	if (m->format == RAUC_MANIFEST_CRYPT && !m->have_crypt_key)
		fault(to, FINDING_FMT_MALFORMED, "manifest: format crypt without a key");
}

/* Inside the file system, whose hash it cannot know. */
static void
check_inside(const struct listener *to, const struct rauc_manifest *m)
{
	if (m->have_root_hash || m->have_salt || m->have_verity_size || m->have_crypt_key)
		fault(to, FINDING_FMT_MALFORMED,
		    "manifest: a hash tree or a key, given inside the file system that they are for");
}

void
rauc_manifest_check(const struct rauc_manifest *m, bool attached, rauc_manifest_say *say, void *arg)
{
	struct listener to = { say, arg };
	bool hooks = m->hook_check;
	if (!m->compatible.p)
		fault(&to, FINDING_FMT_MALFORMED, "manifest: it does not say what it is compatible with");
	for (unsigned i = 0; i < m->images_n; i++) {
		const struct rauc_manifest_image *image = &m->image[i];
		check_image(&to, image);
		hooks = hooks || image->hook_pre || image->hook_install || image->hook_post;
	}
	check_name(&to, m->hook);
	check_name(&to, m->handler);
	if (hooks && !m->hook.p)
		fault(&to, FINDING_FMT_MALFORMED, "manifest: hooks are asked for, but no file is named for them");
	if (attached)
		check_attached(&to, m);
	else
		check_inside(&to, m);
}

/* ---- comparing ---- */

static bool
same_image(const struct rauc_manifest_image *a, const struct rauc_manifest_image *b)
{
	return view_equal(a->group, b->group) && view_equal(a->filename, b->filename) &&
	       view_equal(a->adaptive, b->adaptive) && a->have_sha256 == b->have_sha256 &&
	       memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0 && a->have_size == b->have_size &&
	       a->size == b->size && a->hook_pre == b->hook_pre && a->hook_install == b->hook_install &&
	       a->hook_post == b->hook_post;
}

const char *
rauc_manifest_differs(const struct rauc_manifest *a, const struct rauc_manifest *b)
{
	if (!view_equal(a->compatible, b->compatible))
		return "compatible";
	if (!view_equal(a->version, b->version))
		return "version";
	if (!view_equal(a->build, b->build) || !view_equal(a->description, b->description))
		return "build or description";
	if (a->format != b->format)
		return "format";
	if (!view_equal(a->handler, b->handler) || !view_equal(a->handler_args, b->handler_args))
		return "handler";
	if (!view_equal(a->hook, b->hook) || a->hook_check != b->hook_check)
		return "hooks";
	if (a->images_n != b->images_n)
		return "number of images";
	for (unsigned i = 0; i < a->images_n; i++)
		if (!same_image(&a->image[i], &b->image[i]))
			return "images";
	return NULL;
}

const char *
rauc_manifest_format_name(enum rauc_manifest_format format)
{
	static const char *const names[] = { "unknown", "plain", "verity", "crypt" };
	return (unsigned)format <= RAUC_MANIFEST_CRYPT ? names[format] : "unknown";
}

bool
rauc_manifest_is_index(struct view filename)
{
	static const char *const ends[] = { ".caibx", ".caidx" };
	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(ends[i]);
		if (filename.n > n && memcmp(filename.p + filename.n - n, ends[i], n) == 0)
			return true;
	}
	return false;
}
