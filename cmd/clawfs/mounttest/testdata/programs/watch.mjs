// watch.mjs file|directory FILE: watches FILE, or its directory, with fs.watch.
// After each event it reads FILE and prints how many models it has. Like OpenClaw's
// gateway it adds the watch of a file anew when the file was renamed.
import fs from 'node:fs';
import path from 'node:path';

const [what, file] = process.argv.slice(2);

function count() {
  try {
    console.log(JSON.parse(fs.readFileSync(file, 'utf8')).models.length);
  } catch (err) {
    console.log(err.code ?? 'invalid');
  }
}

function watch() {
  const watcher = fs.watch(what === 'file' ? file : path.dirname(file), (event, name) => {
    if (what === 'directory' && name !== path.basename(file)) return;
    if (what === 'file' && event === 'rename') {
      watcher.close();
      watch();
    }
    count();
  });
}

watch();
console.log('ready');
