/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A messenger between the gateway and witnesses elsewhere, and trusted by neither: the
 * witness checks signature and proof, audit checks the line. What it is told
 * to speak to stands in a file of the operator's, never in an answer of the gateway's.
 */
#include "gateway/cmd/cli_witness.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/err.h"
#include "crypto/witness.h"
#include "crypto/witness_policy.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_proved.h"

#define EVERY_S 15       /* a start waits for it */
#define EVERY_MAX_S 86400
#define CONNECT_S 10L
#define WHOLE_S 30L      /* a witness writes one small file before it answers */
#define TRIES 4          /* its size is asked for, and the log grows meanwhile */

struct remote {
	const char *name;
	const struct note_key *key;
	char url[WITNESS_POLICY_URL_MAX + sizeof WITNESS_PATH];
	uint64_t old;               /* what it remembers, as it last said */
	enum witness_answer answer; /* the last one, said aloud */
	bool complained;
	char why[CURL_ERROR_SIZE]; /* no answer; "" for one */
};

struct session {
	const struct cli_common *c;
	const char *ca;
	bool once;
	struct witness_policy *policy;
	struct remote remote[WITNESS_POLICY_WITNESSES_MAX];
	size_t n;
	struct cli_call *call; /* NULL: not connected */
	struct cli_proved log;
	struct writer body, reply, line;
};

/* ---- the policy ---- */

/* In clear only to this machine itself: the line is checked anyway, but what a witness says otherwise is not signed. */
static bool
is_url(const char *url)
{
	char *scheme = NULL, *host = NULL;
	uint8_t at[16];
	CURLU *u = curl_url();
	bool good = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	if (good && strcmp(scheme, "http") == 0)
		good = strcmp(host, "[::1]") == 0 || (inet_pton(AF_INET, host, at) == 1 && at[0] == 127);
	else if (good)
		good = strcmp(scheme, "https") == 0;
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return good;
}

static int
add_remotes(struct session *s, const char *path)
{
	const struct witness_policy *p = s->policy;
	for (size_t i = 0; i < p->witnesses; i++) {
		struct remote *r = &s->remote[s->n];
		const char *url = p->witness_url[i];
		size_t n = strlen(url);
		if (!n)
			continue; /* somebody else brings its lines */
		if (!is_url(url))
			return cli_opt_fail(s->c, CLI_USAGE, "USAGE", "https, or http to an address of this machine.",
			    "%s: the URL of %s cannot be used", path, p->witness_name[i]);
		snprintf(r->url, sizeof r->url, "%.*s%s", (int)(url[n - 1] == '/' ? n - 1 : n), url, WITNESS_PATH);
		r->name = p->witness_name[i];
		r->key = &p->witness[i];
		s->n++;
	}
	return s->n ? 0 : cli_opt_fail(s->c, CLI_USAGE, "USAGE", "A line is: witness NAME KEY URL.",
	    "%s: names no witness with a URL", path);
}

static int
load_policy(struct session *s, const char *path)
{
	struct witness_policy_problem problem = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	s->policy = malloc(sizeof *s->policy);
	int status = 0, err = s->policy ? cli_file_read(NULL, path, WITNESS_POLICY_SIZE_MAX, &text, &n) : FG_ENOMEM;
	if (!err)
		err = witness_policy_parse(view_of(text, n), s->policy, &problem);
	char line[16] = ""; /* none for the file as a whole */
	if (problem.line)
		snprintf(line, sizeof line, ":%u", problem.line);
	if (err && problem.why)
		status = cli_opt_fail(s->c, CLI_USAGE, "USAGE", NULL, "%s%s: %s", path, line, problem.why);
	else if (err)
		status = cli_opt_fail(s->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", path, err_why(err));
	free(text);
	return status ? status : add_remotes(s, path);
}

/* ---- one request ---- */

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct writer *w = ctx;
	writer_bytes(w, view_of(p, size * n));
	return writer_err(w) ? 0 : size * n;
}

