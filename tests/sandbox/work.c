/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <libconfig.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define NEED(condition)                                                               \
	do {                                                                          \
		if (!(condition)) {                                                   \
			fprintf(stderr, "work.c:%d: %s (%s)\n", __LINE__, #condition, \
				strerror(errno));                                     \
			return 1;                                                     \
		}                                                                     \
	} while (0)

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* What a role holds before its jail closes. */
struct role_world {
	struct world w;
	int listener;	 /* edge: TCP; control: unix */
	int client_says; /* read end: the client writes 'y' when it got what it should */
	int quarantine;	 /* upstream's write end, warden's read end */
	pid_t child;
};

/* ---- what all roles do ------------------------------------------------- */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	raise(SIGUSR2);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	event_base_loopexit(arg, NULL);
}

/* A whole libevent life inside: the strictest case, roles make theirs before. */
static int
work_loop(void)
{
	struct timeval soon = {.tv_usec = 1000};
	struct event_base *base = event_base_new();
	NEED(base);
	struct event *timer = event_new(base, -1, 0, on_timer, NULL);
	struct event *sig = evsignal_new(base, SIGUSR2, on_signal, base);
	NEED(timer && sig && event_add(timer, &soon) == 0 && event_add(sig, NULL) == 0);
	NEED(event_base_dispatch(base) == 0);
	event_free(timer);
	event_free(sig);
	event_base_free(base);
	return 0;
}

