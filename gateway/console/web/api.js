// SPDX-License-Identifier: Apache-2.0
// api - asks /api/v1, nothing else. Errors are problem+json and come out as Problem.

const BASE = "/api/v1";

export class Problem extends Error {
	constructor(status, doc) {
		super(doc.detail || doc.title || `HTTP ${status}`);
		this.status = status;
		this.id = doc.id || `HTTP-${status}`;
		this.detail = doc.detail || doc.title || "";
		this.cure = doc.cure || "";
		this.doc = doc; // members of its own that an answer may have
	}
}

// What to do when nobody is signed in (any more); the router sets it.
export const on = { signedOut: () => {} };

async function refused(answer) {
	let doc = {};
	try {
		doc = await answer.json();
	} catch {
		// Not ours: a proxy's page, or nothing.
	}
	return new Problem(answer.status, doc && typeof doc === "object" ? doc : {});
}

// A page renews itself for as long as it is open. So that a session ends that nobody sits before, what is asked
// a minute after the last sign of a person says that it is the page that asks.
const ALONE = 60000;
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "wheel"])
	addEventListener(sign, () => (touched = Date.now()), { capture: true, passive: true });

function asking() {
	const head = { Accept: "application/json" };
	if (Date.now() - touched > ALONE)
		head["X-FG-Background"] = "1";
	return head;
}

async function ask(method, path, body) {
	const init = { method, credentials: "same-origin", cache: "no-store", redirect: "error", headers: asking() };
	if (method !== "GET") {
		init.headers["X-FG-CSRF"] = "1";
		init.headers["Content-Type"] = "application/json";
		init.body = JSON.stringify(body || {});
	}
	let answer;
	try {
		answer = await fetch(BASE + path, init);
	} catch {
		throw new Problem(0, { id: "UNREACHABLE", detail: "The console does not answer.",
			cure: "see whether fotagated runs" });
	}
	if (answer.ok)
		return answer;
	const problem = await refused(answer);
	// Not known any more, or only a code that was wrong? The session itself says it.
	if (answer.status === 401 && path !== "/session" && await gone())
		on.signedOut();
	throw problem;
}

let asked = null; // about the session, by whoever was refused first

function gone() {
	asked = asked || fetch(BASE + "/session", { headers: asking() }).then((a) => a.status === 401, () => false)
		.finally(() => { asked = null; });
	return asked;
}

// Members that are undefined, null, false or "" are left out of the query.
export function query(args) {
	const q = new URLSearchParams();
	for (const [key, value] of Object.entries(args || {}))
		if (value !== undefined && value !== null && value !== "" && value !== false)
			q.set(key, value === true ? "true" : value);
	const text = q.toString();
	return text ? "?" + text : "";
}

// What several parts of a page ask for at once is fetched once; a change that is heard of, or made, begins anew.
const AT_ONCE = 250; // milliseconds
const flying = new Map();

export async function get(path, args) {
	const url = path + query(args), now = Date.now();
	for (const [key, had] of flying)
		if (now - had.at > AT_ONCE)
			flying.delete(key);
	if (!flying.has(url))
		flying.set(url, { at: now, text: ask("GET", url).then((a) => a.text()) });
	return JSON.parse(await flying.get(url).text);
}

// This person did something: nothing of before is true any more.
function forget() {
	flying.clear();
	kept.clear();
}

// Undefined where the gateway says no: what a page can do without.
export async function maybe(path, args) {
	try {
		return await get(path, args);
	} catch (err) {
		if (err.status === 401 || err.status === 0)
			throw err;
		return undefined;
	}
}

const kept = new Map();

// maybe(), of what is dear to make and may be some seconds old.
export function lately(path) {
	const had = kept.get(path);
	if (had && Date.now() - had.at < 15000)
		return had.doc;
	const doc = maybe(path);
	kept.set(path, { at: Date.now(), doc });
	doc.catch(() => kept.delete(path));
	return doc;
}

// Bytes as they are, or null where there is no such file.
export async function file(path) {
	try {
		return new Uint8Array(await (await ask("GET", path)).arrayBuffer());
	} catch (err) {
		if (err.status === 404)
			return null;
		throw err;
	}
}

// Bytes of a file of this page's own.
export async function own(path) {
	const answer = await fetch(path, { credentials: "same-origin", redirect: "error" });
	if (!answer.ok)
		throw await refused(answer);
	return new Uint8Array(await answer.arrayBuffer());
}

export async function post(path, body) {
	forget();
	const answer = await ask("POST", path, body);
	const text = await answer.text();
	forget();
	return text ? JSON.parse(text) : {};
}

export async function remove(path) {
	await ask("DELETE", path);
	forget();
}

// A path's segment of somebody else's word.
export const seg = encodeURIComponent;

// ---- change ----

const AGAIN = 10000; // milliseconds between looks, where there is no stream

// Calls changed() when the log has grown; state(word) says how it listens: live, asking or away. Returns stop().
// A tab that nobody looks at does not listen: a browser has few connections for one server.
export function listen(changed, state) {
	let source = null, timer = 0, size = null, missed = false;
	const tell = () => {
		flying.clear();
		changed();
	};
	async function look() {
		try {
			const now = (await get("/audit/head")).size;
			if (now !== size)
				tell();
			size = now;
			state("asking");
		} catch (err) {
			state(err.status === 0 ? "away" : "asking");
		}
	}
	function poll(on) {
		clearInterval(timer);
		timer = on ? setInterval(look, AGAIN) : 0;
	}
	function close() {
		poll(false);
		if (source)
			source.close();
		source = null;
	}
	function open() {
		close();
		source = new EventSource(BASE + "/events");
		source.onopen = () => {
			poll(false);
			state("live");
			if (missed)
				tell();
			missed = true;
		};
		source.addEventListener("change", tell);
		source.onerror = () => {
			state("away");
			if (!timer)
				poll(true);
		};
	}
	const seen = () => (document.hidden ? close() : open());
	document.addEventListener("visibilitychange", seen);
	addEventListener("pagehide", close);
	addEventListener("pageshow", seen);
	seen();
	return () => {
		document.removeEventListener("visibilitychange", seen);
		removeEventListener("pagehide", close);
		removeEventListener("pageshow", seen);
		close();
	};
}
