/* SPDX-License-Identifier: Apache-2.0 */
#include "images/squashfs.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/squashfs_store.h"

#define INODE_HEAD 16u
#define FILE_HEAD (INODE_HEAD + 16u)     /* before the list of blocks */
#define LONG_FILE_HEAD (INODE_HEAD + 40u)
#define HEAD_ENTRIES_MAX 256u            /* behind one header of a listing */
#define LISTING_EXTRA 3u                 /* a folder's size counts "." and ".." */
#define WORDS 256u                       /* of a block list, read at once */

/* A folder whose entries are being gone over. */
struct folder {
	uint64_t ref; /* its inode: a folder that holds itself is found by it */
	uint8_t *listing;
	size_t n, at;
	unsigned left;        /* entries behind the current header */
	uint32_t inode_block; /* of these entries' inodes, from the inode table on */
	uint32_t inode_base;
	size_t path_n;   /* of the folder itself, with its slash; 0 for the root */
	size_t before_at, before_n; /* the name before, in listing */
	bool before;
};

/* The file whose bytes are being read. */
struct content {
	bool open;
	bool damaged;
	uint64_t left;      /* bytes still to come */
	uint64_t at;        /* of the next block */
	uint64_t blocks;    /* still to come */
	uint32_t fragment;
	uint32_t fragment_at;
	uint64_t ref;       /* its inode */
	size_t head;        /* bytes of the inode before the list of blocks */
	bool placed;        /* the reader of inodes stands in the list */
	const uint8_t *out; /* unpacked, not handed out yet */
	size_t out_n;
};

struct squashfs {
	struct squashfs_store st;
	struct folder stack[SQUASHFS_DEPTH_MAX];
	unsigned depth;
	size_t listings; /* bytes of all listings in the stack */
	uint64_t entries;
	bool over;       /* the iteration ended, ... */
	int failed;      /* ... by this; 0 at its proper end */
	bool begun;
	bool descend;    /* into the folder that was given last */
	uint64_t descend_ref;
	uint32_t descend_start, descend_size;
	unsigned descend_offset;
	char path[SQUASHFS_PATH_MAX];
	size_t path_n;
	uint8_t target[SQUASHFS_TARGET_MAX];
	uint8_t caps[SQUASHFS_CAPS_MAX];
	struct content content, content_begin;
	uint8_t *block, *fragment; /* unpacked */
	size_t fragment_n;
	uint32_t fragment_index; /* of what fragment holds; SQUASHFS_STORE_NONE for nothing */
	struct sig_range fragment_stored; /* where it lies */
};

static int
fail(struct squashfs *fs, int err, const char *why)
{
	return squashfs_store_fail(&fs->st, err, why);
}

/* ---- opening ---- */

int
squashfs_open(const struct source *s, uint64_t *work, struct squashfs **ret, char *ret_why,
    size_t cap)
{
	struct squashfs *fs = calloc(1, sizeof *fs);
	if (!fs)
		return FG_ENOMEM;
	int err = squashfs_store_open(&fs->st, s, work);
	if (!err) {
		fs->block = malloc(fs->st.super.block_size);
		fs->fragment = malloc(fs->st.super.block_size);
		err = fs->block && fs->fragment ? 0 : FG_ENOMEM;
	}
	fs->fragment_index = SQUASHFS_STORE_NONE;
	if (err) {
		snprintf(ret_why, cap, "%s", fs->st.why);
		squashfs_free(fs);
		return err;
	}
	*ret = fs;
	return 0;
}

static void
leave(struct squashfs *fs)
{
	struct folder *f = &fs->stack[--fs->depth];
	fs->listings -= f->n;
	free(f->listing);
	*f = (struct folder){ 0 };
}

void
squashfs_free(struct squashfs *fs)
{
	if (!fs)
		return;
	while (fs->depth > 0)
		leave(fs);
	squashfs_store_close(&fs->st);
	free(fs->block);
	free(fs->fragment);
	free(fs);
}

void
squashfs_rewind(struct squashfs *fs)
{
	while (fs->depth > 0)
		leave(fs);
	fs->entries = 0;
	fs->over = fs->begun = fs->descend = false;
	fs->failed = 0;
	fs->content = (struct content){ 0 };
	fs->st.why[0] = '\0';
}

uint64_t
squashfs_size(const struct squashfs *fs)
{
	return fs->st.super.bytes_used;
}

struct sig_range
squashfs_data(const struct squashfs *fs)
{
	return (struct sig_range){ fs->st.data_at, fs->st.super.inode_table_start - fs->st.data_at };
}

uint32_t
squashfs_made(const struct squashfs *fs)
{
	return fs->st.super.modification_time;
}

