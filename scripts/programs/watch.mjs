// Watchers for scripts/campaign-programs.
//   node watch.mjs fs.watch|fs.watchFile|chokidar|watchpack FILE: prints "ready", and a line for
//   each time that the file was changed, as the library tells it.
import fs from 'node:fs';

const [library, file] = process.argv.slice(2);
const seen = () => console.log('changed');
const watchers = {
  'fs.watch': () => { fs.watch('.', (event, name) => { if (name === file) seen(); }); console.log('ready'); },
  'fs.watchFile': () => { fs.watchFile(file, { interval: 100 }, seen); setTimeout(() => console.log('ready'), 500); },
  async chokidar() {
    const { watch } = await import('chokidar');
    watch(file, { ignoreInitial: true }).on('all', seen).on('ready', () => console.log('ready'));
  },
  async watchpack() {
    const { default: Watchpack } = await import('watchpack');
    const pack = new Watchpack({ aggregateTimeout: 50 });
    pack.on('change', seen).on('remove', seen);
    pack.watch({ files: [fs.realpathSync(file)], startTime: Date.now() });
    setTimeout(() => console.log('ready'), 500);
  },
};
await watchers[library]();
