/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_rig - an image in memory taken apart, and what holds for every tree
 * whatever the bytes were: parents before children, windows that lie inside,
 * children and structure that leave no byte of a part to nobody.
 * Role: tests of everything that works on parts, and their fuzz targets.
 */
#ifndef FG_TESTS_UNIT_IMAGES_PART_RIG_H
#define FG_TESTS_UNIT_IMAGES_PART_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/hex.h"
#include "images/part.h"

struct part_rig {
	struct source image;
	struct parts *tree;
	int scratch;
	uint64_t scratch_n;
};

static inline void
part_rig_must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "part_rig: %s\n", what);
	abort();
}
#define PART_RIG_MUST(what) part_rig_must(!!(what), #what)

/* Every byte of p belongs to a child, is packed, or structure; mixed ones may leave some. */
static inline void
part_rig_tiled(const struct parts *t, uint32_t i)
{
	const struct part *p = parts_get(t, i);
	uint64_t size = p->bytes.size;
	uint8_t *has = calloc(1, size + 1);
	PART_RIG_MUST(has);
	for (uint32_t k = 0; k < p->children; k++) {
		const struct part *child = parts_get(t, p->first + k);
		if (child->placed) {
			PART_RIG_MUST(child->at <= size && child->bytes.size <= size - child->at);
			for (uint64_t b = 0; b < child->bytes.size && !child->again; b++)
				PART_RIG_MUST(has[child->at + b]++ == 0);
		}
	}
	for (uint32_t k = 0; k < p->children; k++) {
		const struct part *child = parts_get(t, p->first + k);
		PART_RIG_MUST(child->packed_at <= size && child->packed_length <= size - child->packed_at);
		PART_RIG_MUST(child->shared_at <= size && child->shared_length <= size - child->shared_at);
		memset(has + child->packed_at, 1, child->placed ? 0 : child->packed_length);
		memset(has + child->shared_at, 1, child->shared_length);
		for (uint32_t n = 0; n < child->pieces; n++) {
			struct part_range r = parts_piece(t, p->first + k, n);
			PART_RIG_MUST(r.length > 0 && r.at <= size && r.length <= size - r.at);
			memset(has + r.at, 1, r.length);
		}
	}
	uint64_t last = 0;
	for (uint32_t k = 0; k < p->structure_n; k++) {
		struct part_range r = parts_structure(t, i, k);
		PART_RIG_MUST(r.length > 0 && r.at >= last && r.at <= size && r.length <= size - r.at);
		last = r.at + r.length + 1; /* ranges that touch are one */
		memset(has + r.at, 1, r.length);
	}
	if (p->children + p->structure_n > 0 && !p->mixed && p->look == PART_LOOK_OPENED)
		PART_RIG_MUST(memchr(has, 0, size) == NULL);
	free(has);
}

static inline void
part_rig_part(const struct parts *t, uint32_t i)
{
	const struct part *p = parts_get(t, i);
	char path[64];
	PART_RIG_MUST(p->kind != PART_NONE && p->depth <= PART_DEPTH_MAX + 1);
	PART_RIG_MUST((i == 0) == (p->parent == PART_NONE_INDEX));
	PART_RIG_MUST(strlen(p->name) <= PART_NAME_MAX && (p->kind == PART_LINK || !p->link));
	PART_RIG_MUST(!p->placed || p->packed_length == 0);
	PART_RIG_MUST(p->look != PART_LOOK_NONE || p->why || p->bytes.size == 0);
	PART_RIG_MUST(p->bytes.size == 0 || p->format != FORMAT_NONE);
	parts_path(t, i, path, sizeof path);
	PART_RIG_MUST(strlen(path) < sizeof path);
	for (uint32_t k = 0; k < p->children; k++) {
		const struct part *child = parts_get(t, p->first + k);
		PART_RIG_MUST(p->first + k > i && child->parent == i && child->depth == p->depth + 1);
		PART_RIG_MUST(child->next == (k + 1 < p->children ? p->first + k + 1 : PART_NONE_INDEX));
	}
	part_rig_tiled(t, i);
}