const char *
squashfs_packed_with(const struct squashfs *fs)
{
	const char *name = sqfs_compressor_name_from_id((SQFS_COMPRESSOR)fs->st.super.compression_id);
	return name ? name : "unknown";
}

bool
squashfs_shared(const struct squashfs *fs, struct sig_range *ret)
{
	if (fs->content.fragment == SQUASHFS_STORE_NONE || fs->content.fragment != fs->fragment_index)
		return false;
	*ret = fs->fragment_stored;
	return true;
}

const char *
squashfs_why(const struct squashfs *fs)
{
	return fs->st.why;
}

/* ---- inodes ---- */

/* What the first 16 bytes of an inode say. */
struct inode {
	unsigned type;
	unsigned mode;
	uint32_t uid, gid, mtime, number;
	uint32_t xattr;
};

enum { DIR = 1, REG, SYMLINK, BLK, CHR, FIFO, SOCK, LONG = 7 /* added for the long form of each */ };

static int
inode_bytes(struct squashfs *fs, uint8_t *buf, size_t n)
{
	return squashfs_store_read(&fs->st, SQUASHFS_STORE_INODES, buf, n);
}

/* Goes to an inode by its reference: block in the inode table, byte in the block. */
static int
inode_seek(struct squashfs *fs, uint64_t ref)
{
	return squashfs_store_seek(&fs->st, SQUASHFS_STORE_INODES,
	    fs->st.super.inode_table_start + (ref >> 16), ref & 0xffff);
}

static int
inode_head(struct squashfs *fs, uint64_t ref, struct inode *ret)
{
	uint8_t bytes[INODE_HEAD];
	struct reader r;
	int err = inode_seek(fs, ref);
	if (!err)
		err = inode_bytes(fs, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	*ret = (struct inode){ .xattr = SQUASHFS_STORE_NONE };
	ret->type = reader_u16le(&r);
	ret->mode = reader_u16le(&r) & 07777;
	unsigned uid = reader_u16le(&r), gid = reader_u16le(&r);
	ret->mtime = reader_u32le(&r);
	ret->number = reader_u32le(&r);
	if (ret->type < DIR || ret->type > SOCK + LONG)
		return fail(fs, FG_EFORMAT, "an inode is of an unknown type");
	err = squashfs_store_owner(&fs->st, uid, &ret->uid);
	return err ? err : squashfs_store_owner(&fs->st, gid, &ret->gid);
}

static int
decode_folder(struct squashfs *fs, struct inode *in)
{
	uint8_t bytes[24];
	struct reader r;
	bool is_long = in->type > LONG;
	size_t n = is_long ? 24 : 16;
	int err = inode_bytes(fs, bytes, n);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, n));
	if (is_long) {
		(void)reader_u32le(&r); /* hard links */
		fs->descend_size = reader_u32le(&r);
		fs->descend_start = reader_u32le(&r);
		(void)reader_u32le(&r); /* the folder above, for NFS */
		(void)reader_u16le(&r); /* entries of an index into the listing */
		fs->descend_offset = reader_u16le(&r);
		in->xattr = reader_u32le(&r);
	} else {
		fs->descend_start = reader_u32le(&r);
		(void)reader_u32le(&r); /* hard links */
		fs->descend_size = reader_u16le(&r);
		fs->descend_offset = reader_u16le(&r);
	}
	return 0;
}

/* Sums what the list of blocks says is stored; the reader of inodes is past it then. */
static int
sum_blocks(struct squashfs *fs, struct sig_range *ret)
{
	uint8_t bytes[WORDS * 4];
	struct content *c = &fs->content;
	for (uint64_t left = c->blocks; left > 0;) {
		size_t n = left < WORDS ? (size_t)left : WORDS;
		struct reader r;
		int err = inode_bytes(fs, bytes, n * 4);
		if (err)
			return err;
		reader_init(&r, view_of(bytes, n * 4));
		for (size_t i = 0; i < n; i++)
			ret->length += squashfs_store_length(reader_u32le(&r));
		left -= n;
	}
	if (ret->length > 0 && (ret->offset > fs->st.super.inode_table_start ||
	                           ret->length > fs->st.super.inode_table_start - ret->offset))
		return fail(fs, FG_EFORMAT, "a file's blocks lie outside");
	if (ret->length == 0)
		ret->offset = 0;
	return 0;
}

