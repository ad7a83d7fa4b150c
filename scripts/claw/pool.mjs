// Ten processes that have loaded OpenClaw's command line and wait for commands: its code,
// without the four seconds of processor time that loading it takes each time. A process must
// not have seen a registry before: each round wants a new directory.
//   node pool.mjs DIST  reads a line for each round, a JSON list: the arguments, with {} for
//   the number of the process and PLUGIN{} for one of $PLUGINS; it prints how many commands have failed.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(import.meta.url);
const count = 10;

async function worker(dist) {
  let exited;
  process.exit = (code) => {
    exited?.(code ?? process.exitCode ?? 0);
    throw new Error(`exit ${code}`); // nothing after it may run
  };
  process.on('unhandledRejection', () => {});
  const run = (start) => new Promise((resolve) => {
    exited = resolve;
    start().then(() => resolve(process.exitCode ?? 0), () => resolve(1));
  });
  const name = fs.readdirSync(dist).find((file) => /^run-main-.*\.js$/.test(file));
  process.argv = [process.argv[0], 'openclaw', 'config', 'get', 'nothing.of.this.name'];
  // entry.js runs the command that it finds in argv as soon as it is loaded
  let main;
  await run(async () => { main = await import(pathToFileURL(path.join(dist, name))); await new Promise(() => {}); });
  main ??= await import(pathToFileURL(path.join(dist, name)));
  process.on('message', async (argv) => {
    process.exitCode = 0;
    process.send(await run(() => main.runCli([process.argv[0], 'openclaw', ...argv])));
  });
  process.send('ready');
}

async function pool(dist) {
  const plugins = process.env.PLUGINS.split(' ');
  const workers = Array.from({ length: count }, () => fork(here, ['worker', dist], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, OPENCLAW_NO_RESPAWN: '1' } }));
  const answer = (child) => new Promise((resolve) => { child.once('message', resolve); child.once('exit', () => resolve('gone')); });
  for (const child of workers) await answer(child);
  console.log('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const argv = JSON.parse(line);
    const answers = workers.map(answer);
    workers.forEach((child, i) => child.send(argv.map((word) => word.replaceAll('PLUGIN{}', plugins[i]).replaceAll('{}', i + 1))));
    console.log((await Promise.all(answers)).filter((code) => code !== 0).length);
  }
  for (const child of workers) child.kill('SIGKILL');
  process.exit();
}

await (process.argv[2] === 'worker' ? worker(process.argv[3]) : pool(process.argv[2]));
