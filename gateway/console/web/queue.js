// SPDX-License-Identifier: Apache-2.0
// queue - what waits, oldest first; what is asked of whom; how the first image comes.
import { el, table, row, time, ago, span, count, command, field, badge, num } from "/dom.js";
import { get, lately, maybe } from "/api.js";
import { state, severity, verdict, STATE_WORDS, SEVERITIES } from "/words.js";

const DECIDED = ["approved", "rejected", "revoked", "expired"]; // whatever else there is, waits
const VIEWS = [["waiting", "Everything that waits"], ["me", "Needs me"], ["others", "Waiting on others"],
	["held", "Held or blocked"], ["security", "Security updates"],
	["expiring", "Expires within a week"], ["all", "All, decided ones too"]];
const WEEK = 7 * 86400000;
const PAGE_MAX = 1000; // rows of a page; the gateway hands them out in smaller ones

async function pages(args) {
	const rows = [];
	do {
		const got = await get("/reviews", { ...args, limit: PAGE_MAX - rows.length });
		rows.push(...got.reviews);
		args = { ...args, after: got.next };
	} while (args.after && rows.length < PAGE_MAX);
	return rows;
}

async function list(status, filter) {
	const { state, profile, after } = filter;
	if (filter.view === "all" || state)
		return pages({ state, profile, after });
	if (filter.view === "me")
		return pages({ state: "review", needs_me: true, profile });
	if (!status)
		return (await pages({ profile })).filter((r) => !DECIDED.includes(r.state));
	const states = Object.keys(status.reviews).filter((s) => status.reviews[s] && !DECIDED.includes(s));
	return (await Promise.all(states.map((s) => pages({ state: s, profile })))).flat();
}

function number(id) {
	return Number(id.slice(2));
}

function wanted(r, view) {
	switch (view) {
	case "me":
		return r.needs_me;
	case "others":
		return r.state === "review" && !r.needs_me;
	case "held":
		return r.state === "blocked" || r.state === "incident" || r.held;
	case "security":
		return r.security !== null;
	case "expiring":
		return Boolean(r.deadline) && new Date(r.deadline) - Date.now() < WEEK;
	default:
		return true;
	}
}

function found(r, q) {
	return !q || [r.id, r.product, r.target, r.profile, r.text, r.state, r.image ||
		""].some((t) => t.toLowerCase().includes(q.toLowerCase()));
}

// How many different ones, by how grave they are.
function findings(r) {
	if (!r.severities)
		return verdict(null);
	const by = SEVERITIES.slice(0, 3).filter((s) => r.severities[s]);
	return by.length ? by.map((s) => [severity(s), ` ${r.severities[s]} `]) : badge("good", "none");
}

// Age and what is left of the time to decide, in words.
function age(r) {
	const out = [time(r.opened), el("small", {}, ago(r.opened))];
	if (r.deadline && r.state === "review") {
		const left = (new Date(r.deadline) - Date.now()) / 1000;
		out.push(left < 0 ? badge("block", `overdue by ${span(-left)}`) : left * 1000 < WEEK ?
			badge("warning", `${span(left)} left to decide`) : el("small", {}, `${span(left)} left to decide`));
	}
	return out;
}

function signatures(r) {
	if (r.state === "fetch-failed" || !r.need)
		return el("span", { class: "dim" }, "none due");
	return [`${r.have} of ${r.need}`, r.needs_me ? el("small", {}, badge("notice", "needs me")) : null];
}

// What it would replace, and whether something newer waits as well.
function relations(r, all) {
	const out = [];
	if (r.offered_now && r.state !== "approved")
		out.push(el("small", {}, `supersedes ${r.offered_now.target}, which is in force`));
	const newer = all.find((x) => x.state === "review" && x.product === r.product && x.profile === r.profile &&
		number(x.id) > number(r.id));
	if (newer && !DECIDED.includes(r.state))
		out.push(el("small", {}, "superseded by ", el("a", { href: `/reviews/${newer.id}` }, newer.id), `, ${newer.target}, `,
			"which waits too"));
	return out;
}

