// adds.mjs HOW FILE NAME STOP: adds members NAME-0, NAME-1 … to the object in FILE, one after another,
// until there is a file STOP. HOW is in-place or rename. Prints how many were added: all of its calls
// have succeeded.
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

const [how, file, name, stop] = process.argv.slice(2);
let added = 0;
while (!existsSync(stop)) {
  const members = JSON.parse(await readFile(file, "utf8"));
  members[`${name}-${added}`] = added;
  const to = how === "rename" ? `${file}.${name}` : file;
  await writeFile(to, JSON.stringify(members, null, 2));
  if (to !== file) await rename(to, file);
  added++;
  await setTimeout(Math.random() * 20);
}
console.log(added);