/* Its status, or 0 when there was no answer. */
static unsigned
post(struct session *s, struct remote *r)
{
	long status = 0;
	CURL *e = curl_easy_init();
	struct curl_slist *type = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
	writer_reset(&s->reply);
	bool ok = e && type && curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n) == CURLE_OK &&
	    curl_easy_setopt(e, CURLOPT_POSTFIELDS, s->body.p) == CURLE_OK &&
	    (!s->ca || curl_easy_setopt(e, CURLOPT_CAINFO, s->ca) == CURLE_OK);
	if (ok) {
		curl_easy_setopt(e, CURLOPT_HTTPHEADER, type);
		curl_easy_setopt(e, CURLOPT_USERAGENT, "fotagate/" FG_VERSION);
		curl_easy_setopt(e, CURLOPT_PROXY, "");
		curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
		curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
		curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
		curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
		curl_easy_setopt(e, CURLOPT_TIMEOUT, WHOLE_S);
		curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
		curl_easy_setopt(e, CURLOPT_WRITEDATA, &s->reply);
		curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->why);
		r->why[0] = '\0';
		CURLcode done = curl_easy_perform(e);
		if (done == CURLE_OK)
			curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
		else if (!r->why[0])
			snprintf(r->why, sizeof r->why, "%s", curl_easy_strerror(done));
	}
	curl_easy_cleanup(e);
	curl_slist_free_all(type);
	return status > 0 && status < 1000 ? (unsigned)status : 0;
}

/* The body of an add-checkpoint from what that witness remembers; more than the log has is said by asking from its end. */
static int
write_request(struct session *s, uint64_t old)
{
	const struct checkpoint *head = &s->log.log.head;
	struct merkle_proof proof = { .n = 0 };
	writer_reset(&s->body);
	int err = old && old < head->size ? tile_tree_consistency(s->log.tree, old, head->size, &proof) : FG_OK;
	if (!err)
		err = witness_request_write(old, &proof, writer_view(&s->log.log.note), &s->body);
	return err ? err : writer_err(&s->body);
}

/* What the witness says to the newest checkpoint. 0 with *ret, CLI_PROVED_AGAIN, or an exit status after saying why. */
static int
ask(struct session *s, struct remote *r, struct witness_answered *ret)
{
	int status = cli_proved_head(&s->log, &(struct checkpoint){ .size = 0 });
	if (status)
		return status;
	uint64_t size = s->log.log.head.size, old = r->old < size ? r->old : size;
	int err = write_request(s, old);
	if (err == FG_ENOTFOUND)
		return CLI_PROVED_AGAIN;
	writer_reset(&s->line);
	unsigned http = err ? 0 : post(s, r);
	if (!err)
		err = witness_answer_judge(http, writer_view(&s->reply), old, writer_view(&s->log.log.note), r->key,
		    &s->line, ret);
	if (err)
		return cli_opt_fail(s->c, CLI_COULD_NOT, "LOCAL", NULL, "%s could not be asked: %s", r->name, err_name(err));
	if (ret->answer == WITNESS_ANSWER_COSIGNED || ret->answer == WITNESS_ANSWER_BEHIND ||
	    ret->answer == WITNESS_ANSWER_AHEAD)
		r->old = ret->size;
	return ret->answer == WITNESS_ANSWER_BEHIND ? CLI_PROVED_AGAIN : 0;
}

/* ---- telling the gateway, and a person ---- */

