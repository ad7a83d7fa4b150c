// tasks.mjs HOW FILE N: one process that runs N tasks at once. Each of them reads
// the registry, waits for something, adds its entry, and writes.
import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const [how, file, n] = process.argv.slice(2);

async function task(i) {
  const registry = JSON.parse(await fs.readFile(file, 'utf8'));
  await sleep(20 + Math.random() * 60);
  registry.models.push({ id: `task-${i}` });
  const text = JSON.stringify(registry);
  if (how === 'in-place') {
    await fs.writeFile(file, text);
  } else {
    await fs.writeFile(`${file}.${i}.tmp`, text);
    await fs.rename(`${file}.${i}.tmp`, file);
  }
}

await Promise.all(Array.from({ length: Number(n) }, (_, i) => task(i)));
