/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate-witness - cosigns the logs it is told of, so that none of them can
 * show two histories. Stand-alone: an auditor's laptop or a second gateway's
 * machine. See fotagate-witness(8).
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/file/fdio.h"
#include "gateway/jail/jail.h"
#include "gateway/net/tls.h"
#include "gateway/witness/service.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2
#define EXIT_COULD_NOT 3
#define EXIT_SANDBOX 71
#define KEY_MAX 512
#define PEM_MAX (256u << 10)
#define LISTEN_DEFAULT "127.0.0.1:8446"
#define BACKLOG 64
#define KEY_FILE "witness.key"
#define LOGS_FILE "logs"
#define STATE_DIR "state"

struct options {
	const char *dir, *listen, *prefix, *cert, *key;
	char **operands;
	int n;
};

static int
fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "fotagate-witness: %s: %s\n", what, why);
	return status;
}

static int
complain(const char *what, const char *why)
{
	return fail(EXIT_COULD_NOT, what, why);
}

/* Of a file in the directory. */
static int
fail_in(int status, const char *dir, const char *name, const char *why)
{
	fprintf(stderr, "fotagate-witness: %s/%s: %s\n", dir, name, why);
	return status;
}

/* ---- files of the directory ---- */

static int
open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A whole small file, wiped by writer_free. 0 or negative fg_err, errno said. */
static int
slurp(int dirfd, const char *name, size_t max, struct writer *w)
{
	uint8_t buf[4096];
	ssize_t n;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	writer_init(w, max);
	if (fd < 0)
		return FG_EIO;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		writer_bytes(w, view_of(buf, (size_t)n));
	wipe(buf, sizeof buf);
	close(fd);
	return n < 0 ? FG_EIO : writer_err(w);
}

/* A new file of that mode, owned like the directory, durable. An existing one stays as it is: FG_EEXIST. */
static int
make_file(int dirfd, const char *name, mode_t mode, struct view bytes)
{
	struct stat st;
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return errno == EEXIST ? FG_EEXIST : FG_EIO;
	int err = fstat(dirfd, &st) || (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid)) ||
	    fdio_write(fd, bytes) || fsync(fd) ? FG_EIO : 0;
	if (close(fd) && !err)
		err = FG_EIO;
	if (err)
		unlinkat(dirfd, name, 0);
	return err ? err : fsync(dirfd) ? FG_EIO : 0;
}

static int
read_key(int dirfd, struct note_signer *ret)
{
	struct writer w;
	int err = slurp(dirfd, KEY_FILE, KEY_MAX, &w);
	if (!err)
		err = note_signer_parse(writer_view(&w), ret);
	if (!err && ret->key.type != NOTE_TYPE_COSIGNATURE)
		err = FG_EFORMAT;
	writer_free(&w);
	return err;
}

/* Which logs are witnessed: lines of a policy, of which only `log` means something here. */
static int
read_logs(const char *dir, int dirfd, struct witness_policy *ret)
{
	struct writer w;
	const char *why = NULL;
	unsigned number = 0;
	int err = slurp(dirfd, LOGS_FILE, WITNESS_POLICY_SIZE_MAX, &w);
	struct view rest = writer_view(&w);
	if (err)
		fail_in(0, dir, LOGS_FILE, err_why(err));
	while (!err && rest.n) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;
		number++;
		err = witness_policy_line(ret, view_of(rest.p, n), &why);
		if (err)
			fprintf(stderr, "fotagate-witness: %s/" LOGS_FILE ":%u: %s\n", dir, number, why ? why : err_name(err));
		rest = end ? view_of(end + 1, rest.n - n - 1) : view_of(NULL, 0);
	}
	writer_free(&w);
	return err;
}

