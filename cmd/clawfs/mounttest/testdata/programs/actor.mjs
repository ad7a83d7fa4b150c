// actor.mjs FILE [rename]: holds a registry in memory and does what its standard
// input says, a line at a time, answering each with a line. It saves in place, or
// by a temporary file and rename.
//
//   read            memory becomes what the file holds
//   look            reads the file and forgets it, as a check or a watcher does
//   new             memory becomes an empty registry
//   add ID          adds {"id": ID} to "models"      remove ID     takes it away
//   set NAME JSON   sets a member of the document
//   save            writes memory                    break         writes half of it
//   backup          copies the file to FILE.bak      unlink        removes the file
//   revert          memory becomes what it was when it was read last
//   watch           from now on memory becomes what the file holds after each
//                   event that fs.watch reports of it
//   wait            for 100 ms
import fs from 'node:fs';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [file, how] = process.argv.slice(2);
let memory, last;

function write(text) {
  if (how !== 'rename') return fs.writeFileSync(file, text);
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  try {
    fs.renameSync(temporary, file);
  } catch (err) {
    fs.unlinkSync(temporary);
    throw err;
  }
}

// A watch is on an inode: after a rename it is added anew.
function watch() {
  const watcher = fs.watch(file, (event) => {
    try { memory = JSON.parse(fs.readFileSync(file, 'utf8')); } catch { /* gone, or half of it, on a bare directory */ }
    if (event === 'rename') {
      watcher.close();
      watch();
    }
  });
}

const commands = {
  read() { last = fs.readFileSync(file, 'utf8'); memory = JSON.parse(last); },
  look() { JSON.parse(fs.readFileSync(file, 'utf8')); },
  new() { memory = { models: [] }; },
  add(id) { memory.models.push({ id }); },
  remove(id) { memory.models = memory.models.filter((m) => m.id !== id); },
  set(name, json) { memory[name] = JSON.parse(json); },
  save() { write(JSON.stringify(memory, null, 2)); },
  break() { const text = JSON.stringify(memory, null, 2); write(text.slice(0, text.length / 2)); },
  backup() { fs.copyFileSync(file, `${file}.bak`); },
  unlink() { fs.unlinkSync(file); },
  revert() { memory = JSON.parse(last); },
  watch,
  wait() { return sleep(100); },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(' ');
  try {
    await commands[command](...words);
    console.log('ok');
  } catch (err) {
    console.log(`${err.code ?? err}`);
  }
}
process.exit(0);
