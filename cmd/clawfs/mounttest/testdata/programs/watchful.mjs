// watchful.mjs FILE SECONDS: for SECONDS reads FILE over and over, as node's
// readFileSync does (fstat, then as many bytes), and checks that it is whole and
// that no count (see pace.mjs) goes back. Prints how often it read, how many
// versions it saw, and what was wrong.
import fs from 'node:fs';

const [file, seconds] = process.argv.slice(2);
const end = Date.now() + seconds * 1000;
const last = {};
const wrong = [];
let reads = 0, versions = 0;
while (Date.now() < end && wrong.length < 10) {
  reads++;
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
    const doc = JSON.parse(text);
    let changed = false;
    for (const [name, { count, length, padding }] of Object.entries(doc)) {
      if (padding.length !== length || padding !== String.fromCharCode(97 + (count % 26)).repeat(length)) {
        wrong.push(`torn: ${name} at ${count}`);
      }
      if (count < (last[name] ?? 0)) wrong.push(`${name} goes back from ${last[name]} to ${count}`);
      changed ||= count !== last[name];
      last[name] = count;
    }
    if (changed) versions++;
  } catch (err) {
    wrong.push(`${err.code ?? ''} ${err.message.slice(0, 100)} (${text?.length} characters)`);
  }
}
console.log(JSON.stringify({ reads, versions, wrong, last }));
