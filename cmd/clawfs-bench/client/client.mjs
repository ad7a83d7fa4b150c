// client.mjs WORK [--flag value]…: the node programs that scripts/bench
// measures, and its peers from npm. They keep to the protocol of the Go client
// (main.go): print "ready", wait for a line, work, print one line of JSON.
//
// BENCH_MODULES names the directory in which the packages are installed.
import { readFileSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const require = createRequire(join(process.env.BENCH_MODULES ?? process.cwd(), 'package.json'));
const text = 'an entry of ordinary length, as a registry of tools or models holds it';

const { values: flags, positionals: [work] } = parseArgs({
  allowPositionals: true,
  options: {
    style: { type: 'string', default: 'in-place' },
    file: { type: 'string' },
    files: { type: 'string', default: '1' },
    id: { type: 'string', default: 'w' },
    first: { type: 'string', default: '0' },
    count: { type: 'string', default: '1' },
    size: { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
  },
});
const [files, first, count, size, rate] = [flags.files, flags.first, flags.count, flags.size, flags.rate].map(Number);
const registry = (n) => flags.file.replace('%d', String(n % files));

// A style saves a whole document, adds an entry to one, and counts entries.
const styles = {
  // Whole files, read and written without a lock.
  'in-place': () => ({
    commit: (name, content) => writeFileSync(name, content),
    append: (name, id) => writeFileSync(name, withEntry(readFileSync(name, 'utf8'), id)),
  }),
  // proper-lockfile around write-file-atomic, which syncs the file but not its
  // directory. Its retries are set to what suits it here: often, for ever.
  lockfile: () => {
    const { lock } = require('proper-lockfile');
    const writeFileAtomic = require('write-file-atomic');
    const retries = { forever: true, factor: 1.2, minTimeout: 2, maxTimeout: 50, randomize: true };
    const guarded = async (name, action) => {
      const release = await lock(name, { retries, realpath: false });
      try {
        return await action();
      } finally {
        await release();
      }
    };
    return {
      commit: (name, content) => guarded(name, () => writeFileAtomic(name, content)),
      append: (name, id) => guarded(name, () => writeFileAtomic(name, withEntry(readFileSync(name, 'utf8'), id))),
    };
  },
  // better-sqlite3 with full durability: a row per document, a row per entry.
  sqlite: () => {
    const Database = require('better-sqlite3');
    const db = new Database(join(dirname(flags.file), 'registries.db'), { timeout: 120_000 });
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, content TEXT)');
    db.exec('CREATE TABLE IF NOT EXISTS entries (name TEXT, id TEXT, content TEXT, PRIMARY KEY (name, id))');
    const save = db.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?)');
    const add = db.prepare('INSERT INTO entries VALUES (?, ?, ?)');
    if (work === 'append' && size > 0) fill(db);
    return {
      commit: (name, content) => save.run(name, content),
      append: (name, id) => add.run(name, id, JSON.stringify({ id, text })),
      count: () => db.prepare("SELECT count(*) AS n FROM entries WHERE id NOT LIKE 'e%'").get().n,
    };
  },
};

// fill gives a database the entries that a registry of --size entries has.
function fill(db) {
  const add = db.prepare('INSERT OR IGNORE INTO entries VALUES (?, ?, ?)');
  db.transaction(() => {
    for (let n = 0; n < size; n++) add.run(registry(0), `e${n}`, JSON.stringify({ id: `e${n}`, text }));
  })();
}

function withEntry(content, id) {
  const document = JSON.parse(content);
  document.entries.push({ id, text });
  return JSON.stringify(document, null, 2) + '\n';
}

// document returns one of about --size bytes.
function document() {
  const entries = [];
  for (let n = 0, bytes = 64; bytes < size; n++, bytes += 113) entries.push({ id: `e${n}`, text });
  return { revisions: 100000, entries };
}

const style = styles[flags.style]();
const works = {
  async commit(result) {
    for (let n = 1; n <= count; n++) {
      const start = process.hrtime.bigint();
      await style.commit(registry(n), content.replace('100000', String(100000 + n)));
      note(result, 'commit', start);
    }
  },
  async append(result) {
    const begin = process.hrtime.bigint();
    for (let n = 0; n < count; n++) {
      let due = process.hrtime.bigint();
      if (rate > 0) {
        due = begin + BigInt(Math.round((n / rate) * 1e9));
        await sleep(Math.max(0, Number(due - process.hrtime.bigint()) / 1e6));
      }
      try {
        await style.append(registry(first + n), `${flags.id}-${n}`);
        note(result, 'append', due);
      } catch {
        result.ops++;
        result.failed++;
      }
    }
  },
  async count(result) {
    result.ops = style.count();
  },
};

function note(result, series, start) {
  result.ops++;
  (result.series[series] ??= []).push(Number(process.hrtime.bigint() - start));
}

let content = '';
if (work === 'commit') {
  content = JSON.stringify(document(), null, 2) + '\n';
  for (let n = 0; n < files; n++) {
    writeFileSync(registry(n), content);
    await style.commit(registry(n), content);
  }
}
console.log('ready');
if (readSync(0, Buffer.alloc(16)) === 0) process.exit(1);
const result = { ops: 0, failed: 0, nanos: 0, cpu: 0, series: {} };
const cpu = process.cpuUsage();
const start = process.hrtime.bigint();
await works[work](result);
result.nanos = Number(process.hrtime.bigint() - start);
const used = process.cpuUsage(cpu);
result.cpu = (used.user + used.system) * 1000;
console.log(JSON.stringify(result));
