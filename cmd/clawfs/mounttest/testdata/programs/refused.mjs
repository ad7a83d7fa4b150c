// refused.mjs FILE CASES: tries to make each content that CASES (a JSON object:
// name to base64) lists the content of FILE, in place and by rename. For each it
// prints a JSON line with the error codes of both (null: none), what FILE holds
// afterwards, and whether the temporary file is still there and whole.
import fs from 'node:fs';

const [file, cases] = process.argv.slice(2);

function code(f) {
  try {
    f();
    return null;
  } catch (err) {
    return `${err.syscall} ${err.code}`;
  }
}

for (const [name, encoded] of Object.entries(JSON.parse(fs.readFileSync(cases, 'utf8')))) {
  const content = Buffer.from(encoded, 'base64');
  const place = code(() => fs.writeFileSync(file, content));
  const afterPlace = fs.readFileSync(file, 'base64');
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, content);
  const rename = code(() => fs.renameSync(temporary, file));
  const kept = fs.existsSync(temporary) && fs.readFileSync(temporary).equals(content);
  fs.rmSync(temporary, { force: true });
  console.log(JSON.stringify({ name, place, afterPlace, rename, kept, afterRename: fs.readFileSync(file, 'base64') }));
}
