// copies.mjs FILE N: saves FILE N times, short and long in turn, reads it, copies it
// to a backup of its own, and checks the copy. Node copies as many bytes as fstat
// has told, and tries for ever if there are fewer.
import fs from 'node:fs';

const [file, n] = process.argv.slice(2);
const backup = `${file}.${process.pid}.bak`;
for (let i = 0; i < Number(n); i++) {
  fs.writeFileSync(file, JSON.stringify({ i, long: 'x'.repeat(i % 2 ? 200 : 0) }));
  fs.readFileSync(file);
  fs.copyFileSync(file, backup);
  JSON.parse(fs.readFileSync(backup, 'utf8'));
}
