// SPDX-License-Identifier: Apache-2.0
// decide - the statement to sign, where to sign it, and handing it in; rejecting and the rest, which need no signature.
import { el, facts, span, field, problem, command, quoted, count, badge, digest, question, reason, said,
	announce } from "/dom.js";
import { post, seg } from "/api.js";
import { may, ACT, OPERATE, SIGN } from "/words.js";
import { hashed } from "/log.js";
import { unviewed } from "/report.js";
import { approving, differs, says } from "/statement.js";
import { exact, pasted, principals, refusing, stock, withPasskey, APPROVAL } from "/signing.js";

const REJECTABLE = ["sighted", "fetching", "fetch-failed", "judging", "blocked", "review", "expired", "incident"];

// ---- what stands in place of Approve ----

// As many signatures as it takes, and the warden has not released it.
export function enough(r) {
	return r.state === "review" && r.need > 0 && r.have >= r.need;
}

// Pairs: what stops this person here, what would clear it.
function stops(page, m) {
	const { r, explain, people, status } = m, me = page.session.principal, out = [];
	if (r.state !== "review")
		out.push([`The review is ${r.state}, not open.`, m.stops.length ?
			"Clear what stands in the way, above, then reopen it." : r.text]);
	if (!may(page.session, ...SIGN))
		out.push(["Your account may not approve.",
			"An administrator gives it the role approver; another person may sign meanwhile."]);
	if (!me)
		out.push(["Your account signs as nobody of the signer set.", "An administrator says as whom, on the page People."]);
	else if (people && !principals(people).includes(me))
		out.push([`${me} has no key that counts.`,
			"The people of the signer set add it: fotagate people propose --add. See People."]);
	if (r.asked_by.includes(me))
		out.push(["You brought this image in, so your signature does not count.", "Somebody else has to sign."]);
	if (r.statements.some((s) => s.current && s.approver === me))
		out.push(["You have signed it already.", enough(r) ? "What the warden says, above, says who has to." :
			`Others have to: ${r.have} of ${r.need} so far.`]);
	if (explain && explain.decision !== "review")
		out.push([explain.says || `Policy decides: ${explain.decision}.`, "See what policy says, above."]);
	if (status && status.halt)
		out.push(["The gateway is halted.", "Signatures end the halt first: fotagate resume."]);
	return out;
}

// ---- the statement ----

function list(text) {
	return text.split(",").map((s) => s.trim()).filter(Boolean);
}

// What was asked for, as the API takes it.
function asked(form) {
	const v = new FormData(form), body = { reason: said(v), approver: v.get("approver").trim() };
	if (list(v.get("groups")).length)
		body.groups = list(v.get("groups"));
	for (const key of ["max_devices", "days"])
		if (v.get(key))
			body[key] = Number(v.get(key));
	if (v.getAll("ticks").length)
		body.ticks = v.getAll("ticks");
	if (v.get("breakglass")) {
		body.breakglass = true;
		body.hours = Number(v.get("hours"));
		delete body.days;
	}
	return body;
}

// For so many modules the first digits of the image are typed: by the scope in the statement, and by what it adds up to.
function isProduction({ r, people, explain }, modules) {
	return !people || modules > people.floors.canary_max ||
		(r.statements.some((s) => s.current) && !(explain && explain.kind === "canary"));
}

function cliApprove(r, body) {
	const words = ["fotagate", "review", "statement", r.id, "--approver", body.approver, "--reason", body.reason];
	for (const g of body.groups || [])
		words.push("--group", g);
	if (body.max_devices)
		words.push("--max-devices", String(body.max_devices));
	if (body.days)
		words.push("--days", String(body.days));
	if (body.breakglass)
		words.push("--break-glass", "--hours", String(body.hours));
	for (const item of body.ticks || [])
		words.push("--tick", item);
	return [...words.map(quoted), "--sign", "~/.ssh/id_ed25519"].join(" ");
}

async function handIn(page, r, statement, signature) {
	const done = await post(`/reviews/${seg(r.id)}/submit`, { statement, signature });
	announce(done.text || "Handed in.");
	page.drop("decide");
	page.signed = { id: r.id, text: done.text || "Handed in.", have: done.have, need: done.need };
	await page.reload();
}

// Of those who sign for more modules than a canary's one does so off the console: whoever is alone is that one.
function byPasskey(page, { r, people }, body, doc, modules) {
	if (body.breakglass && people && modules > people.floors.canary_max)
		return [el("p", { class: "hint", id: "no-passkey" }, `Not for more than ${count(people.floors.canary_max, "module")}: `,
			"whoever signs alone for that many has to use the command.")];
	return withPasskey(people, body.approver, doc.statement, (signature) => handIn(page, r, doc.statement, signature),
		body.breakglass ? "" : "For more modules than a canary's, one of those who sign has to use the command instead.");
}

