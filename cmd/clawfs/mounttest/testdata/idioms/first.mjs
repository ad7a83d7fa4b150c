// first.mjs HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as programs
// do it at their first start: where there is no file, or no directory, they begin
// with a default of their own. HOW says how they look, and how they write.
import fs from 'node:fs';
import path from 'node:path';
import { gate } from '../programs/gate.mjs';

const fresh = () => ({ version: 1, models: [] });
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

const ways = {
  'exists-in-place': [
    (file) => (fs.existsSync(file) ? read(file) : fresh()),
    (file, text) => fs.writeFileSync(file, text),
  ],
  'tried-rename': [
    (file) => {
      try {
        return read(file);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
        return fresh();
      }
    },
    (file, text) => {
      const temporary = `${file}.${process.pid}.tmp`;
      fs.writeFileSync(temporary, text, { mode: 0o600 });
      fs.renameSync(temporary, file);
    },
  ],
  // As npm's write-file-atomic, atomically and conf do: the file is looked at for its mode and
  // owner before it is replaced.
  'tried-stat-rename': [
    (file) => ways['tried-rename'][0](file),
    async (file, text) => {
      const at = await fs.promises.realpath(file).catch(() => file);
      const stats = await fs.promises.stat(at).catch(() => undefined);
      const temporary = `${at}.${process.pid}.tmp`;
      const handle = await fs.promises.open(temporary, 'w', stats?.mode ?? 0o666);
      await handle.write(text);
      await handle.sync();
      await handle.close();
      if (stats) await fs.promises.chown(temporary, stats.uid, stats.gid);
      await fs.promises.rename(temporary, at);
    },
  ],
  'access-promises': [
    async (file) => {
      try {
        await fs.promises.access(file);
      } catch {
        return fresh();
      }
      return JSON.parse(await fs.promises.readFile(file, 'utf8'));
    },
    (file, text) => fs.promises.writeFile(file, text),
  ],
};

const [how, file, id] = process.argv.slice(2);
const [look, save] = ways[how];
await gate('start');
const registry = await look(file);
registry.models.push({ id, by: how });
await gate('read');
fs.mkdirSync(path.dirname(file), { recursive: true });
await save(file, JSON.stringify(registry, null, 2) + '\n');
