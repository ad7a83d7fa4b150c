import { readFileSync, writeFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
const [file, library] = process.argv.slice(2);
const require = createRequire(process.env.BUILT + '/node_modules/');
const codec = {
  undefined: () => JSON,
  'json-bigint': () => require('json-bigint'),
  'lossless-json': () => { const l = require('lossless-json'); return { parse: (t) => l.parse(t), stringify: (v) => l.stringify(v, undefined, 2) }; },
  'yaml': () => { const y = require('yaml'); return { parse: (t) => y.parse(t), stringify: (v) => JSON.stringify(v, null, 2) }; },
  'json5': () => { const j = require('json5'); return { parse: (t) => j.parse(t), stringify: JSON.stringify }; },
}[library]();
const value = codec.parse(readFileSync(file, 'utf8'));
console.log('ready');
readSync(0, Buffer.alloc(9));
value.added = 1;
writeFileSync(file, codec.stringify(value, null, 2) + '\n');
