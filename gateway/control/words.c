/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/words.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/edge/siphash.h"

#define BUCKETS_MIN 256

struct word {
	struct word *next;
	uint32_t uses; /* modules times fields: below 2^32 */
	char text[];
};

struct words {
	uint8_t key[SIPHASH_KEY];
	struct word **bucket;
	size_t buckets; /* a power of two */
	size_t n;
};

struct words *
words_new(const uint8_t key[16])
{
	struct words *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	memcpy(w->key, key, sizeof w->key);
	w->buckets = BUCKETS_MIN;
	w->bucket = calloc(w->buckets, sizeof *w->bucket);
	if (!w->bucket) {
		free(w);
		return NULL;
	}
	return w;
}

void
words_free(struct words *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->buckets; i++)
		for (struct word *one = w->bucket[i], *next; one; one = next) {
			next = one->next;
			free(one);
		}
	free(w->bucket);
	free(w);
}

static struct word **
place(const struct words *w, const char *text)
{
	struct word **p = &w->bucket[siphash_24(w->key, view_str(text)) & (w->buckets - 1)];
	while (*p && strcmp((*p)->text, text) != 0)
		p = &(*p)->next;
	return p;
}

/* Longer chains are no failure: without memory for a bigger table the old one stays. */
static void
grow(struct words *w)
{
	struct words bigger = *w;
	bigger.buckets *= 2;
	bigger.bucket = calloc(bigger.buckets, sizeof *bigger.bucket);
	if (!bigger.bucket)
		return;
	for (size_t i = 0; i < w->buckets; i++)
		for (struct word *one = w->bucket[i], *next; one; one = next) {
			next = one->next;
			one->next = NULL;
			*place(&bigger, one->text) = one;
		}
	free(w->bucket);
	*w = bigger;
}

const char *
words_take(struct words *w, const char *text)
{
	if (text[0] == '\0')
		return "";
	struct word **p = place(w, text);
	if (!*p) {
		size_t n = strlen(text) + 1;
		struct word *fresh = malloc(sizeof *fresh + n);
		if (!fresh)
			return NULL;
		fresh->next = NULL;
		fresh->uses = 0;
		memcpy(fresh->text, text, n);
		*p = fresh;
		if (++w->n > w->buckets)
			grow(w);
		fresh->uses++;
		return fresh->text;
	}
	(*p)->uses++;
	return (*p)->text;
}

void
words_drop(struct words *w, const char *text)
{
	if (text[0] == '\0')
		return;
	struct word **p = place(w, text);
	struct word *one = *p;
	if (!one)
		abort(); /* not ours */
	if (--one->uses > 0)
		return;
	*p = one->next;
	free(one);
	w->n--;
}

size_t
words_count(const struct words *w)
{
	return w->n;
}
