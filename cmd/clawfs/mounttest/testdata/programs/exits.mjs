// exits.mjs HOW FILE: the same as exits.py.
import fs from 'node:fs';

const [how, file] = process.argv.slice(2);
fs.writeSync(fs.openSync(file, 'w'), `{"models": ["${how}"]}`);
if (how === 'exit 3') process.exit(3);
if (how === 'exception') throw new Error('on purpose');