static void
print_key(const struct note_key *key)
{
	struct writer w;
	writer_init(&w, NOTE_VKEY_MAX);
	note_key_write(key, &w);
	printf("%.*s\n", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

/* ---- init ---- */

static const char logs_text[] =
    "# Logs this witness cosigns, one a line: log VKEY\n"
    "# A gateway's line is one of the two that `fotagate init` printed to be kept outside.\n";

static int
make_key(const char *dir, int dirfd, const char *name)
{
	struct note_signer signer;
	struct writer w;
	int err = note_signer_generate(name, NOTE_TYPE_COSIGNATURE, &signer);
	if (err)
		return complain(name, err == FG_EINVAL ? "no name for a key: no spaces, no '+', at most 127 bytes" :
							 err_name(err));
	writer_init(&w, KEY_MAX);
	note_signer_write(&signer, &w);
	writer_text(&w, "\n");
	err = writer_err(&w);
	if (!err)
		err = make_file(dirfd, KEY_FILE, 0600, writer_view(&w));
	writer_free(&w);
	if (!err)
		print_key(&signer.key);
	note_signer_wipe(&signer);
	if (err == FG_EEXIST)
		return fail_in(EXIT_REFUSED, dir, KEY_FILE, "is there already; a witness keeps its key");
	return err ? fail_in(EXIT_COULD_NOT, dir, KEY_FILE, strerror(errno)) : 0;
}

static int
run_init(const struct options *o)
{
	struct stat st;
	if (mkdir(o->dir, 0755) && errno != EEXIST)
		return complain(o->dir, strerror(errno));
	int dirfd = open_dir(o->dir);
	if (dirfd < 0 || fstat(dirfd, &st))
		return complain(o->dir, strerror(errno));
	int err = make_file(dirfd, LOGS_FILE, 0644, view_str(logs_text));
	if (err && err != FG_EEXIST)
		return fail_in(EXIT_COULD_NOT, o->dir, LOGS_FILE, strerror(errno));
	if (mkdirat(dirfd, STATE_DIR, 0755) && errno != EEXIST)
		return fail_in(EXIT_COULD_NOT, o->dir, STATE_DIR, strerror(errno));
	if (geteuid() == 0 && fchownat(dirfd, STATE_DIR, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW))
		return fail_in(EXIT_COULD_NOT, o->dir, STATE_DIR, strerror(errno));
	int status = make_key(o->dir, dirfd, o->operands[0]);
	close(dirfd);
	return status;
}

/* ---- what a witness is made of ---- */

struct witness {
	struct witness_policy logs;
	struct note_signer signer;
	struct keeper *keeper;
	int listener;
	struct tls *tls;
	struct stat owner;
};

static int
load(const struct options *o, struct witness *w, int *ret_state)
{
	int dirfd = open_dir(o->dir);
	if (dirfd < 0 || fstat(dirfd, &w->owner))
		return complain(o->dir, strerror(errno));
	int err = read_key(dirfd, &w->signer);
	int status = 0;
	if (err)
		status = fail_in(EXIT_COULD_NOT, o->dir, KEY_FILE, err == FG_EIO ? strerror(errno) : "not a witness's key");
	else if (read_logs(o->dir, dirfd, &w->logs))
		status = EXIT_COULD_NOT;
	*ret_state = status ? -1 : openat(dirfd, STATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!status && *ret_state < 0)
		status = fail_in(EXIT_COULD_NOT, o->dir, STATE_DIR, strerror(errno));
	close(dirfd);
	return status;
}

static int
keep(const struct options *o, struct witness *w, int state)
{
	char why[KEEPER_WHY_MAX];
	int err = keeper_open(state, &w->logs, &w->signer, &w->keeper, why);
	note_signer_wipe(&w->signer);
	return err ? fail_in(EXIT_COULD_NOT, o->dir, STATE_DIR, why) : 0;
}

/* ---- show ---- */

static int
run_show(const struct options *o, struct witness *w)
{
	struct keeper_log log;
	int state;
	int status = load(o, w, &state);
	if (status)
		return status;
	struct note_key key = w->signer.key;
	status = keep(o, w, state);
	if (status)
		return status;
	print_key(&key);
	for (size_t i = 0; keeper_get(w->keeper, i, &log); i++) {
		printf("%s size %" PRIu64, log.origin, log.memory.size);
		printf(log.note.n ? " %s/" STATE_DIR "/%s\n" : " nothing cosigned yet\n", o->dir, log.name);
	}
	return 0;
}

/* ---- run ---- */

static bool
is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	struct sockaddr_in6 in6;
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&in6, sa, sizeof in6);
	return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT". */
static int
bind_to(const char *text, bool tls, int *ret)
{
	char host[64];
	const char *whole = text, *colon = strrchr(text, ':');
	uint64_t port;
	size_t n = colon ? (size_t)(colon - text) : 0;
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *a = NULL;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (!colon || n == 0 || n >= sizeof host || !decimal_parse(view_str(colon + 1), 65535, &port))
		return fail(EXIT_USAGE, whole, "not ADDRESS:PORT");
	memcpy(host, text, n);
	host[n] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &a))
		return fail(EXIT_USAGE, host, "not an address");
	if (!tls && !is_loopback(a->ai_addr)) {
		freeaddrinfo(a);
		return fail(EXIT_REFUSED, host, "beyond this machine only with --cert and --key");
	}
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) &&
	    !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG);
	freeaddrinfo(a);
	if (!good)
		return complain(whole, strerror(errno));
	*ret = fd;
	return 0;
}

static int
load_tls(const struct options *o, struct witness *w)
{
	struct writer chain, key;
	char why[TLS_WHY_MAX] = "";
	struct tls_config c = { .suites = TLS_SUITES_MODERN, .peer = TLS_PEER_NONE, .n_pairs = 1 };
	int status = 0;
	if (slurp(AT_FDCWD, o->cert, PEM_MAX, &chain))
		status = complain(o->cert, strerror(errno));
	if (slurp(AT_FDCWD, o->key, PEM_MAX, &key) && !status)
		status = complain(o->key, strerror(errno));
	c.pairs[0] = (struct tls_pair){ writer_view(&chain), writer_view(&key) };
	if (!status && tls_new(&c, &w->tls, why))
		status = complain(o->cert, why[0] ? why : "unusable");
	writer_free(&chain);
	writer_free(&key);
	return status;
}