static int
decode_file(struct squashfs *fs, struct inode *in, uint64_t ref, struct squashfs_entry *e)
{
	uint8_t bytes[40];
	struct reader r;
	bool is_long = in->type > LONG;
	size_t n = is_long ? 40 : 16;
	struct content *c = &fs->content;
	uint32_t block = fs->st.super.block_size;
	int err = inode_bytes(fs, bytes, n);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, n));
	*c = (struct content){ .open = true, .ref = ref, .head = is_long ? LONG_FILE_HEAD : FILE_HEAD };
	if (is_long) {
		c->at = reader_u64le(&r);
		e->size = reader_u64le(&r);
		(void)reader_u64le(&r); /* bytes of holes: for du(1) */
		(void)reader_u32le(&r); /* hard links */
		c->fragment = reader_u32le(&r);
		c->fragment_at = reader_u32le(&r);
		in->xattr = reader_u32le(&r);
	} else {
		c->at = reader_u32le(&r);
		c->fragment = reader_u32le(&r);
		c->fragment_at = reader_u32le(&r);
		e->size = reader_u32le(&r);
	}
	c->left = e->size;
	c->blocks = e->size / block + (c->fragment == SQUASHFS_STORE_NONE && e->size % block != 0);
	e->stored.offset = c->at;
	fs->content_begin = *c;
	return sum_blocks(fs, &e->stored);
}

static int
decode_link(struct squashfs *fs, struct inode *in, struct squashfs_entry *e)
{
	uint8_t bytes[8];
	struct reader r;
	int err = inode_bytes(fs, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	(void)reader_u32le(&r); /* hard links */
	uint32_t n = reader_u32le(&r);
	if (n == 0 || n > SQUASHFS_TARGET_MAX)
		return fail(fs, FG_EFORMAT, "a symbolic link is empty or longer than a path may be");
	err = inode_bytes(fs, fs->target, n);
	e->target = view_of(fs->target, n);
	if (!err && in->type > LONG) {
		err = inode_bytes(fs, bytes, 4);
		reader_init(&r, view_of(bytes, 4));
		in->xattr = reader_u32le(&r);
	}
	return err;
}

/* Devices, pipes and sockets. */
static int
decode_special(struct squashfs *fs, struct inode *in, struct squashfs_entry *e)
{
	uint8_t bytes[12];
	struct reader r;
	bool is_long = in->type > LONG, device = in->type % LONG == BLK || in->type % LONG == CHR;
	size_t n = 4 + (device ? 4u : 0) + (is_long ? 4u : 0);
	int err = inode_bytes(fs, bytes, n);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, n));
	(void)reader_u32le(&r); /* hard links */
	if (device)
		e->device = reader_u32le(&r);
	if (is_long)
		in->xattr = reader_u32le(&r);
	return 0;
}

static const enum squashfs_type types[LONG + 1] = {
	[DIR] = SQUASHFS_FOLDER,
	[REG] = SQUASHFS_FILE,
	[SYMLINK] = SQUASHFS_LINK,
	[BLK] = SQUASHFS_BLOCK_DEVICE,
	[CHR] = SQUASHFS_CHAR_DEVICE,
	[FIFO] = SQUASHFS_FIFO,
	[SOCK] = SQUASHFS_SOCKET,
};

/* Fills all of e but its path. */
static int
decode_inode(struct squashfs *fs, uint64_t ref, struct squashfs_entry *e)
{
	struct inode in;
	size_t caps_n = 0;
	fs->content.open = false;
	int err = inode_head(fs, ref, &in);
	if (err)
		return err;
	e->type = types[in.type > LONG ? in.type - LONG : in.type];
	if (e->type == SQUASHFS_FOLDER)
		err = decode_folder(fs, &in);
	else if (e->type == SQUASHFS_FILE)
		err = decode_file(fs, &in, ref, e);
	else if (e->type == SQUASHFS_LINK)
		err = decode_link(fs, &in, e);
	else
		err = decode_special(fs, &in, e);
	if (!err && in.xattr != SQUASHFS_STORE_NONE)
		err = squashfs_store_xattrs(&fs->st, in.xattr, &e->xattrs, fs->caps, &caps_n);
	e->caps = view_of(fs->caps, caps_n);
	e->mode = in.mode;
	e->uid = in.uid;
	e->gid = in.gid;
	e->mtime = in.mtime;
	e->inode = in.number;
	e->reference = ref;
	return err;
}

/* ---- listings ---- */

