/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squashfs_store - the lower half of squashfs: blocks of metadata and of data,
 * read through a source and unpacked by libsquashfs, and the tables that are
 * looked up by number.
 * Role: squashfs.c only. Guarantees: nothing is allocated by a length that the
 * image states, but the table of owners (256 KiB at most); every byte read or
 * unpacked counts against SQUASHFS_WORK_MAX.
 */
#ifndef FG_IMAGES_SQUASHFS_STORE_H
#define FG_IMAGES_SQUASHFS_STORE_H

#include <sqfs/compressor.h>
#include <sqfs/io.h>
#include <sqfs/meta_reader.h>
#include <sqfs/super.h>

#include "images/source.h"
#include "images/squashfs.h"

#define SQUASHFS_STORE_WHY_MAX 128
#define SQUASHFS_STORE_NONE 0xffffffffu /* "no fragment", "no attributes" */

/* Runs of metadata blocks, each with a reader that goes on where it stopped. */
enum squashfs_store_run {
	SQUASHFS_STORE_INODES,
	SQUASHFS_STORE_FOLDERS,
	SQUASHFS_STORE_FRAGMENTS,
	SQUASHFS_STORE_IDS,
	SQUASHFS_STORE_XATTRS,
	SQUASHFS_STORE_XATTR_IDS,
	SQUASHFS_STORE_RUNS,
};

struct squashfs_store;

/* What libsquashfs is handed: both lead back to the store, which counts. */
struct squashfs_store_file {
	sqfs_file_t as_file; /* first: libsquashfs knows this part only */
	struct squashfs_store *store;
};
struct squashfs_store_packer {
	sqfs_compressor_t as_compressor; /* first */
	sqfs_compressor_t *real;
	struct squashfs_store *store;
};

struct squashfs_store {
	const struct source *source; /* borrowed */
	struct squashfs_store_file file;
	struct squashfs_store_packer packer;
	sqfs_super_t super;
	sqfs_meta_reader_t *run[SQUASHFS_STORE_RUNS]; /* NULL: there is no such run */
	uint64_t data_at; /* behind the superblock and what it says of packing */
	uint64_t from[SQUASHFS_STORE_RUNS], to[SQUASHFS_STORE_RUNS];
	uint32_t *owner; /* super.id_count of them */
	uint64_t xattrs_start;
	uint32_t xattrs_n;
	uint64_t *work; /* bytes read and unpacked so far: own_work, or the caller's */
	uint64_t own_work;
	int err;       /* what a callback of libsquashfs failed with, that is not the image's fault */
	uint8_t *packed; /* one block as it is stored */
	char why[SQUASHFS_STORE_WHY_MAX];
};

/* st is zeroed; close it in any case. Errors as squashfs_open(), the sentence in st->why. */
int squashfs_store_open(struct squashfs_store *st, const struct source *source, uint64_t *work);
void squashfs_store_close(struct squashfs_store *st);
/* Notes a sentence and returns err. */
int squashfs_store_fail(struct squashfs_store *st, int err, const char *why);
/* Counts work of another kind (holes that are filled). 0 or FG_ELIMIT. */
int squashfs_store_count(struct squashfs_store *st, uint64_t n);
/* Goes to a byte of the metadata block that begins at block, counted from the image's start. */
int squashfs_store_seek(struct squashfs_store *st, enum squashfs_store_run run, uint64_t block, size_t offset);
/* Exactly n bytes from there on. */
int squashfs_store_read(struct squashfs_store *st, enum squashfs_store_run run, void *buf, size_t n);
/*
 * One block of data: word is its stored length with the format's "not packed"
 * bit; out takes cap bytes, *ret_n is how many there are. A word of 0 is no block.
 */
int squashfs_store_unpack(struct squashfs_store *st, uint64_t at, uint32_t word, uint8_t *out,
    size_t cap, size_t *ret_n);
/* The stored length in word. */
uint32_t squashfs_store_length(uint32_t word);
/* The user or group of that number. */
int squashfs_store_owner(struct squashfs_store *st, unsigned index, uint32_t *ret);
/* Where the shared block of that number lies. */
int squashfs_store_fragment(struct squashfs_store *st, uint32_t index, uint64_t *ret_at, uint32_t *ret_word);
/* How many attributes, and security.capability's value: *ret_caps_n is 0 when there is none. */
int squashfs_store_xattrs(struct squashfs_store *st, uint32_t index, unsigned *ret_n,
    uint8_t ret_caps[SQUASHFS_CAPS_MAX], size_t *ret_caps_n);

#endif