/* A sealed memfd over a SOCK_SEQPACKET pair and back into a mapping. */
static int
work_fd_passing(void)
{
	int pair[2], fd = memfd_create("reply", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char byte = 'x';
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	NEED(fd >= 0 && write(fd, "sealed", 6) == 6 && fcntl(fd, F_ADD_SEALS, SEALS) == 0);
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	struct cmsghdr *c = &control.head;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	NEED(sendmsg(pair[0], &m, MSG_NOSIGNAL) == 1);
	close(fd);
	NEED(recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	NEED(fcntl(fd, F_GET_SEALS) == SEALS);
	char *p = mmap(NULL, 6, PROT_READ, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED && memcmp(p, "sealed", 6) == 0);
	NEED(munmap(p, 6) == 0 && close(fd) == 0);
	NEED(send(pair[0], "y", 1, MSG_NOSIGNAL) == 1 && recv(pair[1], &byte, 1, 0) == 1);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	NEED(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* OpenSSL met for the first time inside: providers, openssl.cnf, random numbers. */
static int
work_crypto(void)
{
	unsigned char digest[32], sig[64];
	unsigned int n = 0;
	size_t siglen = sizeof(sig);
	NEED(EVP_Digest("abc", 3, digest, &n, EVP_sha256(), NULL) == 1 && n == 32);
	NEED(RAND_bytes(digest, sizeof(digest)) == 1);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	NEED(key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	NEED(EVP_DigestSign(ctx, sig, &siglen, digest, sizeof(digest)) == 1);
	NEED(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1);
	NEED(EVP_DigestVerify(ctx, sig, siglen, digest, sizeof(digest)) == 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return 0;
}

static int
work_common(void)
{
	struct timespec ts;
	struct tm tm;
	struct rusage usage;
	struct rlimit files;
	char text[64];
	char *heap = malloc(48U << 20); /* above the mmap threshold, below every RLIMIT_DATA */
	NEED(heap);
	memset(heap, 1, 48U << 20);
	heap = realloc(heap, 64U << 20);
	NEED(heap);
	free(heap);
	NEED(clock_gettime(CLOCK_REALTIME, &ts) == 0 && gmtime_r(&ts.tv_sec, &tm));
	NEED(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 20);
	localtime_r(&ts.tv_sec, &tm); /* asks for /etc/localtime */
	NEED(getrusage(RUSAGE_SELF, &usage) == 0 && getrlimit(RLIMIT_NOFILE, &files) == 0);
	NEED(getrandom(text, sizeof(text), 0) == sizeof(text) && sysconf(_SC_NPROCESSORS_ONLN) > 0);
	NEED(isatty(STDOUT_FILENO) >= 0 && fprintf(stderr, "%s", "") == 0 && usleep(1) == 0);
	NEED(prctl(PR_SET_NAME, "working") == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_SECCOMP) == 2 && prctl(PR_GET_DUMPABLE) == 0);
	NEED(open("/nonexistent", O_RDONLY) < 0 && access("/nonexistent", R_OK) < 0);
	return work_loop() || work_fd_passing() || work_crypto();
}

static void *
thread_body(void *arg)
{
	char *p = malloc(100000);
	if (p)
		*(int *)arg = 1;
	free(p);
	return NULL;
}

static int
work_thread(void)
{
	pthread_t thread;
	int ran = 0;
	NEED(pthread_create(&thread, NULL, thread_body, &ran) == 0);
	NEED(pthread_join(thread, NULL) == 0 && ran == 1);
	return 0;
}

/* ---- TLS in memory: a certificate made here, both ends in one process --- */

static int
make_certificate(EVP_PKEY *key, X509 **ret)
{
	X509 *x = X509_new();
	NEED(x && X509_set_version(x, X509_VERSION_3) &&
	     ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	NEED(X509_gmtime_adj(X509_getm_notBefore(x), -60) &&
	     X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	X509_NAME *name = X509_get_subject_name(x);
	NEED(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"here", -1,
					-1, 0));
	NEED(X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	     X509_sign(x, key, EVP_sha256()));
	*ret = x;
	return 0;
}

static int
work_tls(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = NULL;
	NEED(key);
	if (make_certificate(key, &cert))
		return 1;
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	NEED(ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
	     SSL_CTX_use_PrivateKey(ctx, key) == 1);
	SSL *server = SSL_new(ctx), *client = SSL_new(ctx);
	BIO *left = NULL, *right = NULL;
	NEED(server && client && BIO_new_bio_pair(&left, 0, &right, 0) == 1);
	SSL_set_bio(server, left, left);
	SSL_set_bio(client, right, right);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 16 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client));
	     i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	NEED(SSL_is_init_finished(server) && SSL_is_init_finished(client));
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(ctx);
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

/* ---- edge -------------------------------------------------------------- */

/* Forked before the jail: asks, and says over the pipe whether the answer was right. */
static void
be_client(int fd, int says)
{
	char got[256] = "";
	size_t n = 0;
	ssize_t r;
	alarm(30);
	if (write(fd, "GET\n", 4) != 4)
		_exit(1);
	while (n < sizeof(got) - 1 && (r = read(fd, got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)r;
	_exit(strcmp(got, "head\n" WORLD_BODY WORLD_BODY) == 0 && write(says, "y", 1) == 1 ? 0 : 1);
}

static int
start_client(struct role_world *r, const struct sockaddr *to, socklen_t len)
{
	int says[2];
	NEED(pipe2(says, O_CLOEXEC) == 0);
	r->client_says = says[0];
	r->child = fork();
	NEED(r->child >= 0);
	if (r->child == 0) {
		int fd = socket(to->sa_family, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, to, len) < 0)
			_exit(1);
		be_client(fd, says[1]);
	}
	close(says[1]);
	return 0;
}

static int
edge_before(struct role_world *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(r->listener >= 0 && bind(r->listener, (struct sockaddr *)&a, sizeof(a)) == 0);
	NEED(listen(r->listener, 16) == 0 &&
	     getsockname(r->listener, (struct sockaddr *)&a, &len) == 0);
	return start_client(r, (struct sockaddr *)&a, len);
}

/* Head by writev, body once from the mapping and once by sendfile, as an edge does. */
static int
serve_one(struct role_world *r, bool tcp)
{
	static char head[] = "head\n";
	char request[64], c;
	int one = 1, low = 16384;
	off_t at = 0;
	int image = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const size_t n = strlen(WORLD_BODY);
	NEED(image >= 0 && write(image, WORLD_BODY, n) == (ssize_t)n &&
	     fcntl(image, F_ADD_SEALS, SEALS) == 0);
	char *map = mmap(NULL, n, PROT_READ, MAP_SHARED, image, 0);
	NEED(map != MAP_FAILED && madvise(map, n, MADV_WILLNEED) == 0);
	struct pollfd p = {.fd = r->listener, .events = POLLIN};
	NEED(poll(&p, 1, 30000) == 1);
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	NEED(fd >= 0);
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	NEED(getpeername(fd, (struct sockaddr *)&peer, &len) == 0);
	if (tcp) {
		NEED(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
		NEED(setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low)) == 0);
		NEED(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &low, sizeof(low)) == 0);
		struct sockaddr_in6 link = {.sin6_family = AF_INET6, .sin6_scope_id = 1};
		char name[64];
		NEED(inet_pton(AF_INET6, "fe80::1", &link.sin6_addr) == 1);
		/* Asks for an interface's name by a socket it may not have: must be survived. */
		NEED(getnameinfo((struct sockaddr *)&link, sizeof(link), name, sizeof(name), NULL,
				 0, NI_NUMERICHOST) == 0);
	}
	NEED(read(fd, request, sizeof(request)) == 4);
	struct iovec iov[2] = {{head, 5}, {map, n}};
	NEED(writev(fd, iov, 2) == (ssize_t)(5 + n));
	NEED(sendfile(fd, image, &at, n) == (ssize_t)n);
	NEED(shutdown(fd, SHUT_WR) == 0 && close(fd) == 0);
	NEED(read(r->client_says, &c, 1) == 1 && c == 'y');
	return 0;
}

static int
edge_inside(struct role_world *r)
{
	return work_tls() || serve_one(r, true);
}

/* ---- upstream ---------------------------------------------------------- */

static int
upstream_before(struct role_world *r)
{
	r->quarantine = memfd_create("quarantine file", MFD_CLOEXEC);
	NEED(r->quarantine >= 0);
	return 0;
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *arg)
{
	ssize_t r = write(*(int *)arg, bytes, size * n);
	return r < 0 ? 0 : (size_t)r;
}

/* One fetch by curl's multi interface; the body must be the server's. */
static int
fetch(struct role_world *r, const char *host)
{
	char url[128], got[64] = "";
	const size_t n = strlen(WORLD_BODY);
	int running = 1, left;
	snprintf(url, sizeof(url), "http://%s:%u/image", host, r->w.port);
	NEED(ftruncate(r->quarantine, 0) == 0 && lseek(r->quarantine, 0, SEEK_SET) == 0);
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_init();
	NEED(multi && easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &r->quarantine);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
	NEED(curl_multi_add_handle(multi, easy) == CURLM_OK);
	while (running && curl_multi_perform(multi, &running) == CURLM_OK)
		if (running)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	CURLMsg *m = curl_multi_info_read(multi, &left);
	if (m && m->data.result != CURLE_OK)
		fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(m->data.result));
	NEED(m && m->data.result == CURLE_OK);
	curl_multi_remove_handle(multi, easy);
	curl_easy_cleanup(easy);
	curl_multi_cleanup(multi);
	NEED(pread(r->quarantine, got, sizeof(got), 0) == (ssize_t)n &&
	     memcmp(got, WORLD_BODY, n) == 0);
	return 0;
}

static int
upstream_inside(struct role_world *r)
{
	static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";
	struct addrinfo *list = NULL,
			hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	NEED(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
	if (work_thread() || work_tls() || fetch(r, "127.0.0.1") || fetch(r, "localhost"))
		return 1;
	NEED(getaddrinfo("localhost", "443", &hints, &list) == 0);
	freeaddrinfo(list);
	if (r->w.dns && fetch(r, "fota.vendor.example"))
		return 1;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	NEED(ctx);
	if (access(bundle, R_OK) == 0)
		NEED(SSL_CTX_load_verify_file(ctx, bundle) == 1);
	SSL_CTX_free(ctx);
	return 0;
}

/* ---- inspect, config --------------------------------------------------- */

/* A detached CMS made here, written out and read again by d2i as an inspector reads one. */
static int
inspect_inside(struct role_world *r)
{
	(void)r;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	X509 *cert = NULL;
	BIO *content = BIO_new_mem_buf("image", 5);
	NEED(key && content);
	if (make_certificate(key, &cert))
		return 1;
	CMS_ContentInfo *cms = CMS_sign(cert, key, NULL, content, CMS_DETACHED | CMS_BINARY);
	unsigned char *der = NULL;
	int n = cms ? i2d_CMS_ContentInfo(cms, &der) : -1;
	int fd = memfd_create("signature", MFD_CLOEXEC);
	NEED(n > 0 && fd >= 0 && write(fd, der, (size_t)n) == n);
	CMS_ContentInfo_free(cms);
	unsigned char *map = mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
	NEED(map != MAP_FAILED);
	const unsigned char *p = map;
	cms = d2i_CMS_ContentInfo(NULL, &p, n);
	X509_STORE *trust = X509_STORE_new();
	BIO *again = BIO_new_mem_buf("image", 5);
	NEED(cms && trust && again && X509_STORE_add_cert(trust, cert) == 1);
	NEED(X509_STORE_set_purpose(trust, X509_PURPOSE_ANY) == 1);
	NEED(CMS_verify(cms, NULL, trust, again, NULL, CMS_BINARY) == 1);
	/* The largest file a job may leave behind. */
	NEED(ftruncate(fd, 2 << 20) == 0 && ftruncate(fd, (off_t)1 << 40) < 0 && errno == EFBIG);
	return 0;
}

static int
config_inside(struct role_world *r)
{
	static const char text[] =
	    "listener = { port = 8080; };\nroles = ( \"edge\", \"control\" );\n";
	char buf[sizeof(text)] = "";
	(void)r;
	int fd = memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), port = 0;
	NEED(fd >= 0 && write(fd, text, sizeof(text)) == sizeof(text) &&
	     fcntl(fd, F_ADD_SEALS, SEALS) == 0);
	NEED(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	config_t config;
	config_init(&config);
	NEED(config_read_string(&config, buf) == CONFIG_TRUE);
	NEED(config_lookup_int(&config, "listener.port", &port) == CONFIG_TRUE && port == 8080);
	config_destroy(&config);
	/* An include must not find a file, nor kill who asks. */
	config_init(&config);
	NEED(config_read_string(&config, "@include \"/etc/passwd\"\n") == CONFIG_FALSE);
	config_destroy(&config);
	return 0;
}

/* ---- control, warden, audit -------------------------------------------- */

static int
control_before(struct role_world *r)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/control-%d.sock", r->w.run, (int)getpid());
	r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(r->listener >= 0 && bind(r->listener, (struct sockaddr *)&a, sizeof(a)) == 0);
	NEED(chmod(a.sun_path, 0666) == 0 && listen(r->listener, 16) == 0);
	return start_client(r, (struct sockaddr *)&a, sizeof(a));
}

static int
sql(sqlite3 *db, const char *text)
{
	char *error = NULL;
	int r = sqlite3_exec(db, text, NULL, NULL, &error);
	if (r != SQLITE_OK)
		fprintf(stderr, "%s: %s\n", text, error ? error : "?");
	sqlite3_free(error);
	return r;
}

static int
work_database(const char *dir)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/state-%d.db", dir, (int)getpid());
	for (int round = 0; round < 2; round++) { /* new, then one that exists */
		sqlite3 *db = NULL;
		NEED(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
		     SQLITE_OK);
		NEED(sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
			     "mmap_size=1048576") == 0);
		NEED(sql(db, "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)") == 0);
		NEED(
		    sql(db,
			"BEGIN IMMEDIATE; INSERT INTO t (b) VALUES (randomblob(200000)); COMMIT") ==
		    0);
		NEED(sql(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check; VACUUM") ==
		     0);
		NEED(sql(db, "PRAGMA journal_mode=DELETE; INSERT INTO t (b) SELECT b FROM t ORDER "
			     "BY b") == 0);
		NEED(sqlite3_close(db) == SQLITE_OK);
	}
	NEED(unlink(path) == 0);
	return 0;
}

/* Write a file so that it is wholly there or not at all, and list, link and remove files. */
static int
work_files(const char *dir)
{
	char a[160], b[176], sub[160];
	struct statvfs space;
	int pid = (int)getpid();
	snprintf(sub, sizeof(sub), "%s/tile-%d", dir, pid);
	snprintf(a, sizeof(a), "%s/new-%d", dir, pid);
	snprintf(b, sizeof(b), "%s/done", sub);
	int fd = open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	NEED(fd >= 0 && flock(fd, LOCK_EX) == 0 &&
	     fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536) == 0);
	NEED(pwrite(fd, "entry\n", 6, 0) == 6 && fdatasync(fd) == 0 && fsync(fd) == 0);
	NEED(ftruncate(fd, 5) == 0 && fchmod(fd, 0444) == 0 && close(fd) == 0);
	NEED(mkdir(sub, 0755) == 0 && rename(a, b) == 0); /* to another directory */
	NEED(link(b, a) == 0 && unlink(a) == 0);
	fd = open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	NEED(fd >= 0 && fsync(fd) == 0 && fstatvfs(fd, &space) == 0 && statvfs(sub, &space) == 0);
	NEED(mkdirat(fd, "x", 0755) == 0 && unlinkat(fd, "x", AT_REMOVEDIR) == 0);
	int file = openat(fd, "done", O_RDONLY | O_CLOEXEC);
	NEED(file >= 0 && close(file) == 0);
	DIR *d = fdopendir(fd);
	NEED(d && readdir(d) && closedir(d) == 0);
	struct stat st;
	NEED(stat(b, &st) == 0 && st.st_size == 5);
	NEED(unlink(b) == 0 && rmdir(sub) == 0);
	return 0;
}

static int
control_inside(struct role_world *r)
{
	char dir[128];
	static const char *const places[] = {"state", "quarantine", "reports", "statements"};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", r->w.data, places[i]);
		if (work_files(dir))
			return 1;
	}
	snprintf(dir, sizeof(dir), "%s/state", r->w.data);
	if (work_database(dir) || work_thread() || serve_one(r, false))
		return 1;
	/* A reload names operator groups; the second asks NSS modules that may not be loaded. */
	NEED(getgrnam("root") && !getgrnam("no-such-group-here"));
	/* The warden's places are to be read, and no more. */
	snprintf(dir, sizeof(dir), "%s/authority", r->w.data);
	NEED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
	snprintf(dir, sizeof(dir), "%s/authority/forged", r->w.data);
	NEED(open(dir, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	snprintf(dir, sizeof(dir), "%s/approved/forged", r->w.data);
	NEED(open(dir, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	return 0;
}

static int
warden_before(struct role_world *r)
{
	r->quarantine = open("/bin/true", O_RDONLY | O_CLOEXEC); /* an fd to copy from */
	NEED(r->quarantine >= 0);
	return 0;
}

static int
warden_inside(struct role_world *r)
{
	char path[160], dir[128], buf[4096];
	off_t at = 0;
	ssize_t n;
	snprintf(dir, sizeof(dir), "%s/authority", r->w.data);
	if (work_files(dir))
		return 1;
	snprintf(dir, sizeof(dir), "%s/approved", r->w.data);
	if (work_files(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/copy-%d", dir, (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int hot = memfd_create("release", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	NEED(fd >= 0 && hot >= 0);
	while ((n = pread(r->quarantine, buf, sizeof(buf), at)) > 0) {
		NEED(write(fd, buf, (size_t)n) == n && write(hot, buf, (size_t)n) == n);
		at += n;
	}
	NEED(n == 0 && at > 0 && fsync(fd) == 0 && fcntl(hot, F_ADD_SEALS, SEALS) == 0);
	NEED(unlink(path) == 0);
	snprintf(path, sizeof(path), "%s/audit/forged", r->w.data);
	NEED(open(path, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	return 0;
}

static int
audit_inside(struct role_world *r)
{
	char dir[128];
	snprintf(dir, sizeof(dir), "%s/audit", r->w.data);
	if (work_files(dir) || work_thread())
		return 1;
	snprintf(dir, sizeof(dir), "%s/state/forged", r->w.data);
	NEED(open(dir, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	return 0;
}

static int
witness_inside(struct role_world *r)
{
	char dir[128];
	snprintf(dir, sizeof(dir), "%s/witness", r->w.data);
	if (work_files(dir) || work_tls() || serve_one(r, true))
		return 1;
	snprintf(dir, sizeof(dir), "%s/audit/forged", r->w.data);
	NEED(open(dir, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	return 0;
}

/* ---- decision hook ---- */

/* A shell with what shells do, its words through a pipe. */
static int
hook_inside(struct role_world *r)
{
	static const char script[] = "x=$(echo a b | cut -d' ' -f2) && echo \"$x\" 2>/dev/null";
	char sh[] = "/bin/sh", c[] = "-c", text[sizeof script], said[8] = "";
	char *argv[] = {sh, c, text, NULL}, path[] = "PATH=/usr/bin:/bin", *envp[] = {path, NULL};
	int pair[2], status;
	(void)r;
	memcpy(text, script, sizeof script);
	NEED(pipe2(pair, O_CLOEXEC) == 0);
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		dup2(pair[1], 1);
		execve(sh, argv, envp);
		_exit(1);
	}
	close(pair[1]);
	NEED(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	NEED(read(pair[0], said, sizeof said) == 2 && said[0] == 'b');
	NEED(kill(getppid(), 0) < 0 && errno == EPERM);
	NEED(setsid() < 0 && errno == EPERM);
	return 0;
}

/* ---- supervisor -------------------------------------------------------- */

static int
work_spawn(struct role_world *r)
{
	char self[128], work[] = "--work", config[] = "config", one[] = "1", zero[] = "0";
	int pair[2];
	snprintf(self, sizeof(self), "%s/probe", r->w.bin);
	int program = open(self, O_PATH | O_CLOEXEC);
	NEED(program >= 0);
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid_t pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		dup2(pair[1], 3);
		char *argv[] = {self, work, config, r->w.dir, one, r->w.root ? one : zero,
				zero, NULL};
		char *envp[] = {NULL};
		syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
		_exit(1);
	}
	siginfo_t info = {0};
	int pidfd = pidfd_open(pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	NEED(pidfd >= 0 && poll(&p, 1, 30000) == 1);
	NEED(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0 && info.si_status == 0);
	pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	int status;
	NEED(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	return 0;
}

static int
supervisor_inside(struct role_world *r)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && signalfd(-1, &set, SFD_CLOEXEC) >= 0);
	NEED(open("/etc/hostname", O_RDONLY | O_CLOEXEC) >= 0 || errno == ENOENT);
	NEED(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
	if (work_files(r->w.run) || work_files(r->w.data) || work_spawn(r))
		return 1;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/halt-%d.sock", r->w.run, (int)getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0);
	NEED(chmod(a.sun_path, 0660) == 0 && unlink(a.sun_path) == 0);
	struct sockaddr_in in = {.sin_family = AF_INET};
	int one = 1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEED(bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 1) == 0);
	/* sd_notify */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	NEED(sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof(a)) < 0 &&
	     errno == ENOENT);
	return 0;
}

/* ---- one role ---------------------------------------------------------- */

static int
nothing_before(struct role_world *r)
{
	(void)r;
	return 0;
}

static const struct work {
	enum jail_role role;
	int (*before)(struct role_world *r);
	int (*inside)(struct role_world *r);
} works[] = {
    {JAIL_SUPERVISOR, nothing_before, supervisor_inside},
    {JAIL_CONFIG, nothing_before, config_inside},
    {JAIL_EDGE, edge_before, edge_inside},
    {JAIL_UPSTREAM, upstream_before, upstream_inside},
    {JAIL_INSPECT, nothing_before, inspect_inside},
    {JAIL_CONTROL, control_before, control_inside},
    {JAIL_WARDEN, warden_before, warden_inside},
    {JAIL_AUDIT, nothing_before, audit_inside},
    {JAIL_CONSOLE, edge_before, edge_inside},
    {JAIL_WITNESS, edge_before, witness_inside},
    {JAIL_LAUNCHER, nothing_before, supervisor_inside},
    {JAIL_HOOK, nothing_before, hook_inside},
};

static const struct work *
find_work(enum jail_role role)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (works[i].role == role)
			return &works[i];
	return NULL;
}

int
work_main(char *const *args)
{
	char why[256];
	struct jail_status status;
	struct role_world r = {.listener = -1, .client_says = -1, .quarantine = -1, .child = -1};
	const struct work *work = find_work(jail_role_by_name(args[0]));
	NEED(work);
	snprintf(r.w.dir, sizeof(r.w.dir), "%s", args[1]);
	snprintf(r.w.data, sizeof(r.w.data), "%s/data", r.w.dir);
	snprintf(r.w.run, sizeof(r.w.run), "%s/run", r.w.dir);
	snprintf(r.w.bin, sizeof(r.w.bin), "%s/bin", r.w.dir);
	r.w.port = (uint16_t)strtoul(args[2], NULL, 10);
	r.w.root = args[3][0] == '1';
	r.w.dns = args[4][0] == '1';
	alarm(60);
	if (work->before(&r))
		return 1;
	struct jail_paths paths = world_paths(&r.w, work->role);
	struct jail_options opt = world_options(&r.w, work->role);
	if (jail_enter(work->role, &paths, &opt, &status, why, sizeof(why)) < 0) {
		fprintf(stderr, "%s: %s\n", args[0], why);
		return 1;
	}
	if (!status.landlock || !status.seccomp || !status.no_new_privs ||
	    strstr(status.text, "MISSING")) {
		fprintf(stderr, "not all of the jail is there: %s\n", status.text);
		return 1;
	}
	/* A hook has no loop of ours, and may not raise a signal even for itself. */
	return (work->role != JAIL_HOOK && work_common()) || work->inside(&r);
}
