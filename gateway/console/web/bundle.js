// SPDX-License-Identifier: Apache-2.0
// bundle - evidence as one file to take away: what belongs to a review, or entries with their proofs. What has a digest is
// hashed before it gets its name; names are those of fotagate audit export. All of it: exporting.js.
import { file, get, post, seg } from "/api.js";
import { back, head, hex, included, sha256 } from "/log.js";
import { APPROVAL as NAMESPACE } from "/signing.js";

export const ENTRIES_MAX = 500;    // that are proven one by one
const BACK_MAX = 200000;           // entries that are looked through for them
const AT_ONCE = 4;                 // requests on their way: a browser has few connections for one server
const WAIT = 100, WAIT_TRIES = 100; // milliseconds; a checkpoint is signed within a second
const BLOCK = 512;

const utf8 = new TextEncoder();

// ---- the archive: ustar of POSIX.1-1988, which whatever unpacks tar reads ----

function header(name, size, mtime) {
	const h = new Uint8Array(BLOCK);
	const put = (at, text) => h.set(utf8.encode(text), at);
	const octal = (n, digits) => n.toString(8).padStart(digits, "0") + "\0";
	if (name.length > 100)
		throw new Error(`${name} is too long a name.`);
	put(0, name);
	put(100, octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(mtime, 11));
	put(148, " ".repeat(8) + "0");
	put(257, "ustar\0" + "00");
	put(148, octal(h.reduce((sum, b) => sum + b, 0), 6) + " ");
	return h;
}

// files: a Map of names to lists of bytes or blobs, below the folder.
export function tar(folder, files) {
	const now = Math.floor(Date.now() / 1000), out = [];
	for (const [name, parts] of files) {
		const size = parts.reduce((n, p) => n + (p.size ?? p.length), 0);
		out.push(header(`${folder}/${name}`, size, now), ...parts, new Uint8Array((BLOCK - size % BLOCK) % BLOCK));
	}
	return new Blob([...out, new Uint8Array(2 * BLOCK)], { type: "application/x-tar" });
}

// ---- entries ----

// Waits for the checkpoint over so many entries.
export async function settled(size) {
	for (let tries = 0; tries < WAIT_TRIES; tries++) {
		if ((await head()).size >= size)
			return;
		await new Promise((done) => setTimeout(done, WAIT));
	}
	throw new Error("The log is not signed any more: its newest checkpoint does not cover this export.");
}

// Taking the log away is in the log first, and in what is taken.
export async function announced() {
	await settled((await post("/audit/export", {})).size);
}

// The receipt with its entry inside: one file that speaks for itself.
export function receipt(text, entry) {
	const [first, ...rest] = text.split("\n");
	return [first, "extra " + btoa(entry), ...rest].join("\n");
}

// each(item) of all, a few at a time.
export async function some(list, each) {
	for (let at = 0; at < list.length; at += AT_ONCE)
		await Promise.all(list.slice(at, at + AT_ONCE).map(each));
}

// Entries (as log.js reads them) with a proof for each that leads to a signed root.
async function proven(files, entries, progress) {
	const by = [...entries].sort((a, b) => a.seq - b.seq), lines = [];
	let done = 0;
	await some(by, async (e) => {
		const { entry, receipt: text } = await get(`/audit/proof/${e.seq}`);
		const proof = await included(entry, text);
		if (entry !== e.raw || !proof.good || proof.index !== e.seq)
			throw new Error(`What the gateway hands out does not prove entry ${e.seq}.`);
		files.set(`proofs/${e.seq}.tlog-proof`, [utf8.encode(receipt(text, entry))]);
		progress(++done, by.length);
	});
	for (const e of by)
		lines.push(utf8.encode(e.raw + "\n"));
	files.set("entries.jsonl", lines);
	files.set("checkpoint", [utf8.encode((await head()).note)]);
}

const COLUMNS = ["seq", "t", "ev", "sev", "out", "act", "src", "obj", "dev", "msg"];

