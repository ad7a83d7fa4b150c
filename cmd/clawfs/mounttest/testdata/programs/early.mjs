// Writes a file by a stream to a temporary file, which it renames as soon as that is open, as the
// command json does: early.mjs NAME SUFFIX TEXT..., where SUFFIX
// makes the temporary name.
import fs from 'node:fs';

const [name, suffix, ...texts] = process.argv.slice(2);
const stream = fs.createWriteStream(name + suffix, { mode: 0o640 });
for (const text of texts) stream.write(text);
stream.on('open', () => {
  stream.end();
  fs.renameSync(name + suffix, name);
});
