/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_table - the decision table of a fleet of 1,000,000 modules with two
 * identities each. Peers, over the same identities and bytes: qsort() of the
 * identities for building, one write of the bytes to a fresh memory file for a
 * rebuild of the decisions alone, one memcpy() of the bytes for the check an
 * edge makes, bsearch() in the sorted identities for a lookup.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/err.h"
#include "gateway/edge/table.h"
#include "gateway/wire/memfd.h"

#define NAME "table"
#define MODULES 1000000u
#define DECISIONS 1000u
#define LOOKUPS MODULES
#define RUNS_MAX 25
#define IDENT 24 /* 15 digits of an IMEI or 19 of an ICCID, and NUL */
#define KIND_IMEI 1
#define KIND_ICCID 2

struct ident {
	char text[IDENT];
};

struct fleet {
	struct ident *ident; /* two a module */
	struct ident *asked; /* the IMEIs in no order: what modules send is in nobody's cache but its own */
};

static uint64_t
mix(uint64_t x) /* splitmix64: the same fleet in every run */
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void *
must(void *p)
{
	if (!p)
		bench_fail("memory", FG_ENOMEM);
	return p;
}

static void
make_fleet(struct fleet *f)
{
	f->ident = must(calloc(2 * (size_t)MODULES, sizeof *f->ident));
	f->asked = must(calloc(MODULES, sizeof *f->asked));
	for (uint32_t i = 0; i < MODULES; i++) {
		/* Distinct: the module's number stands in the last seven digits. */
		snprintf(f->ident[2 * i].text, IDENT, "%08u%07u", 35000000u + (unsigned)(mix(i) % 4096), i);
		snprintf(f->ident[2 * i + 1].text, IDENT, "8949%08u%07u", (unsigned)(mix(i + MODULES) % 4096), i);
		f->asked[i] = f->ident[2 * i];
	}
	for (uint32_t i = MODULES - 1; i > 0; i--) {
		uint32_t k = (uint32_t)(mix(i) % (i + 1));
		struct ident t = f->asked[i];
		f->asked[i] = f->asked[k];
		f->asked[k] = t;
	}
}

/* ---- building ---- */

static void
add_modules(struct table_builder *b, const struct fleet *f, uint32_t n)
{
	static const char *const groups[] = { "", "canary", "field", "depot-north", "depot-south" };
	static const char *const products[] = { "EG25-G", "BG95-M3", "SARA-R510S", "EXS82-W" };
	static const char *const versions[] = { "", "1.0.0", "1.1.0", "1.1.1", "1.2.0" };
	for (uint32_t i = 0; i < n; i++) {
		uint64_t r = mix(i ^ UINT64_C(0x5555));
		struct table_module m = { .group = groups[r % 5], .product = products[(r >> 8) % 4],
			.version = versions[(r >> 16) % 5], .listed = true, .idents_n = 2 };
		memcpy(m.pseudonym, &r, sizeof r);
		memcpy(m.pseudonym + 8, &i, sizeof i);
		m.ident[0] = (struct table_ident){ .kind = KIND_IMEI, .cls = 4, .text = view_str(f->ident[2 * i].text) };
		m.ident[1] = (struct table_ident){ .kind = KIND_ICCID, .cls = 4,
			.text = view_str(f->ident[2 * i + 1].text) };
		int err = table_builder_module(b, &m);
		if (err)
			bench_fail("table_builder_module", err);
	}
}

static void
add_decisions(struct table_builder *b)
{
	for (uint32_t i = 0; i < DECISIONS; i++) {
		char from[16];
		snprintf(from, sizeof from, "1.0.%u", i % 10);
		struct table_decision d = { .profile = "bench", .product = "EG25-G", .target = "1.3.0", .from = from,
			.group = "*", .not_before = 1760000000, .not_after = 1790000000, .size = 1 << 20,
			.share = UINT64_C(1) << 32, .known_by = INT64_MAX, .as_of = INT64_MAX };
		uint32_t cell = i / 10;
		memcpy(d.release, &i, sizeof i);
		memcpy(d.resource, &cell, sizeof cell);
		memcpy(d.image, &i, sizeof i);
		int err = table_builder_decision(b, &d);
		if (err)
			bench_fail("table_builder_decision", err);
	}
}

