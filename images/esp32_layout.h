/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp32_layout - where the parts of an ESP32 image lie, and what may follow it
 * in a flash image; nothing is judged here.
 * Layout (esptool's "Firmware Image Format", little-endian): header of 24 bytes
 * (magic 0xE9), segments of address, length and data, zeros up to the last byte
 * of a block of 16, which is an XOR over all data; then, when the header says
 * so, the SHA-256 of all before. A signature sector starts at the next multiple
 * of 4096. In a merged flash image a partition table and further images follow
 * at multiples of 4096.
 * Role: images/esp32.c. Guarantees: bounded reads; sums in 64 bits.
 */
#ifndef FG_IMAGES_ESP32_LAYOUT_H
#define FG_IMAGES_ESP32_LAYOUT_H

#include "images/source.h"

#define ESP32_LAYOUT_HEADER 24
#define ESP32_LAYOUT_SEGMENTS_MAX 16 /* the bootloader's own limit */
#define ESP32_LAYOUT_SECTOR 4096
#define ESP32_LAYOUT_HASH 32
#define ESP32_LAYOUT_TABLE 0xc00     /* bytes of a partition table */

struct esp32_layout {
	const char *bad; /* NULL: sound; else why it is none, and nothing else is filled */
	uint64_t where;
	uint8_t header[ESP32_LAYOUT_HEADER];
	unsigned n;
	struct {
		uint32_t address;
		uint64_t at; /* of its data */
		uint32_t length;
	} segment[ESP32_LAYOUT_SEGMENTS_MAX];
	uint64_t data_end;    /* of the last segment */
	uint64_t checksum_at; /* one byte; zeros from data_end on */
	bool hashed;          /* a SHA-256 of all before follows the checksum */
	uint64_t end;         /* of the image, its hash too */
	uint64_t sector;      /* where a signature sector would be; may be beyond the file */
};

/* Reads the image that starts at byte 0. 0 also for a bad one; FG_EIO. */
int esp32_layout_read(const struct source *image, struct esp32_layout *ret);
/* XOR over all segments' data. */
int esp32_layout_checksum(const struct source *image, const struct esp32_layout *l, uint8_t *ret);

enum esp32_layout_next {
	ESP32_LAYOUT_STRAY = 0, /* a byte at at that is neither erased flash nor what follows */
	ESP32_LAYOUT_END,
	ESP32_LAYOUT_IMAGE,
	ESP32_LAYOUT_PARTITIONS,
};

/* What comes behind from, over erased flash (all ones or all zeros); *ret_at is where. */
int esp32_layout_next(const struct source *image, uint64_t from, enum esp32_layout_next *ret, uint64_t *ret_at);

#endif
