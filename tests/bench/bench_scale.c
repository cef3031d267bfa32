/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_scale - what control does with a fleet of 1,000,000 modules in 1,000 groups, as
 * many releases as it holds in practice (1,000, each for a group of its own) and as many
 * rules of groups as a configuration may have (64, of which the last fits): the inventory
 * in memory, the decision table, one explanation, one page of a list. And, for 100,000
 * modules, how long it takes from an approval until an edge could decide by the new table.
 *
 * No peer: these are CPU times of one process on one thread, wall where something waits.
 * Control is set up as its unit tests do it; modules come by import, which is timed with
 * its database.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench.h"
#include "gateway/control/requests_private.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"

#define NAME "scale"
#define MODULES 1000000u
#define FEWER 100000u
#define GROUPS 1000u
#define RELEASES 1000u
#define RUNS_MAX 25
#define GOAL_AGAIN 100.0 /* ms */
#define ROW_MAX 64       /* bytes of a module in the import */

/* ---- a gate with that many modules ---- */

static void
add_modules(struct control *c, unsigned n, double *ret_cpu)
{
	char *csv = malloc((size_t)n * ROW_MAX + ROW_MAX);
	struct inventory_import *i = calloc(1, sizeof *i);
	if (!csv || !i)
		bench_fail("memory", FG_ENOMEM);
	size_t at = (size_t)sprintf(csv, "kind,identity,group,product,version,tags\n");
	for (unsigned k = 0; k < n; k++)
		/* Every other one has its group by rule. */
		at += (size_t)(k % 2 ? sprintf(csv + at, "serial,M%07u,g%u,EC25,1.0.%u,site-%u\n", k, k % GROUPS, k % 8, k % 50) :
		                       sprintf(csv + at, "serial,M%07u,,EC25,1.0.%u,site-%u\n", k, k % 8, k % 50));
	struct bench_time start = bench_now();
	int err = inventory_import(c->inventory, view_of(csv, at), "acme-rtr", false, i);
	*ret_cpu = bench_since(start).cpu;
	if (err || i->created != n)
		bench_fail("import", err ? err : FG_EFORMAT);
	free(i);
	free(csv);
}

static struct sample *
make_release(struct control *c, unsigned number)
{
	char target[16], group[16];
	snprintf(target, sizeof target, "2.%u", number);
	snprintf(group, sizeof group, "g%u", number % GROUPS);
	struct sample *s = sample_new(64, "EC25", target);
	memcpy(s->r.terms.resource, &number, sizeof number);
	memcpy(s->r.terms.policy, policies_find(c->policies, "acme-rtr")->digest, DIGEST_SHA256_LEN);
	s->r.terms.groups.n = 0;
	assert_int_equal(approval_list_add(&s->r.terms.groups, group), 0);
	sample_seal(s);
	return s;
}

static void
add_release(struct control *c, unsigned number)
{
	struct sample *s = make_release(c, number);
	if (releases_take(c->releases, s->id, writer_view(&s->record)))
		bench_fail("release", FG_EFORMAT);
	sample_free(s);
}

/* The most rules of groups there may be: none but the last fits, so that each is looked at. */
static void
configure(struct control_rig *r)
{
	struct writer w;
	writer_init(&w, 1 << 16);
	writer_text(&w, "groups = ( ");
	for (unsigned i = 0; i < CONFIG_GROUPS_MAX; i++)
		writer_textf(&w, "%s{ name = \"ruled-%u\"; product = \"EC25\"; tag = \"%s%u\"; }", i ? ", " : "", i,
		    i + 1 < CONFIG_GROUPS_MAX ? "none-" : "site-", i + 1 < CONFIG_GROUPS_MAX ? i : 7);
	writer_text(&w, " );\n");
	writer_bytes(&w, view_of("", 1));
	control_rig_configure(r, (const char *)w.p, SAMPLE_PROFILE);
	writer_free(&w);
}

static struct control_rig *
gate(unsigned modules, unsigned releases, double *ret_import)
{
	struct control_rig *r = control_rig_new();
	r->c.edges = edges_new(&r->c);
	r->c.halts = halts_new(&r->c);
	configure(r);
	if (inventory_rules(r->c.inventory, policies_config(r->c.policies)))
		bench_fail("inventory_rules", FG_ENOMEM);
	add_modules(&r->c, modules, ret_import);
	/* Their candidates are not in this database, which control says of each: not what is measured. */
	int keep = dup(STDERR_FILENO), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(nothing, STDERR_FILENO);
	for (unsigned i = 0; i < releases; i++)
		add_release(&r->c, i);
	dup2(keep, STDERR_FILENO);
	close(nothing);
	close(keep);
	return r;
}

static void
shut(struct control_rig *r)
{
	halts_free(r->c.halts);
	edges_free(r->c.edges);
	control_rig_free(r);
}

static double
resident_mb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		bench_fail("/proc/self/statm", FG_EIO);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* ---- the table ---- */

