// times.mjs FILE N: writes N versions of FILE as fast as it can, in place and by
// rename in turn, and prints how often mtimeMs, or mtimeNs, did not increase.
import fs from 'node:fs';

const [file, n] = process.argv.slice(2);
let last = fs.statSync(file).mtimeMs, lastNs = fs.statSync(file, { bigint: true }).mtimeNs;
let same = 0;
for (let i = 0; i < Number(n); i++) {
  if (i % 2) {
    fs.writeFileSync(file, `[${i}]`);
  } else {
    fs.writeFileSync(`${file}.tmp`, `[${i}]`);
    fs.renameSync(`${file}.tmp`, file);
  }
  const now = fs.statSync(file).mtimeMs, nowNs = fs.statSync(file, { bigint: true }).mtimeNs;
  if (now <= last || nowNs <= lastNs) same++;
  last = now;
  lastNs = nowNs;
}
console.log(same);