static int
finish(struct table_builder *b)
{
	int fd = memfd_open("bench-table");
	int err = fd < 0 ? fd : table_builder_write(b, fd);
	if (!err)
		err = memfd_seal(fd);
	if (err)
		bench_fail("table_builder_write", err);
	table_builder_free(b);
	return fd;
}

static int
build(const struct fleet *f, uint32_t n)
{
	static const uint8_t seed[16] = "0123456789abcdef";
	struct table_builder *b = must(table_builder_new(1, seed, n));
	add_modules(b, f, n);
	add_decisions(b);
	return finish(b);
}

static int
rebuild(const struct table *t)
{
	struct table_builder *b = must(table_builder_from(t, 2));
	add_decisions(b);
	return finish(b);
}

static struct table *
check(int fd)
{
	struct table *t = NULL;
	int err = table_open(fd, &t);
	if (err)
		bench_fail("table_open", err);
	return t;
}

/* ---- peers ---- */

static int
by_text(const void *a, const void *b)
{
	return memcmp(a, b, IDENT);
}

static struct bench_time
peer_sort(const struct fleet *f, struct ident *sorted)
{
	memcpy(sorted, f->ident, 2 * (size_t)MODULES * sizeof *sorted);
	struct bench_time start = bench_now();
	qsort(sorted, 2 * (size_t)MODULES, sizeof *sorted, by_text);
	return bench_since(start);
}

static struct bench_time
peer_write(struct view bytes)
{
	struct bench_time start = bench_now();
	int fd = memfd_open("bench-peer");
	for (size_t at = 0; fd >= 0 && at < bytes.n;) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);
		if (n <= 0)
			bench_fail("peer write", FG_EIO);
		at += (size_t)n;
	}
	close(fd);
	return bench_since(start);
}

static struct bench_time
peer_copy(struct view bytes, uint8_t *to)
{
	struct bench_time start = bench_now();
	memcpy(to, bytes.p, bytes.n);
	__asm__ volatile("" : : "r"(to) : "memory"); /* or the compiler drops a copy nobody reads */
	return bench_since(start);
}

/* ---- lookups ---- */

static double
ours_find(const struct table *t, const struct fleet *f, bool there)
{
	uint32_t found = 0;
	struct bench_time start = bench_now();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct ident id = f->asked[i];
		id.text[0] = there ? id.text[0] : '9';
		struct table_row row;
		found += table_find(t, KIND_IMEI, view_str(id.text), &row);
	}
	double ns = bench_since(start).cpu / LOOKUPS * 1e9;
	if (found != (there ? LOOKUPS : 0))
		bench_fail("lookups found", (int)found);
	return ns;
}

static double
peer_find(const struct ident *sorted, const struct fleet *f)
{
	uint32_t found = 0;
	struct bench_time start = bench_now();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct ident id = f->asked[i];
		found += bsearch(&id, sorted, 2 * (size_t)MODULES, sizeof *sorted, by_text) != NULL;
	}
	double ns = bench_since(start).cpu / LOOKUPS * 1e9;
	if (found != LOOKUPS)
		bench_fail("bsearch found", (int)found);
	return ns;
}

/* ---- rows ---- */

static size_t
bytes_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		bench_fail("fstat", FG_EIO);
	return (size_t)st.st_size;
}

static int
bench_build(const struct fleet *f, struct ident *sorted)
{
	double ratio[RUNS_MAX], cpu[RUNS_MAX], wall[RUNS_MAX];
	unsigned runs = bench_runs();
	int fd = -1;
	for (unsigned i = 0; i < runs; i++) {
		if (fd >= 0)
			close(fd);
		struct bench_time peer = peer_sort(f, sorted);
		struct bench_time start = bench_now();
		fd = build(f, MODULES);
		struct bench_time ours = bench_since(start);
		ratio[i] = ours.cpu / peer.cpu;
		cpu[i] = ours.cpu;
		wall[i] = ours.wall;
	}
	double r = bench_median(ratio, runs);
	double mb = (double)bytes_of(fd) / 1e6;
	bench_goal(NAME, "build 1,000,000 modules: CPU against qsort of their identities", "at most 1.0x", r <= 1.0,
	    "%.2fx (CPU %.2f s, wall %.2f s)", r, bench_median(cpu, runs), bench_median(wall, runs));
	bench_goal(NAME, "size, two identities a module", "at most 80 MB", mb <= 80, "%.1f MB", mb);
	return fd;
}

