// add.mjs HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as most
// programs do it: read the whole file, change the copy in memory, write the whole
// file back. HOW says how it is written.
import fs from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { gate } from './gate.mjs';

const ways = {
  'in-place'(file, text) {
    fs.writeFileSync(file, text);
  },
  async promises(file, text) {
    await fs.promises.writeFile(file, text);
  },
  async stream(file, text) {
    await pipeline([text.slice(0, 20), text.slice(20)], fs.createWriteStream(file));
  },
  'r+'(file, text) {
    const fd = fs.openSync(file, 'r+');
    fs.ftruncateSync(fd, 0);
    fs.writeSync(fd, text, 0);
    fs.closeSync(fd);
  },
  rename(file, text) {
    const temporary = `${file}.${process.pid}.tmp`;
    fs.writeFileSync(temporary, text);
    fs.renameSync(temporary, file);
  },
  // As OpenClaw saves its configuration: the temporary file, the backups turned
  // over, a copy of what is being replaced, the rename, and a look at the result.
  // The backups are this program's own here, so that they race with nobody's.
  openclaw(file, text) {
    const temporary = `${file}.${process.pid}.${crypto.randomUUID()}.tmp`;
    const backup = `${file}.${process.pid}.bak`;
    fs.writeFileSync(temporary, text, { mode: 0o600 });
    fs.copyFileSync(file, backup);
    fs.renameSync(backup, `${backup}.1`);
    fs.copyFileSync(file, backup);
    fs.renameSync(temporary, file);
    fs.chmodSync(file, 0o600);
    JSON.parse(fs.readFileSync(file, 'utf8'));
  },
};

const [how, file, id] = process.argv.slice(2);
await gate('start');
const registry = JSON.parse(fs.readFileSync(file, 'utf8'));
registry.models.push({ id, by: how });
await gate('read');
await ways[how](file, JSON.stringify(registry, null, 2) + '\n');
