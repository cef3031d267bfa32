// SPDX-License-Identifier: Apache-2.0
// health - the gateway itself: what it permits now, what it warns of, its processes, clock and log.
import { el, table, facts, digest, time, badge, count, command, num, problem } from "/dom.js";
import { get, maybe } from "/api.js";
import { resume } from "/resume.js";
import { state } from "/words.js";
import { object } from "/entries.js";
import { back } from "/log.js";

function yes(good, word, otherwise) {
	return badge(good ? "good" : "block", good ? word : otherwise);
}

// ---- what only the log has ----

const OLD = 60000;    // milliseconds that what was read of the log may be old: all pages renew themselves with it
const BACKUP_DAYS = 7; // after which no backup is worth a word
const FETCHES = ["fetch.done", "fetch.failed", "upstream.error"];

let told = { at: 0, doc: null };

// Of each process its latest start, the latest backup, and of each profile how its last fetch ended.
async function history() {
	if (Date.now() - told.at < OLD)
		return told.doc;
	const doc = { starts: [], backup: null, fetches: [], from: 0 }, seen = new Set();
	const first = (key) => !seen.has(key) && seen.add(key);
	const found = await back({ want: 1, bundles: 40, take: () => false, stop: (e) => {
		if (e.ev === "svc.start" && /^role:/.test(e.obj) && first(e.obj))
			doc.starts.push(e);
		else if (e.ev === "log.exported" && e.obj === "state" && first("backup"))
			doc.backup = e;
		else if (FETCHES.includes(e.ev) && e.ref && e.ref.profile && first(`fetch ${e.ref.profile}`))
			doc.fetches.push(e);
		return false;
	} });
	doc.from = found.next;
	doc.starts.sort((a, b) => (a.obj < b.obj ? -1 : 1));
	told = { at: Date.now(), doc };
	return doc;
}

// The level of what a process said of its jail when it was ready.
export function level(words) {
	const parts = words.split("; "), wanted = [/^seccomp$/, /^Landlock ABI [1-9]\d*$/, /^no-new-privs$/];
	const has = parts.filter((p) => wanted.some((w) => w.test(p)));
	return has.length === 3 ? badge("good", "full") : badge("warning", has.length ? `only ${has.join(", ")}` : "none");
}

function fromLog(page, h) {
	const past = h.from ? `, in the entries from ${num(h.from)} on` : "";
	page.part("processes", h.starts.map((e) => e.seq), () => [el("h2", {}, "Processes and their jails"),
		table("Processes, as each was ready the last time", ["Process", "Sandbox", "What it said", "Since", "Entry#"],
			h.starts.map((e) => [e.obj.slice(5), level(e.msg || ""), e.msg || "", time(e.t),
				el("a", { href: `/audit/${e.seq}` }, String(e.seq))]), `None has told of its start${past}.`)]);
	page.part("upstreams", h.fetches.map((e) => e.seq), () => [el("h2", {}, "Upstreams"),
		table("How the last fetch from each vendor ended", ["Profile", "Ended", "When", "For", "Said", "Entry#"],
			h.fetches.map((e) => [e.ref.profile, e.ev === "fetch.done" ? badge("good", "done") : badge("warning", "failed"),
				time(e.t), object(e.ref.review || ""), e.msg || "", el("a", { href: `/audit/${e.seq}` }, String(e.seq))]),
			`Nothing was fetched${past}.`)]);
	const old = h.backup && Date.now() - new Date(h.backup.t) > BACKUP_DAYS * 86400000;
	page.part("backups", [h.backup && h.backup.seq, old, h.from], () => [el("h2", {}, "Backups"), h.backup ?
		el("p", {}, old ? badge("warning", "old") : badge("good", "made"), " The last by ", h.backup.act, ", ",
			time(h.backup.t), ", ", el("a", { href: `/audit/${h.backup.seq}` }, `entry ${h.backup.seq}`), ".") :
		el("p", {}, badge("warning", "none"), ` No backup was made${past}. It is made on the gateway itself:`),
	h.backup ? null : command("fotagate backup FOLDER")]);
}

const WITNESS = { cosigned: ["good", "signed"], behind: ["wait", "behind"], ahead: ["block", "remembers more than this log has"],
	fork: ["block", "remembers another log"], "not-us": ["warning", "does not know this log"],
	unusable: ["warning", "said nothing usable"], unknown: ["wait", "not asked yet"] };
const CERTIFICATES = { CERTIFICATE: "its own", "CLIENT-CA": "of a CA of modules", CRL: "a revocation list" };

