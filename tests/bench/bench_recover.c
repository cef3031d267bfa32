/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_recover - opening the log after a start or a crash: 1 GiB of entries (400
 * bytes each, as usual ones are), every one hashed and held against the signed root.
 * Peer of the same run: reading the same bundles and SHA-256 over their bytes, which
 * nothing that checks them can do without. Syncs are left out while the log is made
 * (this program's are wrapped): they are not what is measured.
 * FG_BENCH_LOG_MIB (1024) says how large the log is.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "gateway/audit/ledger.h"
#include "gateway/audit/tilestore.h"

#define NAME "recover"
#define ENTRY 400
#define BATCH 2000
#define GOAL 3.0 /* a hash for each leaf and one for a node, both short: 9 blocks for the 6.25 of the stream, and twice the set-up */
#define RUNS_MAX 25

int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int
__wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static void
must(int err, const char *what)
{
	if (err)
		bench_fail(what, err);
}

static int
folder(const char *name)
{
	if (mkdir(name, 0755))
		bench_fail(name, FG_EIO);
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
count(void *ctx, uint64_t index, struct view entry)
{
	(void)index;
	*(uint64_t *)ctx += entry.n;
}

static struct ledger *
open_log(int wal, int log, const struct note_signer *key, uint64_t *ret_bytes)
{
	struct ledger *l = NULL;
	struct ledger_opened o;
	*ret_bytes = 0;
	must(ledger_open(wal, log, key, count, ret_bytes, &l, &o), "ledger_open");
	must(o.state != MSG_LOG_OPEN_OK, o.why);
	return l;
}

static void
make_log(int wal, int log, const struct note_signer *key, uint64_t entries)
{
	char text[ENTRY];
	uint64_t bytes;
	struct ledger *l = open_log(wal, log, key, &bytes);
	memset(text, 'x', sizeof text);
	for (uint64_t i = 0; i < entries; i++) {
		memcpy(text, &i, sizeof i);
		must(ledger_put(l, view_of((const uint8_t *)text, sizeof text)), "put");
		if (i % BATCH == BATCH - 1 || i + 1 == entries)
			must(ledger_commit(l), "commit");
		if (ledger_is_due(l))
			must(ledger_publish(l), "publish");
	}
	must(ledger_publish(l), "publish");
	ledger_close(l);
}

static struct bench_time
peer(int log, uint64_t entries)
{
	static uint8_t buf[TILE_BUNDLE_MAX / 16];
	uint8_t out[DIGEST_SHA256_LEN];
	struct bench_time start = bench_now();
	struct digest *d = digest_new(DIGEST_SHA256);
	for (uint64_t i = 0; i * TILE_WIDTH < entries; i++) {
		char path[TILE_PATH_CAP];
		struct tile t = { .level = TILE_ENTRIES, .index = i, .width = tile_width(TILE_ENTRIES, i, entries) };
		tile_path(&t, path);
		int fd = openat(log, path, O_RDONLY | O_CLOEXEC);
		must(fd < 0 ? FG_EIO : FG_OK, path);
		for (ssize_t n; (n = read(fd, buf, sizeof buf)) > 0;)
			must(digest_update(d, view_of(buf, (size_t)n)), "digest");
		close(fd);
	}
	must(digest_final(d, out), "digest");
	digest_free(d);
	return bench_since(start);
}

int
main(void)
{
	const char *mib = getenv("FG_BENCH_LOG_MIB");
	uint64_t size = (mib ? strtoull(mib, NULL, 10) : 1024) << 20, entries = size / ENTRY, bytes;
	struct note_signer key;
	const uint8_t seed[ED25519_SEED_LEN] = { 7 };
	double ours[RUNS_MAX], ratio[RUNS_MAX];
	unsigned runs = bench_runs();
	int wal = folder("recover.wal"), log = folder("recover.log");
	must(note_signer_make("bench.invalid/log", NOTE_TYPE_ED25519, seed, &key), "key");
	make_log(wal, log, &key, entries);
	for (unsigned i = 0; i < runs; i++) {
		struct bench_time theirs = peer(log, entries);
		struct bench_time start = bench_now();
		struct ledger *l = open_log(wal, log, &key, &bytes);
		struct bench_time t = bench_since(start);
		must(bytes != entries * ENTRY, "entries");
		ledger_close(l);
		ours[i] = t.wall;
		ratio[i] = t.wall / theirs.wall;
	}
	double times = bench_median(ratio, runs), wall = bench_median(ours, runs);
	bench_goal(NAME, "opening the log, times reading and SHA-256 of the same bytes", "at most 3x", times <= GOAL, "%.2fx", times);
	bench_figure(NAME, "opening a log of that size", "%llu MiB, %llu entries in %.2f s", (unsigned long long)(size >> 20),
	    (unsigned long long)entries, wall);
	note_signer_wipe(&key);
	return 0; /* tests/bench/run removes the folders */
}
