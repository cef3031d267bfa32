// SPDX-License-Identifier: Apache-2.0
// exporting - all that fotagate audit export writes, as one file: the log and its tree, signer sets, policies, every paper
// that entries name, and the texts for whoever verifies it. Entries are hashed to the signed root, papers to their names.
import { file, post, seg, own } from "/api.js";
import { digits, fold, head, hex, sha256, verify } from "/log.js";
import { document, settled, some, tar } from "/bundle.js";

const ENTRIES_MAX = 2000000; // of which a browser keeps hashes and names of papers; bytes go to where it keeps blobs
const PAPERS_MAX = 100000;
const WIDTH = 256;
const TRIES = 20, WAIT = 100; // milliseconds: the log has a set a moment before its file has its name
const FOLDERS = { statement: "statements", report: "reports", provenance: "provenance", policy: "policies" };
const NAMESPACES = ["fotagate-approval@v1", "fotagate-policy@v1", "fotagate-signers@v1"];
const DECIDE = ["approval.signed", "release.issued"];

const utf8 = new TextEncoder(), plain = new TextDecoder();

// ---- the tree, as tiles: every hash of it was reckoned here ----

export class Tree {
	constructor(files) {
		this.files = files;
		this.rows = []; // of each level: { at: number of the next tile, hashes }
	}

	put(level, full) {
		const row = this.rows[level], n = row.hashes.length;
		this.files.set(`tile/${level}/${digits(row.at)}${full ? "" : `.p/${n}`}`, [new Blob(row.hashes)]);
	}

	async add(level, hash) {
		const row = this.rows[level] ||= { at: 0, hashes: [] };
		row.hashes.push(hash);
		if (row.hashes.length < WIDTH)
			return;
		this.put(level, true);
		const up = await fold(row.hashes);
		row.at++;
		row.hashes = [];
		await this.add(level + 1, up);
	}

	end() {
		this.rows.forEach((row, level) => row.hashes.length && this.put(level, false));
	}
}

// The entries of one tile as it lies in the log: each with its length before it.
function packed(all) {
	return new Blob(all.flatMap((e) => [Uint8Array.of(e.length >> 8, e.length & 255), e]));
}

// ---- what entries name ----

const digestOf = (v) => (/^(?:sha256:)?([0-9a-f]{64})$/.exec(typeof v === "string" ? v : "") || [])[1];

class Papers {
	constructor() {
		this.all = new Map(); // "kind digest" to { kind, digest, signature, signed: somebody signed for it }
		this.sets = 0;
		this.policies = 0;
	}

	note(kind, named, signature, signed) {
		const digest = digestOf(named);
		if (!digest)
			return;
		const had = this.all.get(`${kind} ${digest}`);
		if (had)
			had.signed ||= signed;
		else
			this.all.set(`${kind} ${digest}`, { kind, digest, signature: digestOf(signature), signed });
		if (this.all.size > PAPERS_MAX)
			throw new Error(`The log names more than ${PAPERS_MAX} papers: fotagate audit export writes them.`);
	}

	entry(bytes) {
		let e, record;
		try {
			e = JSON.parse(plain.decode(bytes));
			record = e.ev === "release.issued" ? JSON.parse(e.doc) : null;
		} catch {
			return; // its bytes go along, whatever they say
		}
		const ref = e.ref || {};
		for (const kind of Object.keys(FOLDERS))
			this.note(kind, ref[kind], kind === "statement" && ref.signature, DECIDE.includes(e.ev));
		if (e.ev === "authority.signers")
			this.sets = Math.max(this.sets, ref.number || 0);
		else if (e.ev === "authority.policy")
			this.policies = Math.max(this.policies, ref.number || 0);
		for (const s of (record && record.statements) || [])
			this.note("statement", s.statement, s.signature, true);
		if (record && record.terms) {
			this.note("report", record.terms.report, null, true);
			this.note("policy", record.terms.policy, null, true);
		}
	}

	// A statement names what it rests on.
	statement(bytes) {
		const p = JSON.parse(plain.decode(bytes)).predicate || {};
		if (!p.report)
			return;
		this.note("report", p.report.digest?.sha256, null, true);
		this.note("policy", p.policy?.digest?.sha256, null, false);
	}
}

