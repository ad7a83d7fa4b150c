// A program that keeps its registry in memory, as edit.py does, in node.
//
//   edit.mjs sync|async DIR          lives: a line on standard input, an answer on standard output
//   edit.mjs sync|async DIR "LINE"   does one line and ends
//
// With async each call of the file system is awaited before the next one is made.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { spawnSync } from 'node:child_process';

const [how, home, once] = process.argv.slice(2);
const FIRST = '{"entries":[{"id":"e0"},{"id":"e1"}],"jobs":{"j1":{"cmd":"x"},"j2":{"cmd":"y"}},"debug":false,"port":80}';

const sync = {
  read: (p) => fs.readFileSync(p, 'utf8'), write: (p, text) => fs.writeFileSync(p, text), rename: (p, q) => fs.renameSync(p, q),
  unlink: (p) => fs.unlinkSync(p), copy: (p, q) => fs.copyFileSync(p, q), stat: (p) => fs.statSync(p), list: (p) => fs.readdirSync(p),
};
const later = {
  read: (p) => fs.promises.readFile(p, 'utf8'), write: (p, text) => fs.promises.writeFile(p, text), rename: (p, q) => fs.promises.rename(p, q),
  unlink: (p) => fs.promises.unlink(p), copy: (p, q) => fs.promises.copyFile(p, q), stat: (p) => fs.promises.stat(p), list: (p) => fs.promises.readdir(p),
};
const disk = how === 'async' ? later : sync;
const at = (name) => path.join(home, name);
const exists = async (name) => {
  try { await disk.stat(at(name)); return true; } catch (e) { if (e.code === 'ENOENT') return false; throw e; }
};

let doc = null;
const kept = [];
const ops = {
  load: async (name) => { const text = await disk.read(at(name)); doc = JSON.parse(text); return text; },
  peek: (name) => disk.read(at(name)),
  exists: async (name) => ((await exists(name)) ? 'True' : 'False'),
  size: async (name) => String((await disk.stat(at(name))).size),
  list: async () => (await disk.list(home)).filter((n) => n !== '.git').sort().join(','),
  reset: () => { doc = JSON.parse(FIRST); },
  keep: () => { kept.push(JSON.stringify(doc)); },
  back: () => { if (kept.length) doc = JSON.parse(kept.pop()); },
  add: (id) => { (doc.entries ??= []).push({ id }); },
  drop: (id) => { doc.entries = (doc.entries ?? []).filter((e) => e.id !== id); },
  pop: () => { doc.entries?.shift(); },
  clear: () => { doc.entries = []; },
  set: (key, value) => { doc[key] = JSON.parse(value); },
  unset: (key) => { delete doc[key]; },
  bump: () => { doc.rev = (doc.rev ?? 0) + 1; },
  mark: (job, value = 'running') => { ((doc.jobs ??= {})[job] ??= {}).state = value; },
  unmark: (job) => { delete doc.jobs?.[job]?.state; },
  done: (job) => { delete doc.jobs?.[job]; },
  save: async (name, way = 'inplace') => {
    const text = JSON.stringify(doc);
    const p = at(name);
    if (way === 'rename') { await disk.write(`${p}.tmp`, text); await disk.rename(`${p}.tmp`, p); return; }
    if (way === 'unlink' && (await exists(name))) await disk.unlink(p);
    if (way === 'backup' && (await exists(name))) await disk.copy(p, `${p}.bak`);
    if (way === 'rplus' && (await exists(name))) {
      const fd = fs.openSync(p, 'r+');
      try { fs.writeSync(fd, text, 0); fs.ftruncateSync(fd, Buffer.byteLength(text)); } finally { fs.closeSync(fd); }
      return;
    }
    await disk.write(p, text);
  },
  unlink: (name) => disk.unlink(at(name)),
  move: (name, to) => disk.rename(at(name), at(to)),
  copy: (name, to) => disk.copy(at(name), at(to)),
  child: (...words) => spawnSync('/bin/sh', ['-c', '$PY "$K/edit.py" "$0" "$1"', home, words.join(' ').replaceAll(',', ';')], { encoding: 'utf8' }).stdout.trim(),
};

const answer = async (line) => {
  const said = [];
  try {
    for (const operation of line.split('; ')) {
      const [name, ...words] = operation.split(/\s+/);
      const told = await ops[name](...words);
      if (told) said.push(told.trim());
    }
    return JSON.stringify(said);
  } catch (e) {
    return `failed ${e.code ?? e.name}`;
  }
};

if (once !== undefined) {
  const told = await answer(once);
  console.log(told);
  process.exit(told.startsWith('failed') ? 1 : 0);
}
for await (const line of readline.createInterface({ input: process.stdin })) process.stdout.write(`${await answer(line.trim())}\n`);