function filters(page, filter, status, profiles) {
	const submit = (changes) => {
		const q = new URLSearchParams(location.search);
		for (const [key, value] of Object.entries(changes))
			if (value)
				q.set(key, value);
			else
				q.delete(key);
		q.delete("after");
		page.go("/reviews" + (q.size ? "?" + q : ""));
	};
	const select = (id, options, value, key) => el("select", { id, "data-mine": "",
		onchange: (ev) => submit({ [key]: ev.target.value }) },
		options.map(([v, word]) => el("option", { value: v, selected: v === value }, word)));
	return el("form", { class: "filters", role: "search", onsubmit: (ev) => {
		ev.preventDefault();
		submit({ q: ev.target.querySelector("#q").value });
	} },
	field("View", select("view", VIEWS, filter.view, "view")),
	field("State", select("state", [["", "any"], ...Object.keys(status ? status.reviews : {}).map((s) =>
		[s, `${STATE_WORDS[s] || s} (${status.reviews[s]})`])], filter.state, "state")),
	field("Profile", select("profile", [["", "any"], ...profiles.map((p) => [p.name, p.name])], filter.profile, "profile")),
	field("Search", el("input", { id: "q", type: "search", "data-search": "", "data-mine": "", value: filter.q,
		maxlength: "100" })),
	el("button", { type: "submit" }, "Find"));
}

function first(profiles) {
	return [el("h2", {}, "How the first image gets here"),
		el("p", {}, "By itself: let a module ask through this gateway. What it asks for is fetched once, inspected, ",
			"and waits here."),
		el("p", {}, "Or by hand, with the vendor's signature beside it:"),
		command(`fotagate import IMAGE --signature IMAGE.p7s --profile ${profiles[0] ? profiles[0].name : "NAME"} ` +
			"--product PRODUCT --version VERSION"),
		profiles.length ? null : el("p", {}, "There is no vendor profile yet: ", el("code", {}, "fotagate profile draft"),
			" writes one from what modules asked for.")];
}

export async function load(page) {
	page.title("Queue");
	const q = new URLSearchParams(location.search);
	const filter = Object.fromEntries(["view", "state", "profile", "q", "after"].map((k) => [k, q.get(k) || ""]));
	filter.view = VIEWS.some(([v]) => v === filter.view) ? filter.view : "waiting";
	const [status, profiles, exposure, glass] = await Promise.all([maybe("/status"), lately("/profiles"), lately("/exposure"),
		maybe("/breakglass")]);
	const all = (await list(status, filter)).sort((a, b) => number(a.id) - number(b.id));
	const waiting = Object.fromEntries(((exposure && exposure.held) || []).map((h) => [h.id, h]));
	const me = page.session.principal; // null: signs as nobody, and nothing needs them
	const rows = all.filter((r) => wanted(r, filter.view) && found(r, filter.q));
	const known = (profiles && profiles.profiles) || [];
	const total = status ? Object.values(status.reviews).reduce((a, b) => a + b, 0) : all.length;
	const minute = Math.floor(Date.now() / 60000);

	page.part("head", [rows.length, filter.view, Boolean(me)], () => [el("h1", {}, "Queue"),
		filter.view === "me" && !me ? el("p", { class: "hint" }, "Your account signs as nobody, so that nothing needs you.") :
			null,
		el("p", { role: "status" },
			`${count(rows.length, "review")}: ${VIEWS.find(([v]) => v === filter.view)[1].toLowerCase()}, oldest first.`)],
			"plain");
	page.part("glass", (glass && glass.owed) || null, () => el("p", { class: "stop" }, "One person alone let an image through, ",
		"and the others have not looked at it: ", el("a", { href: "/breakglass" }, "see it, or stop it"), "."), "plain");
	page.part("filters", [filter, status && status.reviews, known.map((p) => p.name)], () => filters(page, filter, status,
		known));
	page.part("list", [rows, waiting, minute],
		() => [el("h2", { class: "quiet" }, "Reviews"),
		table("Reviews, oldest first", ["Review", "State", "Profile, product, version", "Findings", "Signatures",
			"Modules waiting#", "Age"],
			rows.map((r) => [
				row(`/reviews/${r.id}`, r.id), [state(r.state), el("small", {}, r.text)],
				[el("strong", {}, r.product, " ", r.target), el("small", {}, r.profile, ", came by ", r.source),
					r.security === null ? null : [badge("notice", "security update"), el("small", {}, `Security: ${r.security}`)],
					relations(r, all)],
				findings(r), signatures(r),
				waiting[r.id] ? `${num(waiting[r.id].modules)} of ${num(waiting[r.id].product_modules)}` :
					el("span", {}, `${num(r.asked)} asked`),
				age(r)]),
			total ? "Nothing that fits. Other views and states are in the boxes above." :
				"Nothing waits, and nothing ever came.")]);
	page.part("first", total ? null : known.map((p) => p.name), () => first(known));
	page.part("more", all.length >= 1000 ? all.at(-1).id : null, () => el("p", {}, el("a", {
		href: "/reviews?" + new URLSearchParams({ ...Object.fromEntries(q), view: "all", after: number(all.at(-1).id) }) },
			"Later ones")), "plain");
}