static void
bench_rebuild(const struct table *t, struct view bytes)
{
	double ratio[RUNS_MAX], ms[RUNS_MAX];
	unsigned runs = bench_runs();
	for (unsigned i = 0; i < runs; i++) {
		struct bench_time peer = peer_write(bytes), start = bench_now();
		close(rebuild(t));
		struct bench_time ours = bench_since(start);
		ratio[i] = ours.cpu / peer.cpu;
		ms[i] = ours.wall * 1e3;
	}
	double r = bench_median(ratio, runs);
	bench_goal(NAME, "new decisions only: CPU against one write of the same bytes", "at most 1.5x", r <= 1.5,
	    "%.2fx (wall %.0f ms)", r, bench_median(ms, runs));
}

static void
bench_check(int fd, struct view bytes)
{
	double ratio[RUNS_MAX], ms[RUNS_MAX];
	unsigned runs = bench_runs();
	uint8_t *to = must(malloc(bytes.n));
	memset(to, 1, bytes.n);
	for (unsigned i = 0; i < runs; i++) {
		struct bench_time peer = peer_copy(bytes, to), start = bench_now();
		table_free(check(fd));
		struct bench_time ours = bench_since(start);
		ratio[i] = ours.cpu / peer.cpu;
		ms[i] = ours.wall * 1e3;
	}
	free(to);
	/* An edge's loop waits for it: a swap must not be felt by transfers. */
	double wall = bench_median(ms, runs);
	bench_goal(NAME, "swap: an edge's check of the whole table", "at most 250 ms", wall <= 250,
	    "%.0f ms (%.1fx a memcpy of the same bytes)", wall, bench_median(ratio, runs));
}

static void
bench_find(const struct table *t, const struct fleet *f, const struct ident *sorted)
{
	double ratio[RUNS_MAX], hit[RUNS_MAX], miss[RUNS_MAX];
	unsigned runs = bench_runs();
	for (unsigned i = 0; i < runs; i++) {
		double peer = peer_find(sorted, f);
		hit[i] = ours_find(t, f, true);
		miss[i] = ours_find(t, f, false);
		ratio[i] = hit[i] / peer;
	}
	double r = bench_median(ratio, runs);
	bench_goal(NAME, "lookup: CPU against bsearch in the sorted identities", "at most 1.0x", r <= 1.0,
	    "%.2fx (%.0f ns there, %.0f ns not there)", r, bench_median(hit, runs), bench_median(miss, runs));
}

/* What a lookup takes in tables of all sizes; nearly all of it is memory that is in no cache. */
static void
bench_flat(const struct fleet *f)
{
	static const uint32_t sizes[] = { 10, 1000, 100000, MODULES };
	double ns[4][RUNS_MAX];
	unsigned runs = bench_runs();
	for (size_t s = 0; s < 4; s++) {
		int fd = build(f, sizes[s]);
		struct table *t = check(fd);
		for (unsigned i = 0; i < runs; i++) {
			uint32_t found = 0;
			struct bench_time start = bench_now();
			for (uint32_t k = 0; k < LOOKUPS; k++) {
				struct table_row row;
				struct ident id = f->ident[2 * (mix(k) % sizes[s])];
				found += table_find(t, KIND_IMEI, view_str(id.text), &row);
			}
			ns[s][i] = bench_since(start).cpu / LOOKUPS * 1e9;
			if (found != LOOKUPS)
				bench_fail("lookups found", (int)found);
		}
		table_free(t);
		close(fd);
	}
	bench_figure(NAME, "lookup by modules in the table, once a connection",
	    "10: %.0f ns, 1,000: %.0f ns, 100,000: %.0f ns, 1,000,000: %.0f ns",
	    bench_median(ns[0], runs), bench_median(ns[1], runs), bench_median(ns[2], runs), bench_median(ns[3], runs));
}

int
main(void)
{
	struct fleet f;
	struct view bytes;
	make_fleet(&f);
	struct ident *sorted = must(calloc(2 * (size_t)MODULES, sizeof *sorted));
	int fd = bench_build(&f, sorted);
	struct table *t = check(fd);
	if (memfd_map(fd, TABLE_BYTES_MAX, &bytes))
		bench_fail("memfd_map", FG_EIO);
	bench_rebuild(t, bytes);
	bench_check(fd, bytes);
	bench_find(t, &f, sorted);
	bench_flat(&f);
	memfd_unmap(bytes);
	table_free(t);
	close(fd);
	free(sorted);
	free(f.ident);
	free(f.asked);
	return 0;
}
