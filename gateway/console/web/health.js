// SPDX-License-Identifier: Apache-2.0
// health - the gateway itself: what it permits now, what it warns of, its processes, clock and log.
import { el, table, facts, digest, time, badge, count, num } from "/dom.js";
import { get, maybe } from "/api.js";
import { resume } from "/resume.js";
import { state } from "/words.js";

function yes(good, word, otherwise) {
	return badge(good ? "good" : "block", good ? word : otherwise);
}

export async function load(page) {
	page.title("Health");
	const s = await get("/status"), g = s.log;
	page.part("head", [s.permitting, s.halt, s.demo], () => [el("h1", {}, "Health"), el("p", { class: "verdict" },
		yes(s.permitting, "permitting",
		"not permitting"), s.permitting ? " Modules get what was released for them." : " No module gets anything."),
	s.demo ? el("p", { class: "hint" }, "This is a demonstration: its people's keys lie in the gateway's own folder.") :
		null,
	s.halt ? el("p", { class: "stop" }, "Halted since ", time(s.halt.at), `, by uid ${s.halt.by_uid}. Only signatures end it.`) :
		null]);
	const people = s.halt ? await maybe("/people") : null;
	page.part("resume", s.halt, () => resume(page, s, people));
	page.part("alerts", s.alerts, () => [el("h2", {}, "Alerts"), s.alerts.length ? el("ul", { class: "plain" },
		s.alerts.map((a) =>
		el("li", { class: "line-warning" }, badge("warning", a.id), " ", a.text))) : el("p", {}, badge("good", "none"))]);
	page.part("gateway", [s.genesis, s.version, s.signers, s.clock, s.warden, s.jobs, s.modules, s.profiles, s.releases,
		s.console],
		() => [el("h2", {}, "Gateway"), facts(
		["Version", s.version], ["Name", s.genesis.origin], ["Instance", el("code", {}, s.genesis.instance)],
			["Genesis", digest(s.genesis.digest)],
		["Warden", yes(s.warden, "there", "away")], ["Clock", s.clock === "ntp" ? badge("good", "kept by NTP") :
			badge("warning", "nobody keeps it")],
		["Signers", `${count(s.signers.persons, "person", "people")}, ${s.signers.threshold} for a new set`],
		["Jobs", `${s.jobs.running} running, ${s.jobs.waiting} waiting`], ["Modules", num(s.modules)],
			["Profiles", s.profiles],
		["Releases", s.releases], ["Console", s.console === undefined || s.console === null ? null : yes(s.console, "up",
			"down")])]);
	page.part("log", g, () => [el("h2", {}, "Log and disk"), facts(["State", yes(g.state === "ok", "ok", g.state)],
		["Entries", num(g.size)],
		["Root", digest(g.root)], ["Disk in use", [`${g.disk_used} %`, g.disk_used > 90 ?
			[" ", badge("warning", "nearly full")] : null]],
		["Witnessed", g.witnessed], ["Forwarded", g.remotes ? `${count(g.remotes, "collector")}, up to ${g.remote}` :
			"to nobody"]),
	s.witnesses.length ? table("Witnesses", ["Witness", "Says"],
		s.witnesses.map((w) => [w.name || "", Object.entries(w).filter(([k]) => k !== "name")
		.map(([k, v]) => `${k}: ${v}`).join(", ")])) : el("p", { class: "dim" }, "No witness is configured.")]);
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
}
