/* SPDX-License-Identifier: Apache-2.0 */
#include "images/leaf.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/utf8.h"

#define ODD_PERMILLE 50 /* of other bytes, in what still counts as text */

static bool
is_text(struct view v)
{
	size_t odd = 0;
	uint32_t code;
	if (memchr(v.p, 0, v.n))
		return false;
	for (size_t i = 0; i < v.n;) {
		uint8_t c = v.p[i];
		size_t n = c < 0x80 ? 1 : utf8_next(view_of(v.p + i, v.n - i), &code);
		if (n == 0 || (c < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != 0x1b))
			odd++;
		i += n ? n : 1;
	}
	return odd * 1000 <= v.n * ODD_PERMILLE;
}

int
leaf_text(const struct leaf *l, uint8_t **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	if (l->bytes.size == 0 || l->bytes.size > LEAF_TEXT_MAX)
		return 0;
	size_t n = (size_t)l->bytes.size;
	uint8_t *p = malloc(n);
	int err = p ? source_read(&l->bytes, 0, p, n) : FG_ENOMEM;
	if (err || !is_text(view_of(p, n))) {
		free(p);
		return err;
	}
	*ret = p;
	*ret_n = n;
	return 0;
}

/* ---- by place ---- */

/*
 * pattern: components with "/" between; "*" at the end of one matches its rest, "**" as the
 * last one whatever lies below. path may have anything before.
 */
static bool
component(const char *path, size_t path_n, const char *pattern, size_t pattern_n)
{
	if (pattern_n && pattern[pattern_n - 1] == '*')
		return path_n >= pattern_n - 1 && memcmp(path, pattern, pattern_n - 1) == 0;
	return path_n == pattern_n && memcmp(path, pattern, path_n) == 0;
}

static bool
fits_here(const char *path, const char *pattern)
{
	for (;;) {
		size_t a = strcspn(path, "/"), b = strcspn(pattern, "/");
		if (strcmp(pattern, "**") == 0)
			return *path != '\0';
		if (!component(path, a, pattern, b))
			return false;
		path += a;
		pattern += b;
		if (*path == '\0' || *pattern == '\0')
			return *path == *pattern;
		path++;
		pattern++;
	}
}

static bool
fits(const char *path, const char *pattern)
{
	for (;;) {
		if (fits_here(path, pattern))
			return true;
		path = strchr(path, '/');
		if (!path)
			return false;
		path++;
	}
}

static bool
any(const char *path, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fits(path, patterns[i]))
			return true;
	return false;
}
#define ANY(path, patterns) any(path, patterns, sizeof(patterns) / sizeof(patterns)[0])

static const char *const init[] = { "etc/inittab", "etc/init.d/**", "etc/rc.local", "etc/rc*/**", "etc/rcS",
	"etc/rcS.d/**", "etc/init/**", "systemd/system/**", "systemd/user/**", "systemd/system-generators/**",
	"systemd/*.conf.d/**", "etc/crontab", "etc/crontabs/**", "etc/cron.d/**", "etc/cron.daily/**",
	"etc/cron.hourly/**", "etc/cron.weekly/**", "etc/cron.monthly/**", "spool/cron/**", "etc/anacrontab",
	"etc/profile", "etc/profile.d/**", "etc/bash.bashrc", "etc/environment", "root/.profile",
	"root/.bashrc", "root/.bash_profile", "rules.d/**", "etc/mdev.conf", "etc/mdev/**", "etc/hotplug*/**",
	"etc/hotplug.d/**", "etc/network/if-*/**", "etc/preinit", "lib/preinit/**", "etc/uci-defaults/**",
	"etc/inetd.conf", "etc/xinetd.conf", "etc/xinetd.d/**", "etc/ppp/ip-*", "etc/ppp/ip-up.d/**",
	"etc/udhcpc*", "etc/udhcpc*/**", "udhcpc/**", "etc/ld.so.preload", "etc/modules",
	"etc/modules-load.d/**", "etc/modprobe.d/**", "init.*rc", "etc/rc.button/**",
	"etc/hotplug-preinit.json", "etc/init.d", "sbin/init", "preinit_main", "dhclient-*-hooks.d/**",
	"NetworkManager/dispatcher.d/**", "default.prop", "build.prop", "etc/monit/**", "etc/runit/**",
	"etc/s6/**", "etc/sv/**", "etc/openrc/**" };
static const char *const passwd[] = { "etc/passwd", "etc/passwd-" };
static const char *const shadow[] = { "etc/shadow", "etc/shadow-" };
static const char *const access_files[] = { "etc/group", "etc/gshadow", "etc/sudoers", "etc/sudoers.d/**",
	"etc/doas.conf", ".ssh/authorized_keys*", "etc/dropbear/authorized_keys*", "etc/ssh/sshd_config",
	"etc/ssh/sshd_config.d/**", "etc/ssh/authorized_keys*", "etc/pam.d/**", "etc/pam.conf", "etc/securetty",
	"etc/login.defs", "etc/hosts.equiv", ".rhosts", "etc/config/dropbear", "etc/config/rpcd", "adb_keys" };

enum leaf_role
leaf_role(const char *path)
{
	if (ANY(path, passwd))
		return LEAF_ROLE_PASSWD;
	if (ANY(path, shadow))
		return LEAF_ROLE_SHADOW;
	if (ANY(path, access_files))
		return LEAF_ROLE_ACCESS;
	size_t n = strlen(path);
	/* Android's: "init.rc", "init.device.rc". */
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	if (n > 3 && strcmp(path + n - 3, ".rc") == 0 && strncmp(base, "init.", 5) == 0)
		return LEAF_ROLE_INIT;
	return ANY(path, init) ? LEAF_ROLE_INIT : LEAF_ROLE_NONE;
}

bool
leaf_is_script(const char *path, struct view text)
{
	static const char *const suffixes[] = { ".sh", ".lua", ".py", ".pl", ".php", ".cgi", ".awk" };
	size_t n = strlen(path);
	if (text.n >= 3 && text.p[0] == '#' && text.p[1] == '!')
		return true;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (n > strlen(suffixes[i]) && strcmp(path + n - strlen(suffixes[i]), suffixes[i]) == 0)
			return true;
	return false;
}