/* Reads the listing of the folder decoded last, and goes into it. */
static int
enter(struct squashfs *fs, uint64_t ref)
{
	size_t n = fs->descend_size > LISTING_EXTRA ? fs->descend_size - LISTING_EXTRA : 0;
	if (fs->depth == SQUASHFS_DEPTH_MAX)
		return fail(fs, FG_ELIMIT, "folders lie more than 64 deep");
	for (unsigned i = 0; i < fs->depth; i++)
		if (fs->stack[i].ref == ref)
			return fail(fs, FG_EFORMAT, "a folder holds itself");
	if (n > SQUASHFS_LISTINGS_MAX - fs->listings)
		return fail(fs, FG_ELIMIT, "the listings of open folders are longer than 32 MiB");
	uint8_t *listing = malloc(n ? n : 1);
	if (!listing)
		return FG_ENOMEM;
	int err = n == 0 ? 0
	                 : squashfs_store_seek(&fs->st, SQUASHFS_STORE_FOLDERS,
	                       fs->st.super.directory_table_start + fs->descend_start,
	                       fs->descend_offset);
	if (!err && n > 0)
		err = squashfs_store_read(&fs->st, SQUASHFS_STORE_FOLDERS, listing, n);
	if (err) {
		free(listing);
		return err;
	}
	fs->listings += n;
	fs->stack[fs->depth++] =
	    (struct folder){ .ref = ref, .listing = listing, .n = n, .path_n = fs->path_n };
	return 0;
}

/* One line of a listing. */
struct line {
	uint64_t ref;
	uint32_t inode;
	unsigned type;
	struct view name; /* in the listing */
};

static bool
is_name(struct view name)
{
	return name.n > 0 && name.n <= SQUASHFS_NAME_MAX && !memchr(name.p, '/', name.n) &&
	       !memchr(name.p, '\0', name.n) && !view_is(name, ".") && !view_is(name, "..");
}

/* The next line: 1, 0 at the end, or an error. */
static int
next_line(struct squashfs *fs, struct folder *f, struct line *ret)
{
	struct reader r;
	if (f->at == f->n)
		return 0;
	reader_init(&r, view_of(f->listing + f->at, f->n - f->at));
	if (f->left == 0) {
		uint32_t count = reader_u32le(&r);
		f->inode_block = reader_u32le(&r);
		f->inode_base = reader_u32le(&r);
		if (r.bad || count >= HEAD_ENTRIES_MAX)
			return fail(fs, FG_EFORMAT, "the header of a listing is malformed");
		f->left = count + 1;
	}
	uint16_t offset = reader_u16le(&r), difference = reader_u16le(&r);
	ret->type = reader_u16le(&r);
	size_t n = (size_t)reader_u16le(&r) + 1;
	ret->name = reader_take(&r, n);
	if (r.bad || !is_name(ret->name))
		return fail(fs, FG_EFORMAT, "a listing is cut, or holds a name that no file can have");
	ret->ref = (uint64_t)f->inode_block << 16 | offset;
	ret->inode = f->inode_base + (difference < 0x8000 ? difference : 0xffff0000u | difference);
	f->left--;
	f->at += r.off;
	if (f->at == f->n && f->left > 0)
		return fail(fs, FG_EFORMAT, "a listing is shorter than its header says");
	return 1;
}

