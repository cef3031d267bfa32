/* SPDX-License-Identifier: Apache-2.0 */
/* part_image - U-Boot's legacy images, MCUboot's, ESP32's: headers and what they carry. */
#include "images/part_image.h"

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/esp32_layout.h"

#define UIMAGE_HEAD 64
#define UIMAGE_MULTI 4       /* ih_type: several images in one */
#define UIMAGE_IMAGES_MAX 64 /* of which U-Boot knows three by their place */

/* A child by place, up to where self ends; *ret_end is where it ends. 0, or as part_region(). */
static int
add(struct part_ctx *c, uint32_t self, const char *name, uint64_t at, uint64_t length, uint64_t *ret_end)
{
	uint64_t size = part_bytes(c, self)->size;
	if (at > size || length > size - at) {
		part_untold(c, self, "it is cut off");
		length = at > size ? 0 : size - at;
	}
	*ret_end = at + length;
	int64_t i = length ? part_region(c, self, PART_REGION, view_str(name), at, length) : 0;
	return i < 0 ? (int)i : 0;
}

/* The lengths of several images, ended by 0, stand before them; each begins at a multiple of four. */
static int
open_multi(struct part_ctx *c, uint32_t self, uint64_t end)
{
	uint8_t word[4];
	uint64_t at = UIMAGE_HEAD, lengths[UIMAGE_IMAGES_MAX], behind;
	unsigned n = 0;
	for (;; at += sizeof word) {
		struct reader r;
		int err = at + sizeof word <= end ? source_read(part_bytes(c, self), at, word, sizeof word) : FG_ELIMIT;
		if (err == FG_ELIMIT || n == UIMAGE_IMAGES_MAX) {
			part_untold(c, self, "its list of images is damaged");
			return 0;
		}
		if (err)
			return err;
		reader_init(&r, view_of(word, sizeof word));
		lengths[n] = reader_u32(&r);
		if (lengths[n] == 0)
			break;
		n++;
	}
	at += sizeof word;
	for (unsigned i = 0; i < n; i++) {
		int err = add(c, self, "image", at, lengths[i], &behind);
		if (err)
			return err;
		at += (lengths[i] + 3) & ~UINT64_C(3);
	}
	return 0;
}

int
part_uimage_open(struct part_ctx *c, uint32_t self)
{
	uint8_t h[UIMAGE_HEAD];
	struct reader r;
	uint64_t end;
	int err = source_read(part_bytes(c, self), 0, h, sizeof h);
	if (err)
		return err;
	reader_init(&r, view_of(h + 12, 4));
	uint64_t size = reader_u32(&r), all = part_bytes(c, self)->size;
	err = part_header(c, self, "header", 0, UIMAGE_HEAD, &end);
	if (err)
		return err;
	if (h[30] == UIMAGE_MULTI)
		return open_multi(c, self, UIMAGE_HEAD + size < all ? UIMAGE_HEAD + size : all);
	return add(c, self, "image", UIMAGE_HEAD, size, &end);
}

int
part_mcuboot_open(struct part_ctx *c, uint32_t self)
{
	uint8_t h[32], tlv[4];
	struct reader r;
	uint64_t end;
	int err = source_read(part_bytes(c, self), 0, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h + 8, 8));
	uint64_t header = reader_u16le(&r);
	(void)reader_u16le(&r); /* protected records: found by their own header */
	uint64_t body = reader_u32le(&r);
	err = part_header(c, self, "header", 0, header, &end);
	if (!err)
		err = add(c, self, "image", end, body, &end);
	/* Protected records, then the others: 0x6908 and 0x6907. */
	for (unsigned i = 0; i < 2 && !err; i++) {
		err = source_read(part_bytes(c, self), end, tlv, sizeof tlv);
		if (err)
			return err == FG_ELIMIT ? 0 : err;
		reader_init(&r, view_of(tlv, sizeof tlv));
		uint16_t magic = reader_u16le(&r), n = reader_u16le(&r);
		if ((magic != 0x6908 && magic != 0x6907) || n < sizeof tlv)
			break;
		err = part_header(c, self, "records", end, n, &end);
	}
	return err;
}

int
part_esp32_open(struct part_ctx *c, uint32_t self)
{
	struct esp32_layout l;
	uint64_t end;
	int err = esp32_layout_read(part_bytes(c, self), &l);
	if (err)
		return err;
	if (l.bad) {
		part_untold(c, self, "its segments are damaged");
		return 0;
	}
	err = part_header(c, self, "header", 0, ESP32_LAYOUT_HEADER, &end);
	for (unsigned i = 0; i < l.n && !err; i++)
		err = add(c, self, "segment", l.segment[i].at, l.segment[i].length, &end);
	if (!err)
		err = part_header(c, self, "checksum", l.checksum_at, l.end - l.checksum_at, &end);
	return err;
}