async function statement(page, m, body, doc) {
	const { r, people, status, waits } = m, own = await hashed(doc.statement);
	const wrong = differs(doc.statement, { r, report: m.doc, body, people, need: doc.need, glass: body.breakglass ? m.glass : null,
		gateway: status ? status.genesis.origin : null });
	if (own !== doc.sha256)
		wrong.push("is not the one whose digest the gateway names");
	if (wrong.length)
		return [refusing(wrong)];
	const parsed = approving(doc.statement);
	if (isProduction(m, parsed.predicate.scope.max_devices) && !body.typed)
		return [problem({ id: "DIGEST", detail: "For that many modules the first six digits of the image's SHA-256 are missing.",
			cure: "type them above, read off the image you mean" })];
	return [el("h3", {}, "This is what you sign"),
		el("p", {}, "In words that this browser made of its bytes:"),
		el("ul", { id: "says" }, says(parsed).map((line) => el("li", {}, line))),
		waits ? el("p", { class: "hint" }, `This gateway knows ${count(waits.product_modules, "module")} of ${r.product}.`) :
			null,
		facts(["Its SHA-256, reckoned by this browser", digest(own, 64)], ["Signatures with yours",
			body.breakglass ? "1: break-glass" : `${doc.have + 1} of ${doc.need}`]),
		exact(doc),
		el("h3", {}, "Sign on your own machine"),
		el("p", {}, "Best: the command derives the statement again from the report, shows it, signs it and hands it in. ",
			"It believes nothing that this page says."),
		command(cliApprove(r, body)),
		...stock(APPROVAL, doc.name), pasted((signature) => handIn(page, r, doc.statement, signature)),
		el("h3", {}, "Or here, with a passkey"), ...byPasskey(page, m, body, doc, parsed.predicate.scope.max_devices)];
}

// Where genesis lets one person do it: folded, and not for now where an after-review is owed.
function alone(glass) {
	if (!glass || !glass.allowed)
		return null;
	return el("details", { id: "glass" }, el("summary", {}, "Alone, because it cannot wait: break-glass"),
		el("p", {}, `You alone, for at most ${count(glass.max_devices, "module")}. The first gets it after ${span(glass.delay)}, `,
			"and anybody can stop it until then; the others have to look at it afterwards, before the next time. ",
			el("a", { href: "/breakglass" }, "What it is, and what is under way"), "."),
		glass.why_not ? el("p", { class: "stop" }, `Not now: ${glass.why_not}.`) : null,
		el("label", { class: "tick" }, el("input", { type: "checkbox", name: "breakglass", id: "breakglass",
			disabled: Boolean(glass.why_not) }), "I break the glass"),
		field("For so many hours", el("input", { name: "hours", id: "hours", type: "number", min: "1", max: "24", value: "24",
			required: true })));
}

function approve(page, m) {
	const { r, people } = m, me = page.session.principal;
	const others = principals(people).filter((p) => p !== me);
	const out = el("div", { id: "statement" });
	const go = el("button", { type: "submit", class: "primary" }, "Write the statement");
	const plan = (r.statements.find((s) => s.current) || null);
	const prefix = el("input", { name: "prefix", id: "prefix", maxlength: "6", autocomplete: "off", spellcheck: "false" });
	return [el("form", { class: "stack", onsubmit: async (ev) => {
		ev.preventDefault();
		out.replaceChildren();
		const typed = prefix.value.trim().toLowerCase();
		if (typed && typed !== r.image.slice(0, 6)) {
			out.replaceChildren(problem({ id: "DIGEST",
				detail: "Those are not the first six digits of the image's SHA-256.",
				cure: "read them off the image you mean, not off your memory" }));
			prefix.focus();
			return;
		}
		const body = asked(ev.target);
		go.disabled = true;
		try {
			const came = await post(`/reviews/${seg(r.id)}/statement`, body);
			out.replaceChildren(...await statement(page, page.shown, { ...body, typed }, came));
			out.querySelector("h3, [role=alert]").scrollIntoView({ block: "start" });
		} catch (err) {
			out.replaceChildren(problem(err));
		} finally {
			go.disabled = false;
		}
	} }, el("h3", {}, "Approve"),
	unviewed() ? el("p", { class: "hint", "data-unviewed": "" },
		`You have not ticked ${count(unviewed(), "section")} above.`) : null,
	plan ? el("p", { class: "hint" },
		"Somebody signed already: leave groups and number as they are, and you sign for the same thing.") : null,
	reason("Printable ASCII; it is part of what you sign, and stays in the log.", "approve-reason"),
	r.checklist.length ? el("fieldset", {}, el("legend", {}, "You have done, and sign that you have"),
		r.checklist.map((item) => el("label", { class: "tick" },
			el("input", { type: "checkbox", name: "ticks", value: item, required: true }), item))) : null,
	field("Approver", el("select", { name: "approver", id: "approver" }, [me, ...others].map((p) => el("option",
		{ value: p, selected: p === me }, p))),
		"Whoever's key will sign."),
	el("details", { id: "narrow" }, el("summary", {}, "Only for some of the modules"),
		field("Groups", el("input", { name: "groups", id: "groups", autocomplete: "off", maxlength: "400" }),
			"Names with commas between; empty: all."),
		field("At most so many modules", el("input", { name: "max_devices", id: "max-devices", type: "number", min: "1",
			max: "4294967295" }), "Empty: all."),
		field("For so many days", el("input", { name: "days", id: "days", type: "number", min: "1", max: "30" }),
			"Empty: 30, or as many as policy lets it last.")),
	alone(m.glass),
	field("First six digits of the image's SHA-256", prefix,
		people ? `Type them, where more than ${count(people.floors.canary_max, "module")} may get this image.` : "Type them."),
	el("p", { class: "buttons" }, go)), out];
}

