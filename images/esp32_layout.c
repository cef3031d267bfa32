/* SPDX-License-Identifier: Apache-2.0 */
#include "images/esp32_layout.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define MAGIC 0xe9
#define CHECKSUM_SEED 0xef

static uint64_t
round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int
refuse(struct esp32_layout *l, uint64_t where, const char *why)
{
	l->bad = why;
	l->where = where;
	return 0;
}

static int
read_segments(const struct source *image, struct esp32_layout *l)
{
	uint64_t at = ESP32_LAYOUT_HEADER;
	for (unsigned i = 0; i < l->n; i++) {
		uint8_t b[8];
		struct reader r;
		int err = source_read(image, at, b, sizeof b);
		if (err)
			return err == FG_ELIMIT ? refuse(l, at, "a segment starts beyond the end") : err;
		reader_init(&r, view_of(b, sizeof b));
		l->segment[i].address = reader_u32le(&r);
		l->segment[i].length = reader_u32le(&r);
		l->segment[i].at = at + sizeof b;
		at = l->segment[i].at + l->segment[i].length;
		if (l->segment[i].length % 4 != 0 || at > image->size)
			return refuse(l, l->segment[i].at - 4, "a segment is longer than the file, or no whole words");
	}
	l->data_end = at;
	return 0;
}

int
esp32_layout_read(const struct source *image, struct esp32_layout *ret)
{
	*ret = (struct esp32_layout){ .bad = NULL };
	int err = source_read(image, 0, ret->header, sizeof ret->header);
	if (err)
		return err == FG_ELIMIT ? refuse(ret, 0, "shorter than a header") : err;
	ret->n = ret->header[1];
	ret->hashed = ret->header[23] == 1;
	if (ret->header[0] != MAGIC || ret->header[23] > 1)
		return refuse(ret, 0, "no ESP32 header");
	if (ret->n == 0 || ret->n > ESP32_LAYOUT_SEGMENTS_MAX)
		return refuse(ret, 1, "no segments, or more than sixteen");
	err = read_segments(image, ret);
	if (err || ret->bad)
		return err;
	ret->checksum_at = round_up(ret->data_end + 1, 16) - 1;
	ret->end = ret->checksum_at + 1 + (ret->hashed ? ESP32_LAYOUT_HASH : 0);
	ret->sector = round_up(ret->end, ESP32_LAYOUT_SECTOR);
	if (ret->end > image->size)
		return refuse(ret, ret->data_end, "checksum and hash lie beyond the end");
	return 0;
}

int
esp32_layout_checksum(const struct source *image, const struct esp32_layout *l, uint8_t *ret)
{
	uint8_t sum = CHECKSUM_SEED, *chunk = malloc(ESP32_LAYOUT_SECTOR);
	int err = chunk ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < l->n && !err; i++) {
		uint64_t at = l->segment[i].at, end = at + l->segment[i].length;
		while (at < end && !err) {
			size_t n = end - at < ESP32_LAYOUT_SECTOR ? (size_t)(end - at) : ESP32_LAYOUT_SECTOR;
			err = source_read(image, at, chunk, n);
			for (size_t k = 0; k < n && !err; k++)
				sum ^= chunk[k];
			at += n;
		}
	}
	free(chunk);
	if (!err)
		*ret = sum;
	return err;
}

static int
is_image(const struct source *image, uint64_t at, bool *ret)
{
	struct esp32_layout l;
	struct source s;
	int err = source_window(image, at, image->size - at, &s);
	if (!err)
		err = esp32_layout_read(&s, &l);
	*ret = !err && !l.bad;
	return err;
}

int
esp32_layout_next(const struct source *image, uint64_t from, enum esp32_layout_next *ret, uint64_t *ret_at)
{
	uint8_t block[ESP32_LAYOUT_SECTOR], erased = 0xff;
	for (uint64_t at = from; at < image->size; at = round_up(at + 1, ESP32_LAYOUT_SECTOR)) {
		uint64_t to_next = round_up(at + 1, ESP32_LAYOUT_SECTOR) - at;
		long n = source_read_some(image, at, block, (size_t)to_next);
		bool found = false;
		int err = n < 0 ? (int)n : 0;
		if (!err && at % ESP32_LAYOUT_SECTOR == 0 && block[0] == MAGIC)
			err = is_image(image, at, &found);
		if (err)
			return err;
		*ret_at = at;
		if (found) {
			*ret = ESP32_LAYOUT_IMAGE;
			return 0;
		}
		if (at % ESP32_LAYOUT_SECTOR == 0 && n >= ESP32_LAYOUT_TABLE && block[0] == 0xaa &&
		    block[1] == 0x50) {
			*ret = ESP32_LAYOUT_PARTITIONS;
			return 0;
		}
		if (at == from && block[0] == 0)
			erased = 0;
		for (long i = 0; i < n; i++) {
			if (block[i] == erased)
				continue;
			*ret = ESP32_LAYOUT_STRAY;
			*ret_at = at + (uint64_t)i;
			return 0;
		}
	}
	*ret = ESP32_LAYOUT_END;
	*ret_at = image->size;
	return 0;
}
