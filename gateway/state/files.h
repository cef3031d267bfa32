/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files - what control keeps as files under data_dir: images in quarantine and
 * documents by digest. Names are made here from digests and random digits, so
 * nothing a vendor or a person says can become a path.
 * Guarantees: a name appears only when its bytes are on disk (file and folder
 * synced); documents are written once, and the same name never has other bytes.
 */
#ifndef FG_GATEWAY_STATE_FILES_H
#define FG_GATEWAY_STATE_FILES_H

#include "crypto/digest.h"
#include "crypto/writer.h"

#define FILES_PART_CAP 48
#define FILES_DOC_MAX (4u << 20) /* a report has at most 2 MiB */

struct files;

/* Opens images/quarantine, reports and statements under data_dir, making what is missing. 0, FG_EIO, FG_ENOMEM. */
int files_open(const char *data_dir, struct files **ret);
void files_close(struct files *f);

/* ---- quarantine ---- */

enum files_kind { FILES_NONE = 0, FILES_IMAGE /* <sha256>.img */, FILES_SIGNATURE /* <sha256>.sig */ };

struct files_part {
	char name[FILES_PART_CAP]; /* unguessable, ends in ".part" */
	int fd;                    /* to write and to read again; the caller's to close */
};
/* A new inode nobody else has open. 0 or FG_EIO. */
int files_part_new(struct files *f, struct files_part *ret);
/* A part again, for reading and writing, to go on with it. Returns fd (the caller closes), FG_ENOTFOUND or FG_EIO. */
int files_part_open(struct files *f, const char *name);
/* The same inode again for reading, for inspection before it has its name. Returns fd, FG_ENOTFOUND or FG_EIO. */
int files_part_read(struct files *f, const char *name);
/*
 * Syncs it, takes write permission away and gives it its name. sha256 is what
 * the inspector or the caller found; the warden hashes its own copy. When the name is
 * taken by a file of the same size, the part is dropped; FG_EEXIST when sizes differ.
 * FG_ENOTFOUND, FG_EIO: the part is still there.
 */
int files_part_seal(struct files *f, const char *name, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Drops a part; absent is fine. */
void files_part_drop(struct files *f, const char *name);
/*
 * At start: removes parts that no fetch will ever end (*ret_n of them) and documents left half-written.
 * keep() may spare a part of the quarantine by its name; NULL spares none.
 */
int files_parts_sweep(struct files *f, bool (*keep)(void *arg, const char *name), void *arg, unsigned *ret_n);

/* Read-only descriptor (the caller closes), FG_ENOTFOUND or FG_EIO. */
int files_image_open(struct files *f, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* 0 also when it was not there. */
int files_image_remove(struct files *f, enum files_kind kind, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Every sealed image with its size; stops at a non-zero return, which is returned. */
int files_image_each(struct files *f,
    int (*each)(void *arg, const uint8_t sha256[DIGEST_SHA256_LEN], uint64_t size), void *arg);
/* Bytes of everything in quarantine, parts too. Per profile: db_candidate_usage(). */
int files_usage(struct files *f, uint64_t *ret_bytes);
/* Bytes the file system of the quarantine still has for us. */
int files_space(struct files *f, uint64_t *ret_bytes);
/* SHA-256 and size of an open file from its start; position untouched. Blocks as long as it takes: for small files. */
int files_digest(int fd, uint8_t sha256[DIGEST_SHA256_LEN], uint64_t *ret_size);

/* ---- documents ---- */

enum files_doc {
	FILES_DOC_NONE = 0,
	FILES_REPORT,          /* reports/<sha256>.json */
	FILES_PROVENANCE,      /* reports/<sha256>.provenance.json */
	FILES_POLICY,          /* reports/<sha256>.policy.json: a profile's canonical form when it judged */
	FILES_ATTACHMENT,      /* reports/<sha256>.attachment: what people laid beside a review, as it came */
	FILES_STATEMENT,       /* statements/<sha256>.json */
	FILES_STATEMENT_SIG,   /* statements/<sha256 of the statement>.sig */
	FILES_HOOK,            /* reports/<sha256>.hook.json: what the decision hook was told, and what it said */
	FILES_NOTES,           /* reports/<sha256 of the image>.notes: the vendor's words about it */
};
/*
 * Keeps bytes under their digest; only FILES_STATEMENT_SIG and FILES_NOTES have another's name.
 * FG_EINVAL when sha256 is not theirs, FG_ELIMIT, FG_EIO, FG_EEXIST when that name
 * has other bytes. The same bytes again: 0.
 */
int files_doc_put(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN], struct view bytes);
/* Appends the document to w. FG_ENOTFOUND, FG_EIO, FG_ELIMIT, FG_ENOMEM, FG_EFORMAT when its digest is not its name. */
int files_doc_get(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w);
/* How many there are of that kind, looked through one by one. 0 or FG_EIO. */
int files_doc_count(struct files *f, enum files_doc doc, uint64_t *ret);
/* Read-only descriptor (the caller closes), FG_ENOTFOUND or FG_EIO. */
int files_doc_open(struct files *f, enum files_doc doc, const uint8_t sha256[DIGEST_SHA256_LEN]);

/* Appends at most cap bytes of a descriptor from its start, position untouched. FG_ELIMIT when there are more. */
int files_read(int fd, size_t cap, struct writer *w);

#endif