// For a spreadsheet (RFC 4180), which takes no cell for a formula.
export function csv(entries) {
	const cell = (v) => `"${String(v ?? "").replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
	return [COLUMNS, ...entries.map((e) => COLUMNS.map((k) => e[k]))].map((r) => r.map(cell).join() + "\r\n").join("");
}

// The latest entries that fit, not below from nor above to, proven one by one. { blob, n, next }: what lies below next
// was not looked at.
export async function excerpt(folder, take, from, to, progress) {
	const found = await back({ before: to === null ? null : to + 1, want: ENTRIES_MAX, bundles: BACK_MAX / 256, take,
		stop: (e) => e.seq < from });
	const files = new Map();
	await proven(files, found.entries, progress);
	files.set("entries.csv", [utf8.encode(csv([...found.entries].reverse()))]);
	files.set("README.txt", [utf8.encode(`${found.entries.length} entries of an audit log, each with a receipt; entries.csv is ` +
		"what a spreadsheet reads of them, and proves nothing.\n\n" +
		"To check one, with what was kept outside the gateway (trust.txt):\n\n" +
		"    fotagate-verify receipt proofs/NUMBER.tlog-proof --trust trust.txt\n\n" +
		"Which entries were left out, an excerpt cannot tell: the whole log can.\n")]);
	return { blob: tar(folder, files), n: found.entries.length, next: found.next };
}

// ---- a review ----

// Bytes of a kept document, held against the digest it is asked by; null where it is not kept any more.
export async function document(kind, digest, named = true) {
	const bytes = await file(`/files/${kind}?digest=${digest}`);
	if (bytes && named && hex(await sha256(bytes)) !== digest)
		throw new Error(`The gateway hands out a ${kind} that is not what its digest says.`);
	return bytes;
}

function papers(r) {
	const list = [["report", r.report, `reports/${r.report}.json`], ["provenance", r.provenance,
		`provenance/${r.provenance}.json`], ["policy", r.policy, `policies/${r.policy}.json`],
		["vendor-signature", r.signature, `vendor/${r.signature}.sig`]];
	for (const s of r.statements)
		list.push(["statement", s.statement, `statements/${s.statement}.json`],
			["signature", s.statement, `statements/${s.statement}.sig`, false]);
	for (const m of r.remarks)
		list.push(["attachment", m.file, `attachments/${m.file}`]);
	return list.filter(([, digest]) => digest);
}

function signers(people) {
	return people.people.flatMap((p) => p.keys.filter((k) => k.line).map((k) =>
		`${p.principal} namespaces="${NAMESPACE}" ${k.line}\n`)).join("");
}

// r: review.show; entries: those of its timeline. { blob, missing: names of what is not kept any more }
export async function evidence(folder, r, entries, people, progress) {
	const files = new Map(), missing = [];
	files.set("review.json", [utf8.encode(JSON.stringify(r, null, 1) + "\n")]);
	await some(papers(r), async ([kind, digest, name, named]) => {
		const bytes = await document(kind, digest, named);
		if (bytes)
			files.set(name, [bytes]);
		else
			missing.push(name);
	});
	files.set("signers/genesis.json", [await file("/files/genesis")]);
	for (const { number } of people.sets.filter((s) => s.number > 0)) {
		const set = await file(`/files/signers?number=${seg(number)}`);
		if (set)
			files.set(`signers/${number}.json`, [set]);
	}
	files.set("signers/allowed_signers", [utf8.encode(signers(people))]);
	await proven(files, entries, progress);
	const first = r.statements[0] ? r.statements[0].statement : "DIGEST";
	const who = r.statements[0] ? r.statements[0].approver : "PERSON";
	files.set("README.txt", [utf8.encode(`${r.id}: what a gateway kept of one review.\n\n` +
		"Believe neither the gateway nor review.json, which is only its words. With stock tools:\n\n" +
		`    sha256sum reports/*.json     # each has its digest for a name\n` +
		`    ssh-keygen -Y verify -f signers/allowed_signers -I ${who} -n ${NAMESPACE} \\\n` +
		`        -s statements/${first}.sig <statements/${first}.json\n\n` +
		"With fotagate-verify and what was kept outside the gateway (genesis.json, trust.txt):\n\n" +
		`    fotagate-verify approval statements/${first}.json statements/${first}.sig --genesis genesis.json\n` +
		"    fotagate-verify receipt proofs/NUMBER.tlog-proof --trust trust.txt\n\n" +
		"Whether the signatures counted, only the whole log says: fotagate audit export FOLDER\n")]);
	return { blob: tar(folder, files), missing: missing.sort() };
}