export async function load(page) {
	page.title("Health");
	const s = await get("/status"), g = s.log;
	page.part("head", [s.permitting, s.halt, s.clock_hold, s.demo], () => [el("h1", {}, "Health"), el("p", { class: "verdict" },
		yes(s.permitting, "permitting",
		"not permitting"), s.permitting ? " Modules get what was released for them." : " No module gets anything."),
	s.demo ? el("p", { class: "hint" }, "This is a demonstration: its people's keys lie in the gateway's own folder.") :
		null,
	s.halt ? el("p", { class: "stop" }, "Halted since ", time(s.halt.at), `, by uid ${s.halt.by_uid}. Only signatures end it.`) :
		null, s.clock_hold ? el("p", { class: "stop" }, "The clock is held since ", time(s.clock_hold.at), ": ",
		s.clock_hold.text) : null]);
	const people = s.halt || s.clock_hold ? await maybe("/people") : null;
	page.part("resume", s.halt || s.clock_hold ? [s.halt, s.clock_hold] : null, () => resume(page, s, people));
	page.part("alerts", s.alerts, () => [el("h2", {}, "Alerts"), s.alerts.length ? el("ul", { class: "plain" },
		s.alerts.map((a) =>
		el("li", { class: "line-warning" }, badge("warning", a.id), " ", a.text))) : el("p", {}, badge("good", "none"))]);
	page.part("gateway", [s.genesis, s.version, s.signers, s.clock, s.clock_hold, s.warden, s.jobs, s.modules, s.profiles,
		s.releases, s.console],
		() => [el("h2", {}, "Gateway"), facts(
		["Version", s.version], ["Name", s.genesis.origin], ["Instance", el("code", {}, s.genesis.instance)],
			["Genesis", digest(s.genesis.digest)],
		["Warden", yes(s.warden, "there", "away")], ["Clock", [s.clock === "ntp" ? badge("good", "kept by NTP") :
			badge("warning", "nobody keeps it"), s.clock_hold ? [" ", badge("block", "held")] : null]],
		["Signers", `${count(s.signers.persons, "person", "people")}, ${s.signers.threshold} for a new set`],
		["Jobs", `${s.jobs.running} running, ${s.jobs.waiting} waiting`], ["Modules", num(s.modules)],
			["Profiles", s.profiles],
		["Policy", s.policy_signed ? badge("good", "in force when people sign it") : [badge("warning", "not signed"),
			" whoever can write its files says what it is"]],
		["Releases", s.releases], ["Console", s.console === undefined || s.console === null ? null : yes(s.console, "up",
			"down")])]);
	page.part("log", g, () => [el("h2", {}, "Log and disk"), facts(["State", yes(g.state === "ok", "ok", g.state)],
		["Entries", num(g.size)],
		["Root", digest(g.root)], ["Disk in use", [`${g.disk_used} %`, g.disk_used > 90 ?
			[" ", badge("warning", "nearly full")] : null]],
		["Witnessed", g.witnessed], ["Forwarded", g.remotes ? `${count(g.remotes, "collector")}, up to ${g.remote}` :
			"to nobody"]),
	el("h3", {}, "Witnesses elsewhere"), s.witnesses.length ? table("Witnesses", ["Witness", "Signed up to#", "Behind#",
		"Signed", "Last answer"], s.witnesses.map((w) => [w.name, num(w.size), num(w.lag), time(w.cosigned),
		[WITNESS[w.answer] ? badge(...WITNESS[w.answer]) : badge("notice", w.answer), " ", time(w.answered),
			w.claimed > w.size ? el("small", {}, `says that it remembers ${count(w.claimed, "entry", "entries")}`) : null]])) :
		el("p", { class: "dim" }, "None is configured: a whole disk that is set back would not be noticed.")]);
	page.part("certificates", s.certificates, () => [el("h2", {}, "Certificates of listeners"), table("What ends first",
		["Listener", "Which", "Ends", "State"], s.certificates.map((c) => [c.listener, CERTIFICATES[c.kind] || c.kind,
			time(c.until), c.soon ? badge("warning", "to be renewed") : badge("good", "in time")]),
		"No listener has any, or no edge is up to say so.")]);
	page.part("reviews", s.reviews, () => [el("h2", {}, "Reviews by state"), table("Reviews", ["State", "How many#"],
		Object.entries(s.reviews).filter(([, n]) => n)
		.map(([k, n]) => [state(k), el("a", { href: `/reviews?view=all&state=${k}` }, String(n))]), "None yet.")]);
	page.part("edges", s.edges, () => [el("h2", {}, "Edges"), table("Processes that speak with modules",
		["Edge", "State", "Connections#", "Waiting#",
		"Bytes owed#", "Refused: module#", "Refused: source#"],
			s.edges.map((e) => [`edge ${e.index}`, yes(e.up, "up", "down"), e.connections, e.waiting, e.owed_bytes,
		e.refused_module, e.refused_source]))]);
	page.part("roles", s.roles, () => [el("h2", {}, "Processes that ended and were started again"),
		table("Roles", ["Role", "Restarts#", "Status"],
		s.roles.map((r) => [`${r.role} ${r.index}`, r.restarts, r.status]), "None.")]);
	try {
		fromLog(page, await history());
	} catch (err) {
		page.part("processes", String(err), () => [el("h2", {}, "Processes and their jails"), problem(err)]);
	}
}
