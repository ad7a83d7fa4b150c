// chokidar.mjs FOLDER file|directory|settled FILE: watches FILE, or its directory, or
// FILE until it has not changed for a while, with chokidar as it is installed in
// FOLDER. After each event it reads FILE and prints how many models it has.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [folder, what, file] = process.argv.slice(2);
const chokidar = createRequire(path.join(folder, 'index.js'))('chokidar');

chokidar
  .watch(what === 'directory' ? path.dirname(file) : file, {
    ignoreInitial: true,
    ...(what === 'settled' && { awaitWriteFinish: { stabilityThreshold: 200, pollInterval: 50 } }),
  })
  .on('ready', () => console.log('ready'))
  .on('all', (event, name) => {
    if (path.resolve(name) !== path.resolve(file)) return;
    try {
      console.log(JSON.parse(fs.readFileSync(file, 'utf8')).models.length);
    } catch (err) {
      console.log(err.code ?? 'invalid');
    }
  });