// Names of those that somebody signed for and that are not kept any more.
async function take(papers, files, progress) {
	const missing = [];
	const lost = (one, name) => one.signed && missing.push(name);
	let done = 0;
	const each = async (one) => {
		const name = `${FOLDERS[one.kind]}/${one.digest}`, bytes = await document(one.kind, one.digest);
		progress(++done, papers.all.size);
		if (!bytes) {
			lost(one, `${name}.json`);
			return;
		}
		files.set(`${name}.json`, [new Blob([bytes])]);
		if (one.kind !== "statement")
			return;
		papers.statement(bytes);
		const sig = await file(`/files/signature?digest=${one.digest}`) ||
			(one.signature ? await file(`/files/signature?digest=${one.signature}`) : null);
		if (sig)
			files.set(`${name}.sig`, [sig]);
		else
			lost(one, `${name}.sig`);
	};
	await some([...papers.all.values()].filter((p) => p.kind === "statement"), each); // which may name more
	await some([...papers.all.values()].filter((p) => p.kind !== "statement"), each);
	return missing.sort();
}

// ---- the authority's chains ----

async function numbered(kind, number) {
	for (let tries = 0; tries < TRIES; tries++) {
		const bytes = await file(`/files/${kind}?number=${seg(number)}`);
		if (bytes)
			return bytes;
		await new Promise((on) => setTimeout(on, WAIT));
	}
	throw new Error(`The log has number ${number} of ${kind}, and the gateway does not have its file.`);
}

// Signatures that come one after the other, each its own file.
async function signatures(files, kind, number, name) {
	const all = plain.decode(await numbered(kind, number)).match(/-----BEGIN[^]*?-----END SSH SIGNATURE-----\n?/g) || [];
	all.forEach((one, i) => files.set(`signers/${name}.sig.${i}`, [utf8.encode(one)]));
}

const stamp = (at) => at.replace(/[^0-9Z]/g, "");

// A set's lines as ssh-keygen takes them: those of signers_allowed().
function allowed(set, namespaces) {
	return set.signers.map((s) => `${s.principal} namespaces="${namespaces}",valid-after="${stamp(s.valid_after)}",` +
		`valid-before="${stamp(s.valid_before)}" ${s.key}\n`).join("");
}

async function authority(papers, files) {
	const genesis = await file("/files/genesis"), { predicate } = JSON.parse(plain.decode(genesis));
	const namespaces = NAMESPACES.filter((n) => predicate.policy || n !== NAMESPACES[1]).join();
	let lines = allowed(predicate.set, namespaces);
	files.set("signers/genesis.json", [genesis]);
	await signatures(files, "signers-signatures", 0, "genesis");
	for (let n = 1; n <= papers.sets; n++) {
		const set = await numbered("signers", n);
		files.set(`signers/${n}.json`, [set]);
		await signatures(files, "signers-signatures", n, n);
		lines += allowed(JSON.parse(plain.decode(set)).predicate.set, namespaces);
	}
	for (let n = 1; n <= papers.policies; n++) {
		files.set(`signers/policy-${n}.json`, [await numbered("policy-set", n)]);
		await signatures(files, "policy-set-signatures", n, `policy-${n}`);
	}
	files.set("signers/allowed_signers", [utf8.encode(lines)]);
}

// ---- all of it ----

// { blob, n: entries, missing: names of papers that are not kept any more }. said(words) of how far it is.
export async function all(folder, said) {
	const files = new Map(), texts = new Map(), digests = [];
	if ((await head()).size > ENTRIES_MAX)
		throw new Error(`The log has more than ${ENTRIES_MAX} entries: fotagate audit export writes them.`);
	for (const name of JSON.parse(plain.decode(await own("/export/names.json")))) {
		const bytes = await own(`/export/${name}`);
		texts.set(name, [bytes]);
		digests.push(hex(await sha256(bytes)));
	}
	// The log says first that it is taken away, and what the texts are: so that it covers them, too.
	await settled((await post("/audit/export", { texts: digests })).size);
	let lines, tree, papers;
	const v = await verify(null, "", (n, of) => said(`entry ${n} of ${of}`), async (entries, hashes, index) => {
		if (index === 0) { // it begins anew
			files.clear();
			lines = [];
			tree = new Tree(files);
			papers = new Papers();
		}
		lines.push(new Blob(entries.flatMap((e) => [e, "\n"])));
		files.set(`tile/entries/${digits(index)}${entries.length < WIDTH ? `.p/${entries.length}` : ""}`, [packed(entries)]);
		for (const hash of hashes)
			await tree.add(0, hash);
		entries.forEach((e) => papers.entry(e));
	});
	if (!v.fits || v.odd)
		throw new Error("The entries do not hash to the root in the checkpoint: nothing was saved.");
	if (v.signed === false)
		throw new Error("The checkpoint is not signed by the log key that genesis names: nothing was saved.");
	tree.end();
	files.set("checkpoint", [utf8.encode(v.cp.note)]);
	files.set("entries.jsonl", lines);
	await authority(papers, files);
	const missing = await take(papers, files, (n, of) => said(`paper ${n} of ${of}`));
	return { blob: tar(folder, new Map([...files, ...texts])), n: v.cp.size, missing };
}
