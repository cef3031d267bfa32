// SPDX-License-Identifier: Apache-2.0
// rollouts - how far releases have come over their rings, the ways to stop one, and the commands by which people sign.
import { el, svg, table, row, facts, digest, time, ago, count, command, question, reason, said } from "/dom.js";
import { get, post, seg } from "/api.js";
import { state, may, ACT } from "/words.js";

function stopping(page, r, verb) {
	const abort = verb === "abort";
	return page.act(question({ title: `${abort ? "Abort" : "Pause"} the rollout of ${r.review}`, danger: true,
		button: abort ? "Abort it" : "Pause it", text: [abort ?
			"Ends the rollout and its release at once: transfers under way are cut, nobody is offered it any more." :
			"Nobody more is offered it. It goes on only when people sign for that.",
		`${count(r.granted, "module")} may have it so far; ${r.success} said it went well, ${r.failure} failed.`],
		fields: [reason()], ask: (v) => post(`/rollouts/${seg(r.id)}/${verb}`, { reason: said(v) }) }),
	abort ? "The rollout is aborted." : "The rollout is paused.");
}

function holding(page, r, ring) {
	return page.act(question({ title: `Hold ring ${ring} of ${r.review}`, danger: true, button: "Hold it",
		text: ["Nobody in that ring is offered it any more, open or not yet; the other rings go on.",
			"Transfers of the release begin anew. The ring goes on only when people sign for that."],
		fields: [reason()], ask: (v) => post(`/rollouts/${seg(r.id)}/hold`, { reason: said(v), ring }) }),
	`Ring ${ring} is held.`);
}

const SIGN = "--reason '...' --sign ~/.ssh/id_ed25519";

// What takes signatures is made where the keys are.
function signing(r) {
	const waits = r.rings.findIndex((x) => x.name === r.ring) + 1, next = r.rings[waits];
	const lines = [r.state === "paused" ? `fotagate rollout resume ${r.review} ${SIGN}` : null,
		...r.rings.filter((x) => x.held).map((x) => `fotagate rollout resume ${r.review} --ring ${x.name} ${SIGN}`),
		r.state === "running" && next && next.human ? `fotagate rollout open ${r.review} ${SIGN}` : null];
	return lines.filter((x) => x).map((x) => command(x));
}

// Always there; what cannot be done now says so instead of going away.
function buttons(page, r) {
	const can = may(page.session, ...ACT), live = ["running", "paused", "done"].includes(r.state);
	return el("p", { class: "buttons" },
		el("button", { type: "button", class: "danger", disabled: !can || !["running", "done"].includes(r.state),
			onclick: () => stopping(page, r, "pause") },
			"Pause\u2026"),
		el("button", { type: "button", class: "danger", disabled: !can || !live, onclick: () => stopping(page, r,
			"abort") }, "Abort\u2026"),
		can ? null : el("span", { class: "dim" }, "takes the role operator, approver or admin"));
}

function ring(page, all, r, now) {
	const total = r.granted || 1;
	const can = may(page.session, ...ACT) && !r.held && ["running", "paused", "done"].includes(all.state);
	const bar = (name, at, n) => svg("rect", { class: name, x: String(at), y: "0", width: String(n), height: "1" });
	return el("li", { "aria-current": now ? "step" : null }, el("h3", {}, r.name, " ", r.open ? state("running") : "",
		r.held ? state("held") : "", now && !r.open && !r.held ? " stands here" : "", r.human ? " people open it" : ""),
		svg("svg", { class: "meter", viewBox: `0 0 ${total} 1`, preserveAspectRatio: "none", role: "img",
			"aria-label": `ring ${r.name}: ${r.success} well, ${r.failure} failed, ${r.silent} silent of ${r.granted} granted` },
		bar("well", 0, r.success), bar("bad", r.success, r.failure + r.silent)),
		el("p", {}, r.granted ? `${r.granted} granted: ${r.success} well, ${r.failure} failed, ${r.silent} silent, ` +
			`${r.granted - r.success - r.failure - r.silent} not heard of yet` : r.open ? "open; nobody asked yet" :
				"not open",
		r.over_failure || r.over_silent ? `; gone on over ${r.over_failure} failed, ${r.over_silent} silent` : "",
		r.watched ? `; ${r.watched} watched by your network` : ""),
		el("p", { class: "buttons" }, el("button", { type: "button", class: "danger", disabled: !can,
			onclick: () => holding(page, all, r.name) }, "Hold\u2026")));
}

