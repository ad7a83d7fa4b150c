// pace.mjs HOW FILE NAME SECONDS: for SECONDS, over and over, reads FILE, counts its
// own member NAME one up, gives it padding of a random length (10 KB to 0.5 MB)
// that agrees with the count, and writes. Prints the last count.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [how, file, name, seconds] = process.argv.slice(2);
const end = Date.now() + seconds * 1000;
let seq = 0;
while (Date.now() < end) {
  const doc = JSON.parse(fs.readFileSync(file, 'utf8'));
  seq++;
  const length = 10_000 + Math.floor(Math.random() ** 2 * 490_000);
  doc[name] = { count: seq, length, padding: String.fromCharCode(97 + (seq % 26)).repeat(length) };
  const text = JSON.stringify(doc);
  if (how === 'in-place') {
    fs.writeFileSync(file, text);
  } else {
    fs.writeFileSync(`${file}.${name}.tmp`, text);
    fs.renameSync(`${file}.${name}.tmp`, file);
  }
  await sleep(5);
}
console.log(seq);