/* 0, or the refusal: CLI_PROVED_AGAIN for a line that came too late. */
static int
tell(struct session *s, const struct remote *r, const struct witness_answered *a)
{
	struct cli_request q;
	struct cli_reply reply;
	char line[sizeof((struct msg_witness_said){ 0 }.line)];
	bool cosigned = a->answer == WITNESS_ANSWER_COSIGNED;
	if (s->line.n >= sizeof line)
		return cli_opt_fail(s->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: its line is too long", r->name);
	snprintf(line, sizeof line, "%.*s", (int)s->line.n, s->line.p ? (const char *)s->line.p : "");
	cli_call_begin(&q);
	cli_call_text(&q, "answer", witness_answer_name(a->answer));
	cli_call_text(&q, "line", cosigned ? line : NULL);
	cli_call_text(&q, "name", r->name);
	cli_call_number(&q, "size", a->size <= INT64_MAX ? (int64_t)a->size : -1);
	int status = cli_call_do(s->call, "audit.cosigned", &q, NULL, 0, &reply);
	if (status)
		return status;
	if (cli_call_is(&reply, "NO-COSIGNATURE"))
		status = CLI_PROVED_AGAIN;
	else if (reply.status != CLI_DONE)
		status = cli_call_refused(s->c, &reply);
	cli_reply_free(&reply);
	return status;
}

/* Once, until it says something else. */
static int
judge(const struct session *s, struct remote *r, const struct witness_answered *a)
{
	uint64_t size = s->log.log.head.size;
	bool again = r->complained && r->answer == a->answer;
	r->answer = a->answer;
	r->complained = a->answer != WITNESS_ANSWER_COSIGNED;
	switch (a->answer) {
	case WITNESS_ANSWER_COSIGNED:
		if (s->once && !s->c->json)
			printf("%s has signed for %" PRIu64 " entries\n", r->name, size);
		return 0;
	case WITNESS_ANSWER_AHEAD:
		return again ? CLI_REFUSED : cli_opt_fail(s->c, CLI_REFUSED, "WITNESS",
		    "Put the newest copy or export back: fotagated(8), \"Backup\".",
		    "%s remembers %" PRIu64 " entries, this log has %" PRIu64 ": rolled back?", r->name, a->size, size);
	case WITNESS_ANSWER_FORK:
		return again ? CLI_REFUSED : cli_opt_fail(s->c, CLI_REFUSED, "WITNESS", "Compare it with an export, and keep both.",
		    "%s does not accept that this log of %" PRIu64 " entries continues what it remembers", r->name, size);
	case WITNESS_ANSWER_NOT_US:
		return again ? CLI_COULD_NOT : cli_opt_fail(s->c, CLI_COULD_NOT, "WITNESS",
		    "Its list of logs needs the log line of the policy.",
		    "%s does not know this log", r->name);
	default:
		return again ? CLI_COULD_NOT : cli_opt_fail(s->c, CLI_COULD_NOT, "AWAY", NULL, "%s: no usable answer from %s%s%s",
		    r->name, r->url, r->why[0] ? ": " : "", r->why);
	}
}

static int
serve(struct session *s, struct remote *r)
{
	int status = CLI_PROVED_AGAIN;
	struct witness_answered a = { WITNESS_ANSWER_UNKNOWN, 0, 0 };
	for (unsigned i = 0; status == CLI_PROVED_AGAIN && i < TRIES; i++) {
		status = ask(s, r, &a);
		if (!status)
			status = tell(s, r, &a);
	}
	if (status == CLI_PROVED_AGAIN)
		return cli_opt_fail(s->c, CLI_COULD_NOT, "AGAIN", NULL, "%s: the log grows faster than it can be asked", r->name);
	return status ? status : judge(s, r, &a);
}

/* ---- the loop ---- */

static void
close_log(struct session *s)
{
	if (!s->call)
		return;
	cli_proved_close(&s->log);
	cli_call_close(s->call);
	s->call = NULL;
}

static int
open_log(struct session *s)
{
	bool ours = false;
	if (s->call)
		return 0;
	int status = cli_call_open(s->c, &s->call);
	if (status)
		return status;
	status = cli_proved_open(&s->log, s->c, s->call, NULL);
	for (size_t i = 0; !status && i < s->policy->logs; i++)
		ours = ours || note_key_equal(&s->policy->log[i], &s->log.key);
	if (!status && !ours)
		status = cli_opt_fail(s->c, CLI_REFUSED, "LOG", NULL, "the policy has no log line for %s, which this gateway's is",
		    s->log.vkey);
	if (status)
		close_log(s);
	return status;
}

/* The worst of it: a log that was set back before a witness that is away. */
static int
round_trip(struct session *s)
{
	int worst = open_log(s);
	for (size_t i = 0; s->call && i < s->n; i++) {
		int status = serve(s, &s->remote[i]);
		if (status && worst != CLI_REFUSED)
			worst = status;
	}
	return worst;
}

static int
run(struct session *s, int64_t every)
{
	for (;;) {
		int status = round_trip(s);
		close_log(s); /* a place at the socket is not kept while nothing is to be said */
		if (s->once || status == CLI_USAGE)
			return status;
		nanosleep(&(struct timespec){ .tv_sec = (time_t)every }, NULL);
	}
}

int
cli_witness(int argc, char **argv)
{
	struct cli_args a;
	struct session s = { .n = 0 };
	const char *policy = NULL;
	int64_t every = EVERY_S;
	const struct cli_opt opts[] = {
		{ "policy", CLI_OPT_TEXT, &policy, 0, 0, 0 },
		{ "ca", CLI_OPT_TEXT, &s.ca, 0, 0, 0 },
		{ "every", CLI_OPT_NUMBER, &every, 1, EVERY_MAX_S, 0 },
		{ "once", CLI_OPT_FLAG, &s.once, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	int status = cli_opt_parse(argc, argv, opts,
	    "audit witness --policy FILE [--ca FILE] [--every SECONDS] [--once]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!policy)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", NULL, "--policy is missing: a file that names the witnesses");
	s.c = &a.common;
	writer_init(&s.body, WITNESS_REQUEST_MAX);
	writer_init(&s.reply, WITNESS_ANSWER_MAX);
	writer_init(&s.line, WITNESS_ANSWER_MAX);
	signal(SIGPIPE, SIG_IGN);
	status = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? load_policy(&s, policy) :
	    cli_opt_fail(s.c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (!status)
		status = run(&s, every);
	close_log(&s);
	free(s.policy);
	writer_free(&s.body);
	writer_free(&s.reply);
	writer_free(&s.line);
	curl_global_cleanup();
	return status;
}
