/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token_internal.h"

/* A command line is told up to here. */
#define COMMAND_MAX 160
/* Of a listener's options as many as tell it from another one. */
#define LISTENER_MAX 80

static struct view
rest_of(struct view run, size_t at)
{
	return view_of(run.p + at, run.n - at < COMMAND_MAX ? run.n - at : COMMAND_MAX);
}

static size_t
skip_space(struct view run, size_t at)
{
	while (at < run.n && (run.p[at] == ' ' || run.p[at] == '\t'))
		at++;
	return at;
}

static bool
has(struct view text, const char *lower)
{
	for (size_t i = 0; i < text.n; i++)
		if (token_begins(token_from(text, i), lower))
			return true;
	return false;
}

static size_t
word_at(struct view run, size_t at)
{
	size_t n = 0;
	while (at + n < run.n && token_is_word(run.p[at + n]))
		n++;
	return n;
}

static bool
is_one_of(struct view word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (token_same(word, list[i]))
			return true;
	return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof(list)[0])

static const char *const fetchers[] = { "wget", "curl", "tftp", "ftpget", "fetch", "nc", "ncat", "netcat",
	"base64", "xxd", "uudecode", "uclient-fetch", "scp" };
static const char *const shells[] = { "sh", "bash", "ash", "dash", "ksh", "zsh", "python", "python2", "python3",
	"perl", "lua", "php" };
/* Programs whose work is to let others in; names that are ordinary words are not among them. */
static const char *const listeners[] = { "telnetd", "utelnetd", "in.telnetd", "dropbear", "sshd", "adbd",
	"rlogind", "rshd", "rexecd", "inetd", "xinetd", "vsftpd", "ftpd", "tftpd", "udpsvd", "tcpsvd",
	"gdbserver", "tinyproxy", "microsocks", "3proxy", "frpc", "frps", "ngrok", "chisel", "shellinabox",
	"ttyd", "dnsmasq", "uhttpd", "lighttpd", "mini_httpd", "thttpd", "smbd", "snmpd", "upnpd",
	"miniupnpd" };
static const char *const diags[] = { "diag_mdlog", "diag-router", "diag_klog", "qcdiag", "diagchar",
	"adb_enable", "adb_enabled", "usb_diag", "enable_diag", "factory_mode", "ftm_mode", "edl_mode",
	"download_mode", "dload_mode" };

/* -l, -e, -c or -p among the options of netcat. */
static bool
netcat(struct view line, bool *ret_hands_out)
{
	bool listens = false;
	*ret_hands_out = false;
	for (size_t i = 0; i + 1 < line.n; i++) {
		if (line.p[i] == '|' || line.p[i] == ';')
			break;
		if (line.p[i] != '-' || (i > 0 && line.p[i - 1] != ' '))
			continue;
		for (size_t k = i + 1; k < line.n && token_is_alpha(line.p[k]); k++) {
			listens = listens || line.p[k] == 'l';
			*ret_hands_out = *ret_hands_out || line.p[k] == 'e' || line.p[k] == 'c';
		}
	}
	return listens;
}

/* Fetches into a file that is made to run, or into the words of a shell. */
static bool
fetches_and_runs(struct view run, size_t at, struct view line)
{
	if (has(line, "chmod +x") || has(line, "chmod a+x") || has(line, "chmod 7") || has(line, "chmod u+x"))
		return true;
	size_t before = at;
	while (before > 0 && (token_is_word(run.p[before - 1]) || run.p[before - 1] == '/'))
		before--; /* "/usr/bin/" */
	bool caught = before >= 2 && run.p[before - 1] == '(' &&
		      (run.p[before - 2] == '$' || run.p[before - 2] == '<');
	bool quoted = before >= 1 && run.p[before - 1] == '`';
	size_t from = before < COMMAND_MAX ? 0 : before - COMMAND_MAX;
	struct view head = view_of(run.p + from, before - from);
	return (caught || quoted) &&
	       (has(head, "eval") || has(head, "sh -c") || has(head, "source ") || has(head, "sh <"));
}

