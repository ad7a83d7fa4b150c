// dies.mjs HOW FILE: the same as dies.py.
import fs from 'node:fs';

const [how, file] = process.argv.slice(2);
const text = '{"models": []}';
if (how === 'stream') {
  const out = fs.createWriteStream(file);
  await new Promise((resolve) => out.write(text, resolve));
} else {
  const fd = fs.openSync(file, how === 'r+' ? 'r+' : 'w');
  fs.writeSync(fd, text);
  if (how === 'r+') fs.ftruncateSync(fd, text.length);
}
console.log('written');
if (how === 'abort') process.abort();
setTimeout(() => {}, 60000);