/* The directory's owner is who the witness is: root opens, and becomes them. */
static int
enter(const struct witness *w, int state)
{
	struct jail_paths paths = { .n = 1, .at = { { .slot = JAIL_SLOT_WITNESS, .fd = state } } };
	struct jail_options opt = { .drop = geteuid() == 0, .uid = w->owner.st_uid, .gid = w->owner.st_gid };
	struct jail_status status;
	char why[256];
	if (opt.drop && (opt.uid == 0 || opt.gid == 0))
		return fail(EXIT_REFUSED, "started by root",
		    "give the directory a user and a group of its own (chown -R USER:GROUP)");
	if (jail_enter(JAIL_WITNESS, &paths, &opt, &status, why, sizeof why)) {
		complain("the jail could not be entered", why);
		return EXIT_SANDBOX;
	}
	fprintf(stderr, "<6>%s\n", status.text);
	return 0;
}

static void
say_where(const struct witness *w, const char *prefix)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	char host[64], port[16];
	if (getsockname(w->listener, (struct sockaddr *)&sa, &len) ||
	    getnameinfo((struct sockaddr *)&sa, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	bool six = sa.ss_family == AF_INET6;
	fprintf(stderr, "<6>witnessing %zu log%s at %s://%s%s%s:%s%s" WITNESS_PATH "\n", w->logs.logs,
	    w->logs.logs == 1 ? "" : "s",
	    w->tls ? "https" : "http", six ? "[" : "", host, six ? "]" : "", port, prefix);
}

static int
serve(struct witness *w, const char *prefix)
{
	struct service *s = NULL;
	struct event_base *base = event_base_new();
	int err = base ? service_new(base, w->keeper, prefix, &s) : FG_ENOMEM;
	say_where(w, prefix);
	if (!err)
		err = service_listen(s, w->listener, w->tls);
	w->listener = -1;
	if (!err && event_base_dispatch(base) < 0)
		err = FG_EIO;
	service_free(s);
	if (base)
		event_base_free(base);
	return err ? complain("ends", err_name(err)) : 0;
}

static int
run_run(const struct options *o, struct witness *w)
{
	int state;
	if (strlen(o->prefix) > SERVICE_PREFIX_MAX || (o->prefix[0] && o->prefix[0] != '/') ||
	    (o->prefix[0] && o->prefix[strlen(o->prefix) - 1] == '/'))
		return fail(EXIT_USAGE, o->prefix, "a prefix begins with '/' and does not end with it");
	if (!o->cert != !o->key)
		return fail(EXIT_USAGE, "--cert and --key", "belong together");
	int status = load(o, w, &state);
	if (!status && w->logs.logs == 0)
		status = fail_in(EXIT_REFUSED, o->dir, LOGS_FILE, "names no log: each that is witnessed has a line 'log VKEY'");
	if (!status && o->cert)
		status = load_tls(o, w);
	if (!status)
		status = bind_to(o->listen, w->tls, &w->listener);
	if (!status)
		status = enter(w, state);
	if (!status)
		status = keep(o, w, state);
	return status ? status : serve(w, o->prefix);
}

/* ---- the command line ---- */

static const char usage_text[] =
    "usage: fotagate-witness VERB [--dir DIR] ...\n\n"
    "  init       make a key and an empty list of logs: init NAME\n"
    "  run        serve: [--listen ADDRESS:PORT] [--prefix PATH] [--cert FILE --key FILE]\n"
    "  show       print the key, and what is remembered of each log\n";

static int
usage(FILE *out, int status)
{
	fputs(usage_text, out);
	return status;
}

static int
misused(const char *what, const char *why)
{
	return usage(stderr, fail(EXIT_USAGE, what, why));
}

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "prefix", required_argument, NULL, 'p' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->dir = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'p':
			o->prefix = optarg;
			break;
		case 'c':
			o->cert = optarg;
			break;
		case 'k':
			o->key = optarg;
			break;
		case 'h':
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	o->operands = argv + optind;
	o->n = argc - optind;
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o = { .dir = "/var/lib/fotagate-witness", .listen = LISTEN_DEFAULT, .prefix = "" };
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("fotagate-witness " FG_VERSION);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0)
		return usage(argc < 2 ? stderr : stdout, argc < 2 ? EXIT_USAGE : 0);
	int parsed = parse(argc - 1, argv + 1, &o);
	if (parsed)
		return usage(parsed < 0 ? stdout : stderr, parsed < 0 ? 0 : EXIT_USAGE);
	if (strcmp(argv[1], "init") == 0)
		return o.n == 1 ? run_init(&o) : misused(argv[1], "takes one NAME, such as auditor.example/w1");
	bool show = strcmp(argv[1], "show") == 0;
	if (!show && strcmp(argv[1], "run") != 0)
		return misused(argv[1], "no such verb");
	if (o.n != 0)
		return misused(o.operands[0], "no argument is wanted there");
	struct witness *w = calloc(1, sizeof *w);
	if (!w)
		return EXIT_COULD_NOT;
	w->listener = -1;
	int status = show ? run_show(&o, w) : run_run(&o, w);
	keeper_close(w->keeper);
	tls_free(w->tls);
	free(w);
	return status;
}