/* Opens, and checks; the caller frees with part_rig_close(). */
static inline void
part_rig_open(struct part_rig *r, struct view image)
{
	source_memory(&r->image, image);
	r->scratch = memfd_create("scratch", MFD_CLOEXEC);
	r->scratch_n = 0;
	PART_RIG_MUST(r->scratch >= 0);
	PART_RIG_MUST(parts_open(&r->image, r->scratch, &r->scratch_n, &r->tree) == 0);
	for (uint32_t i = 0; i < parts_count(r->tree); i++)
		part_rig_part(r->tree, i);
}

static inline void
part_rig_close(struct part_rig *r)
{
	parts_free(r->tree);
	close(r->scratch);
}

/* Index of the part with that path ("gzip/etc/passwd"); PART_NONE_INDEX: there is none. */
static inline uint32_t
part_rig_find(const struct part_rig *r, const char *path)
{
	char has[512];
	for (uint32_t i = 0; i < parts_count(r->tree); i++) {
		parts_path(r->tree, i, has, sizeof has);
		if (strcmp(has, path) == 0)
			return i;
	}
	return PART_NONE_INDEX;
}

/* The tree as text on stderr: for whoever mends a test. */
static inline void
part_rig_show(const struct part_rig *r)
{
	for (uint32_t i = 0; i < parts_count(r->tree); i++) {
		const struct part *p = parts_get(r->tree, i);
		char path[200];
		parts_path(r->tree, i, path, sizeof path);
		fprintf(stderr, "%*s%s [%s, %s, %s] %llu bytes at %llu%s%s\n", p->depth, "", path,
		    part_kind_name(p->kind), format_name(p->format), part_look_name(p->look),
		    (unsigned long long)p->bytes.size, (unsigned long long)(p->placed ? p->at : p->packed_at),
		    p->why ? ": " : "", p->why ? p->why : "");
	}
}

/* The part with that path, which has to be there. */
static inline const struct part *
part_rig_get(const struct part_rig *r, const char *path)
{
	uint32_t i = part_rig_find(r, path);
	if (i == PART_NONE_INDEX) {
		part_rig_show(r);
		part_rig_must(0, path);
	}
	return parts_get(r->tree, i);
}

/* Is there a part below the root, no file and not accounted for to its end, that holds these words? */
static inline bool
part_rig_tells(const struct part_rig *r, const char *words)
{
	bool has = false;
	for (uint32_t i = 1; i < parts_count(r->tree) && !has; i++) {
		const struct part *p = parts_get(r->tree, i);
		if (p->kind == PART_FILE || p->look == PART_LOOK_OPENED || p->bytes.size == 0)
			continue;
		uint8_t *b = malloc(p->bytes.size);
		PART_RIG_MUST(b && source_read(&p->bytes, 0, b, p->bytes.size) == 0);
		has = memmem(b, p->bytes.size, words, strlen(words)) != NULL;
		free(b);
	}
	return has;
}

/* The same of an image, which has to. */
static inline void
part_rig_shows(struct view image, const char *words)
{
	struct part_rig r;
	part_rig_open(&r, image);
	part_rig_must(part_rig_tells(&r, words), words);
	part_rig_close(&r);
}

/* The files in fs are those of the list, of lines "sha256 size path", and no others. */
static inline void
part_rig_lists(const struct part_rig *r, uint32_t fs, struct view list)
{
	unsigned files = 0, lines = 0;
	for (uint32_t i = 1; i < parts_count(r->tree); i++) {
		const struct part *p = parts_get(r->tree, i);
		uint8_t sum[DIGEST_SHA256_LEN];
		char line[PART_NAME_MAX + 100], hex[2 * DIGEST_SHA256_LEN + 1];
		if (p->kind != PART_FILE || p->parent != fs)
			continue;
		/* An empty file has no bytes to have a digest of. */
		PART_RIG_MUST(digest_sha256(view_of(NULL, 0), sum) == 0);
		hex_encode(p->bytes.size ? p->sha256 : sum, DIGEST_SHA256_LEN, hex);
		int n = snprintf(line, sizeof line, "%s %llu %s\n", hex, (unsigned long long)p->bytes.size, p->name);
		part_rig_must(memmem(list.p, list.n, line, (size_t)n) != NULL, line);
		files++;
	}
	for (size_t i = 0; i < list.n; i++)
		lines += list.p[i] == '\n';
	PART_RIG_MUST(files == lines);
}

#endif
