/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_verify - fotagate-verify over an export of 1,000,000 entries: a fleet's
 * grants, downloads and sightings, and a hundred releases that two persons signed
 * for. Peers of the same run: sha256sum over the same bytes (every file once, by
 * as many processes as there are processors), and verify40.py, which checks the
 * tree alone. FG_BIN and FG_SRC say where they are.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "crypto/checkpoint.h"
#include "crypto/entry.h"
#include "crypto/hex.h"
#include "crypto/release.h"
#include "crypto/tile.h"
#include "unit/crypto/people.h"

#define ENTRIES 1000000u
#define EACH 10000u /* entries from one release to the next */
#define US INT64_C(1000000)
#define GAP (US / 100) /* between two entries */

struct maker {
	struct person alice, bob;
	struct note_signer key;
	struct merkle *m;
	struct merkle_range range;
	uint8_t (*level[TILE_LEVELS])[MERKLE_HASH_LEN];
	FILE *entries;
	struct writer line, bundle, text, sig;
	struct approval_terms terms;
	char obj[64];
	uint32_t fill;
};

static void
must(bool ok, const char *what)
{
	if (!ok)
		bench_fail(what, 1);
}

/* Folders on the way are made. */
static void
write_file(const char *name, struct view bytes)
{
	char path[256];
	snprintf(path, sizeof path, "%s", name);
	FILE *f = fopen(path, "we");
	for (char *p = path; !f && (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	if (!f)
		f = fopen(path, "we");
	must(f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n && fclose(f) == 0, name);
}

static int64_t
now_us(const struct maker *k)
{
	return (PEOPLE_T0 + 3600) * US + (int64_t)k->range.size * GAP;
}

static void
flush_bundle(struct maker *k, uint64_t index, unsigned width)
{
	struct tile t = { .level = TILE_ENTRIES, .index = index, .width = width };
	char path[TILE_PATH_CAP], name[80];
	tile_path(&t, path);
	snprintf(name, sizeof name, "e/%s", path);
	write_file(name, writer_view(&k->bundle));
	writer_reset(&k->bundle);
}

static void
put(struct maker *k, struct entry e, const char *src)
{
	uint64_t i = k->range.size;
	e.seq = i;
	e.t_us = now_us(k);
	e.clk = ENTRY_CLK_NTP;
	e.src = view_str(src);
	e.sev = entry_event_severity(e.ev);
	e.out = view_str("ok");
	writer_reset(&k->line);
	must(entry_encode(&e, &k->line, NULL) == 0, "an entry");
	must(merkle_leaf(k->m, writer_view(&k->line), k->level[0][i]) == 0, "hashing");
	must(merkle_range_push(k->m, &k->range, k->level[0][i]) == 0, "hashing");
	must(tile_bundle_put(&k->bundle, writer_view(&k->line)) == 0, "a bundle");
	must(fwrite(k->line.p, 1, k->line.n, k->entries) == k->line.n && fputc('\n', k->entries) == '\n', "entries.jsonl");
	if (k->range.size % TILE_WIDTH == 0)
		flush_bundle(k, i / TILE_WIDTH, TILE_WIDTH);
}

static void
named(struct view bytes, const char *folder, const char *suffix, const uint8_t *digest)
{
	uint8_t own[32];
	char hex[DIGEST_HEX_LEN + 1], name[160];
	if (!digest)
		digest_sha256(bytes, own);
	hex_encode(digest ? digest : own, 32, hex);
	snprintf(name, sizeof name, "e/%s/%s%s", folder, hex, suffix);
	write_file(name, bytes);
}

static void
sign(struct maker *k, const struct person *p, uint8_t nonce, struct release_statement *ret)
{
	uint8_t root[32];
	char why[160];
	merkle_range_root(k->m, &k->range, root);
	struct approval *a = people_statement(p, &k->terms, now_us(k) / US, nonce, k->range.size, root);
	writer_reset(&k->text);
	writer_reset(&k->sig);
	must(approval_encode(a, &k->text, why, sizeof why) == 0, "a statement");
	people_sign(p, APPROVAL_NAMESPACE, writer_view(&k->text), &k->sig);
	snprintf(ret->approver, sizeof ret->approver, "%s", p->name);
	digest_sha256(writer_view(&k->text), ret->statement);
	digest_sha256(writer_view(&k->sig), ret->signature);
	sshkey_digest(&p->key, ret->key);
	named(writer_view(&k->text), "statements", ".json", NULL);
	named(writer_view(&k->sig), "statements", ".sig", ret->statement);
	free(a);
}

static void
release(struct maker *k)
{
	struct release *r = calloc(1, sizeof *r);
	uint8_t id[RELEASE_ID];
	put(k, (struct entry){ .ev = ENTRY_REVIEW_OPENED, .act = view_str("control"), .obj = view_str("R-7") }, "gw-1/control");
	*r = (struct release){ .terms = k->terms, .size = 100, .block_size = RELEASE_BLOCK, .blocks = 1, .quorum = 2,
		.statements_n = 2 };
	sign(k, &k->alice, 1, &r->statement[0]);
	sign(k, &k->bob, 2, &r->statement[1]);
	r->log_size = k->range.size;
	r->issued = now_us(k) / US;
	writer_reset(&k->text);
	must(release_encode(r, &k->text) == 0, "a release");
	release_id(writer_view(&k->text), id);
	snprintf(k->obj, sizeof k->obj, "release:");
	hex_encode(id, RELEASE_ID, k->obj + 8);
	put(k, (struct entry){ .ev = ENTRY_RELEASE_ISSUED, .act = view_str("warden"), .obj = view_str(k->obj),
	    .doc = writer_view(&k->text) }, "gw-1/warden");
	k->fill = 0;
	free(r);
}

/* Of ten: five grants, four downloads, a sighting. */
static void
ordinary(struct maker *k)
{
	struct entry e = { .obj = view_str(k->obj), .have_dev = true };
	uint32_t kind = k->fill % 10, module = k->fill / 10 * 5 + kind % 5;
	k->fill++;
	memcpy(e.dev, &module, sizeof module);
	memset(e.dev + 4, 0x5a, sizeof e.dev - 4);
	if (kind < 5) {
		e.ev = ENTRY_DEVICE_GRANT;
		e.refs = 1;
		e.ref[0] = (struct entry_ref){ view_str("table"), true, k->range.size, { 0 } };
	} else if (kind < 9) {
		e.ev = ENTRY_DEVICE_SERVED;
		e.refs = 2;
		e.ref[0] = (struct entry_ref){ view_str("offset"), true, 0, { 0 } };
		e.ref[1] = (struct entry_ref){ view_str("sent"), true, 41943040, { 0 } };
		e.msg = view_str("sent to the end");
	} else {
		e = (struct entry){ .ev = ENTRY_MODULE_SIGHTING, .act = view_str("control"), .obj = view_str("quectel/EC25/dfota.bin"),
			.refs = 2 };
		e.ref[0] = (struct entry_ref){ view_str("count"), true, module, { 0 } };
		e.ref[1] = (struct entry_ref){ view_str("profile"), false, 0, view_str("quectel") };
	}
	put(k, e, kind < 9 ? "gw-1/edge0" : "gw-1/control");
}

static void
authority(struct maker *k, struct writer *ret_trust)
{
	const struct person *who[] = { &k->alice, &k->bob };
	struct genesis *g = people_genesis(who, 2, 2);
	struct writer text, sig;
	uint8_t digest[32];
	char hex[DIGEST_HEX_LEN + 1], name[64];
	writer_init(&text, GENESIS_BYTES_MAX);
	must(genesis_encode(g, &text) == 0, "genesis");
	write_file("e/signers/genesis.json", writer_view(&text));
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		snprintf(name, sizeof name, "e/signers/genesis.sig.%u", i);
		write_file(name, writer_view(&sig));
		writer_free(&sig);
	}
	writer_init(&sig, 65536);
	must(signers_allowed(&g->set, APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE, &sig) == 0, "allowed_signers");
	write_file("e/signers/allowed_signers", writer_view(&sig));
	put(k, (struct entry){ .ev = ENTRY_AUTHORITY_GENESIS, .doc = writer_view(&text) }, "gw-1/audit");
	digest_sha256(writer_view(&text), digest);
	hex_encode(digest, 32, hex);
	writer_textf(ret_trust, "genesis %s\nlog %s\n", hex, g->log_vkey);
	writer_free(&sig);
	writer_free(&text);
	free(g);
}

static void
tiles(struct maker *k)
{
	struct tile_iter it;
	struct tile t;
	uint8_t fold[TILE_WIDTH][MERKLE_HASH_LEN];
	for (unsigned level = 1; level < TILE_LEVELS && k->range.size >> (8 * level); level++) {
		uint64_t n = k->range.size >> (8 * level);
		k->level[level] = calloc(n, sizeof fold[0]);
		must(k->level[level] != NULL, "memory");
		for (uint64_t i = 0; i < n; i++) {
			memcpy(fold, k->level[level - 1][i * TILE_WIDTH], sizeof fold);
			for (unsigned w = TILE_WIDTH / 2; w; w /= 2)
				for (unsigned x = 0; x < w; x++)
					merkle_node(k->m, fold[2 * x], fold[2 * x + 1], fold[x]);
			memcpy(k->level[level][i], fold[0], sizeof fold[0]);
		}
	}
	tile_iter_init(&it, 0, k->range.size);
	while (tile_iter_next(&it, &t)) {
		char path[TILE_PATH_CAP], name[80];
		tile_path(&t, path);
		snprintf(name, sizeof name, "e/%s", path);
		write_file(name, view_of(k->level[t.level][t.index * TILE_WIDTH], (size_t)t.width * MERKLE_HASH_LEN));
	}
}

/* The export in ./e and ./trust. */
static void
make(void)
{
	static const char *const folders[] = { "e", "e/statements", "e/reports", "e/policies", "e/provenance", "e/signers" };
	struct maker k = { .m = merkle_new(), .alice = people_make("alice@example.com", 1),
		.bob = people_make("bob@example.com", 2), .key = people_log_key(), .terms = people_terms(PEOPLE_T0, 2 * EACH) };
	struct checkpoint head = { .size = ENTRIES };
	struct writer trust, note;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		must(mkdir(folders[i], 0755) == 0, folders[i]);
	k.level[0] = calloc(ENTRIES, MERKLE_HASH_LEN);
	k.entries = fopen("e/entries.jsonl", "we");
	must(k.m && k.level[0] && k.entries, "memory");
	writer_init(&k.line, ENTRY_MAX);
	writer_init(&k.bundle, TILE_BUNDLE_MAX);
	writer_init(&k.text, RELEASE_RECORD_MAX);
	writer_init(&k.sig, SSHSIG_ARMOR_MAX);
	writer_init(&trust, 4096);
	writer_init(&note, NOTE_SIZE_MAX);
	digest_sha256(view_str("{}"), k.terms.report);
	digest_sha256(view_str("{}"), k.terms.policy);
	named(view_str("{}"), "reports", ".json", NULL);
	named(view_str("{}"), "policies", ".json", NULL);
	authority(&k, &trust);
	while (k.range.size < ENTRIES) {
		if (k.range.size % EACH == 1 && k.range.size + 2 < ENTRIES)
			release(&k);
		else
			ordinary(&k);
	}
	if (ENTRIES % TILE_WIDTH)
		flush_bundle(&k, ENTRIES / TILE_WIDTH, ENTRIES % TILE_WIDTH);
	must(fclose(k.entries) == 0, "entries.jsonl");
	tiles(&k);
	snprintf(head.origin, sizeof head.origin, "%s", PEOPLE_ORIGIN);
	merkle_range_root(k.m, &k.range, head.root);
	must(checkpoint_sign(&head, &k.key, &note) == 0, "checkpoint");
	write_file("e/checkpoint", writer_view(&note));
	write_file("trust", writer_view(&trust));
}

extern char **environ;

/* Runs it with its output thrown away; seconds, CPU of it and its children, and most memory held. */
static struct bench_time
run(const char *const *argv, int want, double *ret_mib)
{
	posix_spawn_file_actions_t fa;
	struct bench_time start = bench_now(), t;
	struct rusage before, after;
	pid_t pid;
	int status;
	getrusage(RUSAGE_CHILDREN, &before);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	must(posix_spawnp(&pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ) == 0, argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	struct rusage own;
	must(wait4(pid, &status, 0, &own) == pid && WIFEXITED(status) && WEXITSTATUS(status) == want, argv[0]);
	getrusage(RUSAGE_CHILDREN, &after);
	t = bench_since(start);
	t.cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
	    (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
	if (ret_mib)
		*ret_mib = (double)own.ru_maxrss / 1024;
	return t;
}

int
main(void)
{
	const char *bin = getenv("FG_BIN"), *src = getenv("FG_SRC");
	char program[512], script[512], trust_vkey[NOTE_VKEY_MAX + 1];
	double wall[25], cpu[25], peer[25], peer_cpu[25], mib = 0;
	unsigned runs = bench_runs();
	struct stat st;
	snprintf(program, sizeof program, "%s/fotagate-verify", bin ? bin : "");
	snprintf(script, sizeof script, "%s/gateway/audit/verify40.py", src ? src : "");
	make();
	must(stat("e/entries.jsonl", &st) == 0, "entries.jsonl");
	const char *const verify[] = { program, "e", "--trust", "trust", NULL };
	const char *const sums[] = { "sh", "-c", "find e -type f -print0 | xargs -0 -n 1024 -P \"$(nproc)\" sha256sum", NULL };
	for (unsigned i = 0; i < runs; i++) {
		struct bench_time t = run(verify, 0, &mib), s = run(sums, 0, NULL);
		wall[i] = t.wall;
		cpu[i] = t.cpu;
		peer[i] = s.wall;
		peer_cpu[i] = s.cpu;
	}
	double w = bench_median(wall, runs), c = bench_median(cpu, runs);
	double p = bench_median(peer, runs), pc = bench_median(peer_cpu, runs);
	bench_goal("verify", "1,000,000 entries: time", "under 2 s on 2 cores", w < 2, "%.2f s (CPU %.2f s)", w, c);
	bench_figure("verify", "the same: CPU against sha256sum over the same bytes", "%.2fx (peer %.2f s, CPU %.2f s)", c / pc, p,
	    pc);
	bench_figure("verify", "memory at most", "%.0f MiB for entries.jsonl of %.0f MiB", mib, (double)st.st_size / 1048576);
	struct note_signer key = people_log_key();
	struct writer vkey;
	writer_init(&vkey, NOTE_VKEY_MAX);
	note_key_write(&key.key, &vkey);
	snprintf(trust_vkey, sizeof trust_vkey, "%.*s", (int)vkey.n, (const char *)vkey.p);
	const char *const python[] = { "/usr/bin/python3", script, "e", trust_vkey, NULL };
	struct bench_time t = run(python, 0, NULL);
	bench_figure("verify", "verify40.py, the tree alone", "%.2f s", t.wall);
	writer_free(&vkey);
	return 0;
}