/* Bytes before bytes, the shorter first. */
static int
compare(struct view a, struct view b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int
take_name(struct squashfs *fs, struct folder *f, struct view name, struct squashfs_entry *e)
{
	if (f->path_n + name.n + 2 > sizeof fs->path)
		return fail(fs, FG_ELIMIT, "a path is longer than any program can open");
	memcpy(fs->path + f->path_n, name.p, name.n);
	fs->path[f->path_n + name.n] = '\0';
	e->path = view_of(fs->path, f->path_n + name.n);
	if (f->before) {
		int c = compare(view_of(f->listing + f->before_at, f->before_n), name);
		e->repeated = c == 0;
		e->unsorted = c > 0;
	}
	f->before = true;
	f->before_at = (size_t)(name.p - f->listing);
	f->before_n = name.n;
	return 0;
}

static int
begin(struct squashfs *fs)
{
	struct squashfs_entry root = { .type = SQUASHFS_NONE };
	uint64_t ref = fs->st.super.root_inode_ref;
	fs->begun = true;
	fs->path_n = 0;
	int err = decode_inode(fs, ref, &root);
	if (!err && root.type != SQUASHFS_FOLDER)
		err = fail(fs, FG_EFORMAT, "the root is no folder");
	return err ? err : enter(fs, ref);
}

/* Into the folder that was given last, whose path gets its slash. */
static int
go_down(struct squashfs *fs)
{
	fs->descend = false;
	fs->path[fs->path_n++] = '/';
	return enter(fs, fs->descend_ref);
}

static int
step(struct squashfs *fs, struct squashfs_entry *e)
{
	struct line line = { 0 };
	int found = 0;
	int err = !fs->begun ? begin(fs) : fs->descend ? go_down(fs) : 0;
	while (!err && fs->depth > 0 && !found) {
		found = next_line(fs, &fs->stack[fs->depth - 1], &line);
		if (found == 0)
			leave(fs);
		else if (found < 0)
			err = found;
	}
	if (err || !found)
		return err;
	if (++fs->entries > SQUASHFS_ENTRIES_MAX)
		return fail(fs, FG_ELIMIT, "there are more than 200000 entries");
	err = take_name(fs, &fs->stack[fs->depth - 1], line.name, e);
	if (!err)
		err = decode_inode(fs, line.ref, e);
	if (!err && (types[line.type <= LONG ? line.type : 0] != e->type || line.inode != e->inode))
		err = fail(fs, FG_EFORMAT, "a listing and an inode contradict each other");
	if (err)
		return err;
	fs->path_n = e->path.n;
	fs->descend = e->type == SQUASHFS_FOLDER;
	fs->descend_ref = line.ref;
	return 1;
}

int
squashfs_next(struct squashfs *fs, struct squashfs_entry *ret)
{
	struct squashfs_entry e = { .type = SQUASHFS_NONE };
	if (fs->over)
		return fs->failed;
	int r = step(fs, &e);
	fs->over = r <= 0;
	fs->failed = r < 0 ? r : 0;
	if (r > 0)
		*ret = e;
	else
		fs->content.open = false;
	return r;
}

/* ---- content ---- */

/* The next entry of the list of blocks. */
static int
next_word(struct squashfs *fs, uint32_t *ret)
{
	uint8_t bytes[LONG_FILE_HEAD];
	struct content *c = &fs->content;
	struct reader r;
	int err = 0;
	if (!c->placed) {
		err = inode_seek(fs, c->ref);
		if (!err)
			err = inode_bytes(fs, bytes, c->head);
		c->placed = true;
	}
	if (!err)
		err = inode_bytes(fs, bytes, 4);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, 4));
	*ret = reader_u32le(&r);
	return 0;
}

static int
next_block(struct squashfs *fs)
{
	struct content *c = &fs->content;
	size_t block = fs->st.super.block_size, got = 0;
	size_t want = c->left < block ? (size_t)c->left : block;
	uint32_t word = 0;
	int err = next_word(fs, &word);
	if (!err && word == 0) { /* a hole */
		err = squashfs_store_count(&fs->st, want);
		memset(fs->block, 0, want);
		got = want;
	} else if (!err) {
		err = squashfs_store_unpack(&fs->st, c->at, word, fs->block, block, &got);
		c->at += squashfs_store_length(word);
	}
	if (!err && got != want)
		err = fail(fs, FG_EFORMAT, "a block of data has another length than the file says");
	if (err)
		return err;
	c->blocks--;
	c->out = fs->block;
	c->out_n = want;
	return 0;
}

static int
tail(struct squashfs *fs)
{
	struct content *c = &fs->content;
	uint64_t at;
	uint32_t word;
	int err = 0;
	if (c->fragment != fs->fragment_index) {
		fs->fragment_index = SQUASHFS_STORE_NONE;
		err = squashfs_store_fragment(&fs->st, c->fragment, &at, &word);
		if (!err)
			err = squashfs_store_unpack(&fs->st, at, word, fs->fragment,
			    fs->st.super.block_size, &fs->fragment_n);
		if (err)
			return err;
		fs->fragment_index = c->fragment;
		fs->fragment_stored = (struct sig_range){ at, squashfs_store_length(word) };
	}
	if (c->fragment_at > fs->fragment_n || c->left > fs->fragment_n - c->fragment_at)
		return fail(fs, FG_EFORMAT, "a file ends past the block that it shares");
	c->out = fs->fragment + c->fragment_at;
	c->out_n = (size_t)c->left;
	return 0;
}

void
squashfs_again(struct squashfs *fs)
{
	if (fs->content.open)
		fs->content = fs->content_begin;
}

long
squashfs_read(struct squashfs *fs, void *buf, size_t n)
{
	struct content *c = &fs->content;
	if (!c->open || c->left == 0)
		return 0;
	if (c->damaged)
		return FG_EFORMAT;
	if (c->out_n == 0) {
		int err = c->blocks > 0 ? next_block(fs) : tail(fs);
		if (err == FG_EFORMAT)
			c->damaged = true;
		else if (err) {
			fs->over = true;
			fs->failed = err;
		}
		if (err)
			return err;
	}
	size_t part = n < c->out_n ? n : c->out_n;
	memcpy(buf, c->out, part);
	c->out += part;
	c->out_n -= part;
	c->left -= part;
	return (long)part;
}