/* Started here, or only spoken of? With options, or by itself where a command stands. */
static enum token_class
listener(struct view run, size_t at, size_t word_n, size_t *ret_n)
{
	size_t after = at + word_n, n = word_n;
	uint8_t prev = at > 0 ? run.p[at - 1] : 0, next = after < run.n ? run.p[after] : 0;
	bool options = next == ' ' && after + 2 < run.n && run.p[after + 1] == '-' &&
		       (token_is_alnum(run.p[after + 2]) || run.p[after + 2] == '-');
	size_t before = at;
	while (before > 0 && (run.p[before - 1] == ' ' || run.p[before - 1] == '\t'))
		before--;
	bool first = before == 0 || strchr(";&|(`=", run.p[before - 1]) || prev == '/' || prev == ':';
	size_t end = skip_space(run, after);
	bool last = end >= run.n || strchr(";&|)`<>", run.p[end]);
	if (!options && !(first && last))
		return TOKEN_NONE;
	while (options && n < LISTENER_MAX && at + n < run.n && !strchr(";&|)`<>\"'", run.p[at + n]))
		n++;
	while (n > word_n && run.p[at + n - 1] == ' ')
		n--;
	*ret_n = n;
	return TOKEN_LISTEN;
}

enum token_class
token_shell_word(struct view run, size_t at, size_t word_n, size_t *ret_n)
{
	struct view word = view_of(run.p + at, word_n), line = rest_of(run, at);
	bool hands_out = false;
	*ret_n = word_n;
	if (IS_ONE_OF(word, listeners))
		return listener(run, at, word_n, ret_n);
	if (IS_ONE_OF(word, diags))
		return TOKEN_DIAG;
	*ret_n = line.n;
	/* Options follow at once, or it is a sentence. */
	bool options = at + word_n + 1 < run.n && run.p[at + word_n] == ' ';
	if (options && (token_same(word, "nc") || token_same(word, "ncat") || token_same(word, "netcat"))) {
		bool listens = netcat(line, &hands_out);
		if (hands_out)
			return TOKEN_SHELL;
		if (listens)
			return TOKEN_LISTEN;
	}
	if (options && token_same(word, "socat"))
		return has(line, "exec:") || has(line, "system:") ? TOKEN_SHELL
		       : has(line, "listen")			  ? TOKEN_LISTEN
								  : TOKEN_NONE;
	if (options && IS_ONE_OF(word, shells) && token_begins(token_from(line, word_n), " -i") &&
	    has(line, ">&"))
		return TOKEN_SHELL;
	if (options && (token_begins(word, "python") || token_same(word, "perl")) && has(line, "socket") &&
	    (has(line, " -c ") || has(line, " -e ")))
		return TOKEN_SHELL;
	if (options && IS_ONE_OF(word, fetchers) && fetches_and_runs(run, at, line))
		return TOKEN_SHELL;
	/* Bash's own sockets: "/dev/tcp/HOST/PORT". */
	if (token_same(word, "dev") && at > 0 && run.p[at - 1] == '/' &&
	    (token_begins(line, "dev/tcp/") || token_begins(line, "dev/udp/")))
		return TOKEN_SHELL;
	*ret_n = 0;
	return TOKEN_NONE;
}

size_t
token_shell_pipe(struct view run, size_t at)
{
	size_t to = skip_space(run, at + 1), n;
	if (at == 0 || (to < run.n && run.p[to] == '|') || run.p[at - 1] == '|')
		return run.n;
	/* The last component of the program's path. */
	for (n = word_at(run, to); to + n < run.n && run.p[to + n] == '/'; n = word_at(run, to))
		to += n + 1;
	struct view word = view_of(run.p + to, n);
	if (token_same(word, "sudo") || token_same(word, "busybox")) {
		to = skip_space(run, to + n);
		word = view_of(run.p + to, word_at(run, to));
	}
	if (!IS_ONE_OF(word, shells))
		return run.n;
	/* Of this command line only: back to what separates commands. */
	size_t from = at < COMMAND_MAX ? 0 : at - COMMAND_MAX;
	for (size_t i = from; i < at; i++) {
		if (i > from && token_is_word(run.p[i - 1]))
			continue;
		n = word_at(run, i);
		if (n && IS_ONE_OF(view_of(run.p + i, n), fetchers))
			return i;
	}
	return run.n;
}
