// add.mjs FILE LIST ENTRY: appends the JSON value ENTRY to the list named LIST
// in FILE, as most programs do it: read the whole file, change the copy in
// memory, wait for something, write the whole file back. An ordinary program:
// it takes no lock and knows of no other writer. With FSYNC=1 it has what it
// writes on disk before it ends; with IN_PLACE=1 it writes to the file itself.
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [file, list, entry] = process.argv.slice(2);
const registry = JSON.parse(await readFile(file, 'utf8'));
registry[list].push(JSON.parse(entry));
await sleep(20);
const text = JSON.stringify(registry, null, 2) + '\n';
const flush = process.env.FSYNC === '1';
if (process.env.IN_PLACE) {
  await writeFile(file, text, { flush });
} else {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { flush });
  await rename(temporary, file);
  if (flush) {
    const directory = await open(dirname(file));
    await directory.sync();
    await directory.close();
  }
}
