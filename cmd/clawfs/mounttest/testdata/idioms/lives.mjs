// lives.mjs HOW FILE ID: a process that lives longer than one write. It saves
// several times and at the end has added {"id": ID} to the list "models" of FILE and
// nothing else: ID-draft, which it adds first, it removes again. HOW says what it
// does beside saving.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gate } from '../programs/gate.mjs';

const [how, file, id] = process.argv.slice(2);
const load = () => JSON.parse(fs.readFileSync(file, 'utf8'));
const pause = () => sleep(5 + Math.random() * 15);
let memory;

const inPlace = () => fs.writeFileSync(file, JSON.stringify(memory, null, 2));
function byRename() {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, JSON.stringify(memory, null, 2));
  fs.renameSync(temporary, file);
}
const add = (name) => memory.models.push({ id: name });
const remove = (name) => { memory.models = memory.models.filter((m) => m.id !== name); };

// What it does before each change, and after each save.
const nothing = { before() {}, after() {}, save: inPlace };
let cached, seen;
const lives = {
  // Memory is the truth: nothing is ever read again.
  memory: { ...nothing },
  'memory-rename': { ...nothing, save: byRename },
  // Polls the file and takes over what it finds.
  poller: { ...nothing, before() { memory = load(); } },
  // Reads again only if the modification time has changed.
  'mtime-cache': {
    ...nothing,
    before() {
      const { mtimeMs } = fs.statSync(file);
      if (mtimeMs !== cached) memory = load();
      cached = mtimeMs;
    },
    after() { cached = fs.statSync(file).mtimeMs; },
  },
  // A watcher that reads after each event, its own saves included, and forgets it.
  'watcher-ignores': { ...nothing, watch() { seen = load().models.length; } },
  // A watcher that takes over what it reads.
  'watcher-adopts': { ...nothing, watch() { memory = load(); } },
  // Reads once more, to check something, before it writes what it has.
  'double-read': { ...nothing, before() { load(); load(); } },
  // Copies the file to a backup right after each save.
  backup: { ...nothing, save: byRename, after() { fs.copyFileSync(file, `${file}.${process.pid}.bak`); } },
  // Reads the file back for its backup.
  'backup-read': { ...nothing, after() { fs.writeFileSync(`${file}.${process.pid}.bak`, fs.readFileSync(file)); } },
  // Its first attempt at each save is cut short; it tries again.
  retry: {
    ...nothing,
    save() {
      const text = JSON.stringify(memory, null, 2);
      try { fs.writeFileSync(file, text.slice(0, text.length / 2)); } catch { /* refused, but not on a bare directory */ }
      inPlace();
    },
  },
  // Saves what has not changed, with a new stamp, over and over.
  stamps: {
    ...nothing,
    after() {
      for (let i = 0; i < 3; i++) {
        memory.lastTouchedAt = new Date().toISOString();
        inPlace();
      }
    },
  },
};

const life = lives[how];
await gate('start');
memory = load();
await gate('read');
const watcher = life.watch && fs.watch(file, () => { try { life.watch(); } catch { /* half a file, on a bare directory */ } });
for (const change of [() => add(`${id}-draft`), () => add(id), () => remove(`${id}-draft`)]) {
  try { life.before(); } catch { /* half a file, on a bare directory */ }
  change();
  life.save();
  life.after();
  await pause();
}
watcher?.close();
for (const suffix of ['bak', 'tmp']) fs.rmSync(`${file}.${process.pid}.${suffix}`, { force: true });