// A release without a plan, and one that is over, have no rings.
function none(page, why) {
	page.title("No rollout");
	page.part("head", why, () => [el("h1", {}, "No rollout"), el("p", { class: "verdict" }, `${why}.`),
		el("p", {}, el("a", { href: "/releases" }, "All releases"), ", and ", el("a", { href: "/rollouts" }, "all rollouts"))]);
	for (const key of ["rings", "facts"])
		page.part(key, null);
}

async function one(page, id) {
	let r;
	try {
		r = await get(`/rollouts/${seg(id)}`);
	} catch (err) {
		if (err.id !== "NOT-FOUND")
			throw err;
		none(page, err.detail);
		return;
	}
	page.title(`Rollout of ${r.review}`);
	page.part("head", r, () => [el("h1", {}, "Rollout of ", el("a", { href: `/reviews/${r.review}` }, r.review)),
		el("p", { class: "verdict" }, state(r.state), " ", r.next), r.reason ? el("p", { class: "hint" }, r.by, ": ",
			r.reason) : null,
		buttons(page, r), signing(r)]);
	page.part("rings", r.rings, () => [el("h2", {}, "Rings"), el("ol", { class: "rings", "aria-live": "polite" },
		r.rings.map((x) => ring(page, r, x, x.name === r.ring)))]);
	page.part("facts", r, () => [el("h2", {}, "What it is"), facts(["Plan", r.plan], ["Ring", r.ring],
		["Since", [time(r.since), ", ", ago(r.since)]],
		["Release", digest(r.id)], ["Granted", r.granted], ["Went well", r.success], ["Failed", r.failure],
			["Silent", r.silent])]);
}

export async function load(page, id) {
	if (id)
		return one(page, id);
	page.title("Rollouts");
	const after = new URLSearchParams(location.search).get("after");
	const got = await get("/rollouts", { after, limit: 200 }), all = got.rollouts;
	// Those on the way are all on the first page.
	const on = all.filter((r) => r.review), over = all.filter((r) => !r.review);
	page.part("head", on.length, () => [el("h1", {}, "Rollouts"),
		el("p", {}, after ? "Older ones, that are over." : `${count(on.length, "release")} on the way over rings.`)], "plain");
	page.part("list", after ? null : on, () => [el("h2", { class: "quiet" }, "Under way"), on.length ?
		on.map((r) => el("article", { id: r.id },
		el("h3", {}, row(`/rollouts/${r.id}`, r.review), " ", state(r.state), r.ring ?
			` ring ${r.ring} of the plan ${r.plan}` : ""),
		el("p", {}, r.next), r.granted !== undefined ? el("p", { "aria-live": "polite" },
			`${r.granted} granted, ${r.success} well, ${r.failure} failed, `,
			`${r.silent} silent.`, r.reason ? ` ${r.reason}` : "") : null, buttons(page, r))) :
		el("p", { class: "empty" }, "None. A release goes over rings where its profile names a rollout plan.")]);
	page.part("over", over.length ? over : null, () => [el("h2", {}, "Over"), table("Rollouts that are over",
		["Release", "State", "Plan", "By", "Reason"],
		over.map((r) => [digest(r.id), state(r.state), r.plan, r.by, r.reason]))]);
	page.part("more", got.next || after ? [got.next, after] : null, () => el("p", { class: "buttons" },
		after ? el("a", { class: "button", href: "/rollouts" }, "From the youngest on") : null,
		got.next ? el("a", { class: "button", href: `/rollouts?after=${got.next}` }, "Older ones") : null), "plain");
}
