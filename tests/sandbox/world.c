/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char world_secret[16] = "sibling's secret";

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "sandbox test: %s: %s\n", what, strerror(errno));
	exit(99);
}

/* ---- servers, each a process of its own -------------------------------- */

static void
http_serve(int listener)
{
	static const char reply[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 25\r\nConnection: close\r\n\r\n" WORLD_BODY;
	for (;;) {
		char request[4096];
		int c = accept(listener, NULL, NULL);
		if (c < 0)
			continue;
		/* A probe connects and goes; a client sends its request in one piece. */
		struct timeval patience = {.tv_sec = 2};
		setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (read(c, request, sizeof(request)) > 0 && write(c, reply, sizeof(reply) - 1) < 0)
			fprintf(stderr, "sandbox test: reply: %s\n", strerror(errno));
		close(c);
	}
}

static void
accept_and_close(int listener)
{
	for (;;) {
		int c = accept(listener, NULL, NULL);
		if (c >= 0)
			close(c);
	}
}

/* One question in, the same question with one address (A) or none (the rest) out. */
static void
dns_serve(int fd)
{
	static const uint8_t answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
	for (;;) {
		uint8_t m[600];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &len);
		size_t q = 12;
		if (n < 17)
			continue;
		while (q < (size_t)n && m[q] != 0)
			q += m[q] + 1U;
		if (q + 5 > (size_t)n)
			continue;
		bool address = m[q + 1] == 0 && m[q + 2] == 1;
		size_t end = q + 5;
		m[2] = 0x81, m[3] = 0x80;
		m[6] = 0, m[7] = address;
		memset(m + 8, 0, 4);
		if (address) {
			memcpy(m + end, answer, sizeof(answer));
			end += sizeof(answer);
		}
		sendto(fd, m, end, 0, (struct sockaddr *)&from, len);
	}
}

static void
serve(struct world *w, void (*loop)(int), int fd)
{
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		loop(fd);
		_exit(0);
	}
	close(fd);
	w->servers[w->nservers++] = pid;
}

static int
inet_socket(int type, uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind 127.0.0.1");
	must(getsockname(fd, (struct sockaddr *)&a, &len) == 0, "getsockname");
	if (ret_port)
		*ret_port = ntohs(a.sin_port);
	return fd;
}

static int
unix_listener(const char *name, bool abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path + abstract, sizeof(a.sun_path) - abstract, "%s", name);
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 64) == 0,
	     "unix listener");
	return fd;
}

/* ---- namespaces -------------------------------------------------------- */

/* Our own loopback and our own resolv.conf; or not root after all. */
static void
isolate(struct world *w)
{
	char conf[128];
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 && errno == EPERM) {
		puts("root without CAP_SYS_ADMIN: roles that start as root cannot be tried here");
		w->root = false;
		return;
	}
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0, "loopback up");
	close(fd);
	snprintf(conf, sizeof(conf), "%s/resolv.conf", w->dir);
	FILE *f = fopen(conf, "w");
	must(f && fputs("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n", f) >= 0 &&
		 fclose(f) == 0,
	     conf);
	if (mount(conf, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0) {
		serve(w, dns_serve, inet_socket(SOCK_DGRAM, 53, NULL));
		w->dns = true;
	}
}

/* ---- files ------------------------------------------------------------- */

static void
make_directory(const char *parent, const char *name, mode_t mode)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", parent, name);
	must(mkdir(path, mode) == 0 && chmod(path, mode) == 0, path);
}

static void
copy_file(const char *from, int to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	must(fd >= 0, from);
	ssize_t n;
	do
		n = sendfile(to, fd, NULL, 1 << 20);
	while (n > 0);
	must(n == 0, from);
	close(fd);
}