// ---- what one person is enough for ----

function rejecting(page, r) {
	return page.act(question({ title: `Reject ${r.id}`, danger: true, button: "Reject it", text: [
		`${r.product} ${r.target} will not reach any module. One person is enough, and a rejected review is not opened again.`],
	fields: [reason(), field("Keep away for good", el("select", { name: "also", id: "also" },
		[["", "only this review"], ["digest", "these bytes, whatever they are called"],
			["version", "this version of the product"],
			["signer", "everything by this signer"]].map(([v, w]) => el("option", { value: v }, w))),
				"A refusal beside it: nothing like it is even looked at.")],
	ask: (v) => post(`/reviews/${seg(r.id)}/reject`, { reason: said(v),
		...(v.get("also") ? { also: v.get("also") } : {}) }) }),
	`${r.id} is rejected.`);
}

function refuse(page, r) {
	return page.act(question({ title: "Refuse", danger: true, button: "Refuse it", text: [
		"What is refused is denied before anybody looks at it, by whatever way it comes. Approvers may lift it."],
	fields: [field("What", el("select", { name: "kind", id: "kind" }, [["digest", "these bytes"],
		["pattern", "a pattern of names"]]
		.map(([v, w]) => el("option", { value: v }, w)))),
	field("Value", el("input", { name: "value", id: "value", required: true, value: r.image || "", maxlength: "250" })),
	field("Days", el("input", { name: "days", id: "refuse-days", type: "number", min: "1", max: "3650" }),
		"Empty: without end."), reason()],
	ask: (v) => post("/refusals", { kind: v.get("kind"), value: v.get("value").trim(), reason: said(v),
		...(v.get("days") ? { days: Number(v.get("days")) } : {}) }) }), "Refused.");
}

function simple(page, path, done) {
	return page.act(post(path, {}), done).catch((err) => page.wrong(err));
}

function acts(page, r) {
	const can = may(page.session, ...ACT), out = [];
	if (REJECTABLE.includes(r.state))
		out.push(el("button", { type: "button", class: "danger", disabled: !can, onclick: () => rejecting(page, r) },
			"Reject\u2026"));
	if (["blocked", "expired", "incident"].includes(r.state))
		out.push(el("button", { type: "button", disabled: !can, onclick: () => simple(page, `/reviews/${seg(r.id)}/reopen`,
			"It is judged again.") },
			"Reopen: judge it again"));
	if (["fetch-failed", "expired"].includes(r.state))
		out.push(el("button", { type: "button", disabled: !may(page.session, ...OPERATE),
			onclick: () => simple(page, `/fetches/${seg(r.id)}/retry`, "It is fetched again.") }, "Fetch it again"));
	if (r.image)
		out.push(el("button", { type: "button", class: "danger", disabled: !can, onclick: () => refuse(page, r) },
			"Refuse\u2026"));
	return [out.length ? el("p", { class: "buttons" }, out) : null,
		out.length && !can ? el("p", { class: "dim" },
			"To reject, reopen or refuse takes the role operator, approver or admin.") : null,
		r.release ? el("p", {}, el("a", { href: "/releases" }, "Its release, among all"), " (revoke); where it has a plan, ",
			el("a", { href: `/rollouts/${r.release}` }, "how far it is over its rings"), " (pause, abort)") : null];
}

export function draw(page, m) {
	const { r } = m, stop = stops(page, m);
	page.shown = m; // what a statement is held against, when the form has stood here for a while
	const signed = page.signed && page.signed.id === r.id ? page.signed : null;
	const glass = m.glass && [m.glass.allowed, m.glass.why_not];
	page.part("decide", [r.state, r.image, r.report, r.policy, stop, signed, glass], () => [el("h2", {}, "Decide"),
		signed ? el("p", { class: "hint", role: "status" }, badge("good", "handed in"), " ", signed.text) : null,
		stop.length ? [el("h3", {}, "Approving is not possible here, now, by you"), el("ul", { class: "plain" },
			stop.map(([what, cure]) =>
			el("li", { class: "line-warning" }, what, el("small", {}, "To clear it: ", cure))))] : approve(page, m),
		el("h3", {}, "Without a signature"), acts(page, r)]);
}
