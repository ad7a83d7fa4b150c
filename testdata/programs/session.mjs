// session.mjs HOW FILE N: one process that holds a session in memory and writes it N
// times at once, each time with one message more than what it had read. HOW is
// in-place or rename; with "new" behind it nothing is read, the session is made
// and saved first.
import fs from 'node:fs/promises';

const [how, file, n] = process.argv.slice(2);
const [place, fresh] = how.split(' ');

async function save(session, i) {
  const text = JSON.stringify(session, null, 2);
  if (place === 'in-place') return fs.writeFile(file, text);
  await fs.writeFile(`${file}.${i}.tmp`, text);
  await fs.rename(`${file}.${i}.tmp`, file);
}

let session = { key: 'agent:main', messages: [{ role: 'user', text: 'hello' }] };
if (fresh) await save(session, 'first');
else session = JSON.parse(await fs.readFile(file, 'utf8'));

await Promise.all(Array.from({ length: Number(n) }, (_, i) =>
  save({ ...session, messages: [...session.messages, { role: 'assistant', text: `message ${i}` }] }, i)));