static void
make_files(struct world *w)
{
	static const char *const slots[] = {"state",	"quarantine", "reports",  "statements",
					    "approved", "audit",      "authority", "witness"};
	char self[128];
	snprintf(w->data, sizeof(w->data), "%s/data", w->dir);
	snprintf(w->run, sizeof(w->run), "%s/run", w->dir);
	snprintf(w->bin, sizeof(w->bin), "%s/bin", w->dir);
	snprintf(w->outside, sizeof(w->outside), "%s/outside", w->dir);
	make_directory(w->dir, "data", 0777);
	make_directory(w->dir, "run", 0777);
	make_directory(w->dir, "bin", 0755);
	make_directory(w->dir, "outside", 0777);
	make_directory(w->dir, "mountpoint", 0755);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		make_directory(w->data, slots[i], 0777);
	snprintf(w->beside, sizeof(w->beside), "%s/beside.txt", w->outside);
	int fd = open(w->beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	must(fd >= 0 && write(fd, "beside\n", 7) == 7 && fchmod(fd, 0666) == 0, w->beside);
	close(fd);
	snprintf(self, sizeof(self), "%s/probe", w->bin);
	fd = open(self, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	must(fd >= 0, self);
	copy_file("/proc/self/exe", fd);
	must(fchmod(fd, 0755) == 0, self);
	close(fd);
	w->true_memfd = memfd_create("true", 0);
	must(w->true_memfd >= 0, "memfd");
	copy_file("/bin/true", w->true_memfd);
}

void
world_make(struct world *w)
{
	*w = (struct world){.root = geteuid() == 0, .sibling = -1};
	const char *tmp = getenv("TMPDIR");
	snprintf(w->dir, sizeof(w->dir), "%s/fg-sandbox.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	must(mkdtemp(w->dir) && chmod(w->dir, 0755) == 0, w->dir);
	make_files(w);
	if (w->root)
		isolate(w);
	snprintf(w->unix_path, sizeof(w->unix_path), "%s/listening.sock", w->outside);
	snprintf(w->abstract, sizeof(w->abstract), "fg-sandbox-%d", (int)getpid());
	int fd = inet_socket(SOCK_STREAM, 0, &w->port);
	must(listen(fd, 64) == 0, "listen");
	serve(w, http_serve, fd);
	fd = unix_listener(w->unix_path, false);
	must(chmod(w->unix_path, 0666) == 0, w->unix_path);
	serve(w, accept_and_close, fd);
	serve(w, accept_and_close, unix_listener(w->abstract, true));
}

void
world_sibling(struct world *w)
{
	if (w->sibling > 0) {
		kill(w->sibling, SIGKILL);
		waitpid(w->sibling, NULL, 0);
	}
	int ready[2];
	must(pipe2(ready, O_CLOEXEC) == 0, "pipe");
	w->sibling = fork();
	must(w->sibling >= 0, "fork");
	if (w->sibling == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGUSR1, SIG_IGN);
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 ||
				       setresgid(WORLD_NOBODY, WORLD_NOBODY, WORLD_NOBODY) < 0 ||
				       setresuid(WORLD_NOBODY, WORLD_NOBODY, WORLD_NOBODY) < 0))
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char c;
	close(ready[1]);
	must(read(ready[0], &c, 1) == 1, "sibling");
	close(ready[0]);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

void
world_end(struct world *w)
{
	for (unsigned i = 0; i < w->nservers; i++) {
		kill(w->servers[i], SIGKILL);
		waitpid(w->servers[i], NULL, 0);
	}
	if (w->sibling > 0) {
		kill(w->sibling, SIGKILL);
		waitpid(w->sibling, NULL, 0);
	}
	if (w->dns)
		umount2("/etc/resolv.conf", MNT_DETACH);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- what a role is started with --------------------------------------- */

static void
give(struct jail_paths *p, enum jail_slot slot, const char *path)
{
	p->at[p->n++] = (struct jail_path){.slot = slot, .path = path};
}

/* Paths live as long as the process: jail_enter() is called once in it. */
static const char *
under(const struct world *w, const char *name)
{
	char *path = NULL;
	must(asprintf(&path, "%s/%s", w->data, name) > 0, "memory");
	return path;
}

struct jail_paths
world_paths(const struct world *w, enum jail_role role)
{
	struct jail_paths p = {0};
	switch (role) {
	case JAIL_SUPERVISOR:
	case JAIL_LAUNCHER:
		give(&p, JAIL_SLOT_PROGRAMS, w->bin);
		give(&p, JAIL_SLOT_DATA, w->data);
		give(&p, JAIL_SLOT_RUN, w->run);
		break;
	case JAIL_CONTROL:
		give(&p, JAIL_SLOT_STATE, under(w, "state"));
		give(&p, JAIL_SLOT_QUARANTINE, under(w, "quarantine"));
		give(&p, JAIL_SLOT_REPORTS, under(w, "reports"));
		give(&p, JAIL_SLOT_STATEMENTS, under(w, "statements"));
		give(&p, JAIL_SLOT_AUTHORITY, under(w, "authority"));
		break;
	case JAIL_WARDEN:
		give(&p, JAIL_SLOT_APPROVED, under(w, "approved"));
		give(&p, JAIL_SLOT_AUTHORITY, under(w, "authority"));
		break;
	case JAIL_AUDIT:
		give(&p, JAIL_SLOT_AUDIT, under(w, "audit"));
		break;
	case JAIL_WITNESS:
		give(&p, JAIL_SLOT_WITNESS, under(w, "witness"));
		break;
	default:
		break;
	}
	return p;
}

struct jail_options
world_options(const struct world *w, enum jail_role role)
{
	struct jail_options opt = {0};
	if (w->root && role != JAIL_SUPERVISOR && role != JAIL_LAUNCHER) {
		opt.drop = true;
		opt.uid = opt.gid = WORLD_NOBODY;
		opt.new_netns = true;
	}
	return opt;
}
