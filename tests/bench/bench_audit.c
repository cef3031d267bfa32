/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_audit - what a durable record costs in the audit log (record, checksum,
 * one write and one fdatasync a batch) beside a program that only appends the
 * same bytes to a file in the same directory and syncs as often. Rounds of the
 * two alternate. Leaf hashes, tree, tiles and the signed checkpoint come once a
 * second or so in life and after the acknowledgement: they are measured by
 * themselves, all of them, as CPU a record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/entry.h"
#include "crypto/err.h"
#include "gateway/audit/ledger.h"

#define NAME "audit"
#define BATCH_MAX 512
#define RUNS_MAX 25
#define COMMITS_MAX 200
#define GOAL 1.5 /* times the peer's */

struct record {
	size_t at, n;
};

/* Records of one round, back to back: a batch is one run of bytes for the peer. */
struct round {
	struct writer bytes;
	struct record *record;
	size_t records;
};

struct places {
	char dir[64];
	int dirfd, wal, log, peer;
};

static void
make_place(struct places *p, const char *name, int *ret)
{
	if (mkdirat(p->dirfd, name, 0700))
		bench_fail(name, FG_EIO);
	*ret = openat(p->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		bench_fail(name, FG_EIO);
}

static void
open_places(struct places *p)
{
	snprintf(p->dir, sizeof p->dir, "bench-audit-XXXXXX");
	if (!mkdtemp(p->dir))
		bench_fail("mkdtemp in the current directory", FG_EIO);
	p->dirfd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_place(p, "wal", &p->wal);
	make_place(p, "log", &p->log);
	p->peer = openat(p->dirfd, "peer", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (p->peer < 0)
		bench_fail("peer", FG_EIO);
}

/* A grant, the record that is waited for: the others are no longer. */
static void
make_round(struct round *r, uint64_t first, size_t records)
{
	writer_init(&r->bytes, 64u << 20);
	r->records = records;
	r->record = calloc(records, sizeof *r->record);
	if (!r->record)
		bench_fail("memory", FG_ENOMEM);
	for (size_t i = 0; i < records; i++) {
		struct entry e = { .seq = first + i, .t_us = INT64_C(1760000000000000) + (int64_t)(first + i) * 171,
			.clk = ENTRY_CLK_NTP, .src = view_str("gw-7f3a91c2/edge0"), .ev = ENTRY_DEVICE_GRANT,
			.sev = 6, .out = view_str("ok"), .have_dev = true, .refs = 2,
			.obj = view_str("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") };
		uint64_t mix = (first + i) * UINT64_C(0x9e3779b97f4a7c15);
		memcpy(e.dev, &mix, sizeof mix);
		e.ref[0] = (struct entry_ref){ .key = view_str("expires"), .is_number = true, .number = 1760000900 };
		e.ref[1] = (struct entry_ref){ .key = view_str("release"),
			.text = view_str("5e884898da28047151d0e56f8dc62927") };
		const char *why = NULL;
		r->record[i].at = r->bytes.n;
		int err = entry_encode(&e, &r->bytes, &why);
		if (err)
			bench_fail(why ? why : "entry", err);
		r->record[i].n = r->bytes.n - r->record[i].at;
	}
}

static void
free_round(struct round *r)
{
	writer_free(&r->bytes);
	free(r->record);
}

/* Every commit's milliseconds in ms. */
static struct bench_time
run_peer(const struct places *p, const struct round *r, size_t batch, double *ms)
{
	struct bench_time start = bench_now();
	for (size_t i = 0; i < r->records; i += batch) {
		struct bench_time began = bench_now();
		const struct record *last = &r->record[i + batch - 1];
		size_t n = last->at + last->n - r->record[i].at;
		if (write(p->peer, r->bytes.p + r->record[i].at, n) != (ssize_t)n || fdatasync(p->peer))
			bench_fail("peer write", FG_EIO);
		ms[i / batch] = bench_since(began).wall * 1e3;
	}
	return bench_since(start);
}

static struct bench_time
run_ours(struct ledger *l, const struct round *r, size_t batch, double *ms)
{
	struct bench_time start = bench_now();
	for (size_t i = 0; i < r->records; i += batch) {
		struct bench_time began = bench_now();
		int err = FG_OK;
		for (size_t k = i; !err && k < i + batch; k++)
			err = ledger_put(l, view_of(r->bytes.p + r->record[k].at, r->record[k].n));
		if (!err)
			err = ledger_commit(l);
		if (err)
			bench_fail("ledger", err);
		ms[i / batch] = bench_since(began).wall * 1e3;
	}
	return bench_since(start);
}

struct figures { /* one of each a run; ours, and the peer's */
	double wall[RUNS_MAX], cpu[RUNS_MAX], p50[RUNS_MAX], p99[RUNS_MAX];
};

static void
take(struct figures *f, unsigned i, struct bench_time t, double *ms, size_t commits)
{
	f->wall[i] = t.wall / (double)commits;
	f->cpu[i] = t.cpu / (double)commits;
	f->p50[i] = bench_median(ms, commits); /* sorts */
	f->p99[i] = ms[commits * 99 / 100];
}

static void
compare(size_t batch, const char *figure, double *ours, double *peer, unsigned runs, double scale, const char *unit)
{
	char what[64], goal[32];
	double ratio[RUNS_MAX];
	for (unsigned i = 0; i < runs; i++)
		ratio[i] = ours[i] / peer[i];
	double times = bench_median(ratio, runs);
	snprintf(what, sizeof what, "batch %zu: %s, times bare append + fdatasync", batch, figure);
	snprintf(goal, sizeof goal, "at most %.1fx", GOAL);
	bench_goal(NAME, what, goal, times <= GOAL, "%.2fx (%.3f %s, peer %.3f)", times, bench_median(ours, runs) * scale,
	    unit, bench_median(peer, runs) * scale);
}

static void
measure(const struct places *p, struct ledger *l, size_t batch, size_t commits)
{
	static struct figures ours, peer;
	static double ms[COMMITS_MAX], peer_ms[COMMITS_MAX];
	double publish[RUNS_MAX];
	char what[64];
	unsigned runs = bench_runs();
	for (unsigned i = 0; i < runs; i++) {
		struct round r;
		make_round(&r, ledger_next(l), batch * commits);
		struct bench_time theirs = { 0 };
		bool peer_first = i % 2 == 0;
		if (peer_first)
			theirs = run_peer(p, &r, batch, peer_ms);
		take(&ours, i, run_ours(l, &r, batch, ms), ms, commits);
		if (!peer_first)
			theirs = run_peer(p, &r, batch, peer_ms);
		take(&peer, i, theirs, peer_ms, commits);
		struct bench_time start = bench_now();
		int err = ledger_publish(l);
		if (err)
			bench_fail("publish", err);
		publish[i] = bench_since(start).cpu / (double)r.records * 1e6;
		free_round(&r);
	}
	compare(batch, "time a commit", ours.wall, peer.wall, runs, 1e3, "ms");
	compare(batch, "p50", ours.p50, peer.p50, runs, 1, "ms");
	compare(batch, "p99", ours.p99, peer.p99, runs, 1, "ms");
	snprintf(what, sizeof what, "batch %zu: commits and records a second", batch);
	double a_commit = bench_median(ours.wall, runs);
	bench_figure(NAME, what, "%.0f and %.0f", 1 / a_commit, (double)batch / a_commit);
	snprintf(what, sizeof what, "batch %zu: CPU a record", batch);
	bench_figure(NAME, what, "%.2f us (peer %.2f us)", bench_median(ours.cpu, runs) / (double)batch * 1e6,
	    bench_median(peer.cpu, runs) / (double)batch * 1e6);
	if (batch == BATCH_MAX)
		bench_figure(NAME, "hashes, tiles and signed checkpoint: CPU a record", "%.2f us", bench_median(publish, runs));
}

static void
nothing(void *ctx, uint64_t index, struct view entry)
{
	(void)ctx;
	(void)index;
	(void)entry;
}

int
main(void)
{
	struct places p;
	struct note_signer key;
	struct ledger *l = NULL;
	struct ledger_opened opened;
	const uint8_t seed[ED25519_SEED_LEN] = { 7 };
	open_places(&p);
	if (note_signer_make("bench.invalid/log", NOTE_TYPE_ED25519, seed, &key))
		bench_fail("key", FG_ECRYPTO);
	int err = ledger_open(p.wal, p.log, &key, nothing, NULL, &l, &opened);
	if (err || opened.state != MSG_LOG_OPEN_OK)
		bench_fail("ledger_open", err);
	/* The first commit makes the first segment: not what is measured. */
	struct round warm;
	double ms;
	make_round(&warm, 0, 64);
	run_ours(l, &warm, 64, &ms);
	free_round(&warm);
	/* The disk decides at 1 and 64; at 512 every record's hash does. */
	measure(&p, l, 1, COMMITS_MAX);
	measure(&p, l, 64, 100);
	measure(&p, l, BATCH_MAX, 60);
	ledger_close(l);
	note_signer_wipe(&key);
	return 0; /* tests/bench/run removes the folder */
}
