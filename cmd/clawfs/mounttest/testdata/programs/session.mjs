// session.mjs HOW FILE N: one process that holds a session in memory and writes it N
// times at once, each time with one message more than what it had read. HOW is
// in-place or rename; with "new" behind it nothing is read, the session is made
// and saved first; with "late" every fifth save opens its file when the others are
// done, as a thread does that had to wait.
import fs from 'node:fs/promises';

const [how, file, n] = process.argv.slice(2);
const [place, more] = how.split(' ');

async function save(session, i) {
  const text = JSON.stringify(session, null, 2);
  if (place === 'in-place') return fs.writeFile(file, text);
  await fs.writeFile(`${file}.${i}.tmp`, text);
  await fs.rename(`${file}.${i}.tmp`, file);
}

let session = { key: 'agent:main', messages: [{ role: 'user', text: 'hello' }] };
if (more === 'new') await save(session, 'first');
else session = JSON.parse(await fs.readFile(file, 'utf8'));

const saves = Array.from({ length: Number(n) }, (_, i) =>
  () => save({ ...session, messages: [...session.messages, { role: 'assistant', text: `message ${i}` }] }, i));
const late = (_, i) => more === 'late' && i % 5 === 0;
await Promise.all(saves.filter((s, i) => !late(s, i)).map(s => s()));
for (const s of saves.filter(late)) await s();
