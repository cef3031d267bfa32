/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squashfs - reads a squashfs 4.0 file system, hostile ones too: one entry after
 * the other, and the bytes of the one at hand.
 * Role: squashfs_walk.c and rauc.c go over it once, the change report over two
 * of them side by side.
 *
 * libsquashfs brings what is intricate: the superblock, the decompressors and
 * the reader of metadata blocks. Inodes, listings and tables are decoded here,
 * because the library allocates by the lengths that an image states.
 *
 * Guarantees: reads only through its source; opens nothing, starts no thread;
 * never recurses. Memory is three blocks (3 MiB at most), the library's own
 * state, and the listings of the folders that are open (SQUASHFS_LISTINGS_MAX).
 * What is read and unpacked for one file system is bounded, however often its
 * entries share a block. Entries come depth first, those of a folder in the
 * order of their bytes: two file systems with the same names give the same order.
 */
#ifndef FG_IMAGES_SQUASHFS_H
#define FG_IMAGES_SQUASHFS_H

#include "crypto/sig.h"
#include "crypto/view.h"
#include "images/source.h"

#define SQUASHFS_DEPTH_MAX 64        /* folders in folders; a root file system has about 15 */
#define SQUASHFS_PATH_MAX 4096       /* PATH_MAX: longer ones no program can open */
#define SQUASHFS_NAME_MAX 256        /* the format's own */
#define SQUASHFS_TARGET_MAX 4096     /* of a symbolic link, PATH_MAX again */
#define SQUASHFS_ENTRIES_MAX 200000  /* as many as an inspection looks at */
#define SQUASHFS_LISTINGS_MAX (32u << 20) /* bytes: SQUASHFS_ENTRIES_MAX entries of long names */
#define SQUASHFS_XATTRS_MAX 256      /* of one entry; SELinux and capabilities make two */
#define SQUASHFS_CAPS_MAX 64         /* bytes of security.capability; version 3 has 24 */
/*
 * Bytes read and unpacked in all, of all file systems of one inspection. Honest
 * ones need little more than what comes out, of which an inspection takes 2 GiB.
 */
#define SQUASHFS_WORK_MAX ((uint64_t)8 << 30)

struct squashfs;

enum squashfs_type {
	SQUASHFS_NONE = 0,
	SQUASHFS_FOLDER,
	SQUASHFS_FILE,
	SQUASHFS_LINK, /* symbolic; hard links are entries like any other */
	SQUASHFS_BLOCK_DEVICE,
	SQUASHFS_CHAR_DEVICE,
	SQUASHFS_FIFO,
	SQUASHFS_SOCKET,
};

/* Views are borrowed until the next call of squashfs_next(), squashfs_rewind() or squashfs_free(). */
struct squashfs_entry {
	struct view path; /* "etc/passwd": from the root on, without NUL; a NUL stands behind it. Hostile */
	enum squashfs_type type;
	unsigned mode; /* permissions with set-user-id, set-group-id, sticky: 07777 */
	uint32_t uid, gid;
	uint32_t mtime; /* epoch seconds */
	uint32_t inode; /* number: equal for hard links of one file, and for whatever else a hostile image says so of */
	uint64_t reference; /* where its inode lies: entries of one reference are one file */
	uint32_t device;
	uint64_t size;  /* of a file */
	struct sig_range stored; /* of a file: its own blocks, without a shared one for its end */
	struct view target; /* of a link. Hostile */
	unsigned xattrs;    /* how many */
	struct view caps;   /* value of security.capability */
	bool repeated;      /* the name before has the same bytes: which one a module opens is anyone's guess */
	bool unsorted;      /* the name before is greater: a module does not find this one */
};

/*
 * s must outlive the file system, and so must work (NULL: this one counts by
 * itself), to which is added what counts against SQUASHFS_WORK_MAX. FG_EFORMAT when it is none or is damaged,
 * FG_ELIMIT when it is packed in a way that cannot be read here; both with a
 * sentence in ret_why (cap bytes). FG_ENOMEM, FG_EIO.
 */
int squashfs_open(const struct source *s, uint64_t *work, struct squashfs **ret, char *ret_why,
    size_t cap);
void squashfs_free(struct squashfs *fs);
/* Bytes of the source that the file system takes; what follows is not its own. */
uint64_t squashfs_size(const struct squashfs *fs);
/* Where the blocks of its files lie, ends that are shared among them: nothing else has a place there. */
struct sig_range squashfs_data(const struct squashfs *fs);
/* Epoch seconds: when it says that it was made. */
uint32_t squashfs_made(const struct squashfs *fs);
/* "gzip", "xz", ...; never NULL. */
const char *squashfs_packed_with(const struct squashfs *fs);
/*
 * The next entry, the root itself not among them: 1, or 0 at the end.
 * FG_EFORMAT or FG_ELIMIT (a bound) end the iteration, squashfs_why() says why;
 * FG_ENOMEM, FG_EIO.
 */
int squashfs_next(struct squashfs *fs, struct squashfs_entry *ret);
/*
 * Up to n bytes of the file that squashfs_next() gave last, each byte once: how
 * many, 0 at the end or when it is no file, or an error as above. A damaged
 * file does not end the iteration; a bound that was met does, and squashfs_next()
 * then says so again.
 */
long squashfs_read(struct squashfs *fs, void *buf, size_t n);
/* squashfs_read() begins again with the first byte of that file. The bound on work runs on. */
void squashfs_again(struct squashfs *fs);
/*
 * Of the file that squashfs_read() came to the end of: the block that the end of
 * the file shares with ends of others. false when it has none of that kind.
 */
bool squashfs_shared(const struct squashfs *fs, struct sig_range *ret);
/* Starts over with the first entry. The bound on work runs on. */
void squashfs_rewind(struct squashfs *fs);
/* One sentence without hostile text; "" when nothing went wrong. Borrowed from fs. */
const char *squashfs_why(const struct squashfs *fs);

#endif