static int
build(struct control *c, uint64_t generation)
{
	size_t n;
	const struct tables_release *all = releases_all(c->releases, &n);
	int fd = tables_build(c->inventory, c->links, all, n, generation);
	if (fd < 0)
		bench_fail("tables_build", fd);
	return fd;
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

static double
build_ms(struct control *c, double *ret_mb)
{
	double cpu[RUNS_MAX];
	unsigned runs = bench_runs();
	for (unsigned i = 0; i < runs; i++) {
		struct bench_time start = bench_now();
		int fd = build(c, i + 1);
		cpu[i] = bench_since(start).cpu * 1e3;
		*ret_mb = (double)lseek(fd, 0, SEEK_END) / 1e6;
		close(fd);
	}
	return bench_median(cpu, runs);
}

/* One release more: from its being taken in to an edge that has looked at the whole new table. */
static void
again(struct control *c, double *ret_wall, double *ret_cpu)
{
	double wall[RUNS_MAX], cpu[RUNS_MAX];
	unsigned runs = bench_runs() < RELEASES_MAX - RELEASES ? bench_runs() : RELEASES_MAX - RELEASES - 1;
	int fd = build(c, 1);
	struct table *now = check(fd);
	for (unsigned i = 0; i < runs; i++) {
		struct sample *s = make_release(c, RELEASES + i);
		size_t n;
		struct bench_time start = bench_now();
		if (releases_take(c->releases, s->id, writer_view(&s->record)))
			bench_fail("release", FG_EFORMAT);
		const struct tables_release *all = releases_all(c->releases, &n);
		int next = tables_redecide(now, all, n, i + 2);
		if (next < 0)
			bench_fail("tables_redecide", next);
		struct table *t = check(next);
		struct bench_time ours = bench_since(start);
		wall[i] = ours.wall * 1e3;
		cpu[i] = ours.cpu * 1e3;
		table_free(now);
		close(fd);
		now = t;
		fd = next;
		sample_free(s);
	}
	table_free(now);
	close(fd);
	*ret_wall = bench_median(wall, runs);
	*ret_cpu = bench_median(cpu, runs);
}

/* ---- what a person asks ---- */

struct heard {
	unsigned replies;
	size_t n;
};

static void
on_reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct heard *h = ctx;
	(void)fds;
	h->replies += m->status == CALL_DONE;
	h->n = fds_n ? (size_t)lseek(fds[0], 0, SEEK_END) : m->json.n;
}

static void
on_over(void *ctx, struct call *c)
{
	(void)ctx;
	(void)c;
}

/* ms of CPU and the bytes of its answer. */
static double
ask_ms(struct control *c, void (*handle)(struct control *, struct call *), const char *args, size_t *ret_n)
{
	double cpu[RUNS_MAX];
	unsigned runs = bench_runs();
	for (unsigned i = 0; i < runs; i++) {
		struct heard h = { 0 };
		const struct call_line line = { &h, on_reply, on_over };
		const struct caller who = { .means = CALLERS_MEANS_UID, .uid = 1000, .roles = CALLERS_OPERATOR, .user = "somebody" };
		const struct msg_call m = { .token = 5, .request = "bench", .json = view_str(args) };
		struct wire_frame f = { .fds_n = 0 };
		struct call *call = NULL;
		assert_int_equal(call_new(&m, &f, &who, &line, &call), 0);
		struct bench_time start = bench_now();
		handle(c, call);
		cpu[i] = bench_since(start).cpu * 1e3;
		if (h.replies != 1)
			bench_fail("the answer", FG_EFORMAT);
		*ret_n = h.n;
	}
	return bench_median(cpu, runs);
}

static void
questions(struct control *c)
{
	static const struct {
		const char *what, *args;
	} lists[] = {
		{ "a page of 500 of module list, the first", "{\"limit\":500}" },
		{ "a page of 500 of module list, in the middle", "{\"after\":\"80000000000000000000000000000000\",\"limit\":500}" },
		{ "a page of 500 of module list --tag", "{\"after\":\"80000000000000000000000000000000\",\"limit\":500,\"tag\":\"site-7\"}" },
	};
	size_t n = 0;
	double ms = ask_ms(c, requests_module_explain, "{\"module\":\"serial:M0500001\"}", &n);
	bench_figure(NAME, "module explain, 1,000 releases of its profile, 256 link by link", "%.1f ms of CPU, %.2f MB of answer", ms,
	    (double)n / 1e6);
	for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++) {
		ms = ask_ms(c, requests_module_list, lists[i].args, &n);
		bench_figure(NAME, lists[i].what, "%.1f ms of CPU", ms);
	}
}

int
main(void)
{
	double import, mb, wall, cpu, ms;
	struct control_rig *r = gate(FEWER, RELEASES, &import);
	ms = build_ms(&r->c, &mb);
	bench_figure(NAME, "100,000 modules, 1,000 releases: the whole table", "%.0f ms of CPU, %.1f MB", ms, mb);
	again(&r->c, &wall, &cpu);
	bench_goal(NAME, "the same, one release more: until an edge could decide by it", "under 100 ms", wall < GOAL_AGAIN,
	    "%.0f ms (CPU %.0f)", wall, cpu);
	shut(r);

	double before = resident_mb();
	r = gate(MODULES, RELEASES, &import);
	double resident = resident_mb() - before;
	bench_figure(NAME, "1,000,000 modules: import, database included", "%.1f s of CPU", import);
	bench_figure(NAME, "the same: memory of control", "%.0f MB, %.0f bytes a module", resident, resident * 1e6 / MODULES);
	struct bench_time start = bench_now();
	if (inventory_rules(r->c.inventory, policies_config(r->c.policies)))
		bench_fail("inventory_rules", FG_ENOMEM);
	bench_figure(NAME, "the same: 64 rules of groups, looked at anew for each", "%.0f ms of CPU", bench_since(start).cpu * 1e3);
	ms = build_ms(&r->c, &mb);
	bench_figure(NAME, "1,000,000 modules, 1,000 releases: the whole table", "%.0f ms of CPU, %.1f MB", ms, mb);
	again(&r->c, &wall, &cpu);
	bench_figure(NAME, "the same, one release more: until an edge could decide by it", "%.0f ms (CPU %.0f)", wall, cpu);
	questions(&r->c);
	shut(r);
	return 0;
}
