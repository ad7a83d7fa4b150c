// toggle.mjs FILE N: a program whose watcher reads the file again after each save.
// It turns a flag on and off N times and keeps a list of its own, of which each
// turn adds one entry and removes the one before. It prints what it wants to be in
// the file at the end.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [file, n] = process.argv.slice(2);
let memory = JSON.parse(fs.readFileSync(file, 'utf8'));
const watcher = fs.watch(file, () => {
  try { memory = JSON.parse(fs.readFileSync(file, 'utf8')); } catch { /* half a file, on a bare directory */ }
});
for (let i = 1; i <= Number(n); i++) {
  memory.flag = !memory.flag;
  memory.models = memory.models.filter((m) => m.id !== `toggle-${i - 1}`);
  memory.models.push({ id: `toggle-${i}` });
  var want = memory.flag;
  fs.writeFileSync(file, JSON.stringify(memory, null, 2));
  await sleep(20);
}
watcher.close();
console.log(JSON.stringify({ flag: want, own: [`toggle-${n}`] }));
