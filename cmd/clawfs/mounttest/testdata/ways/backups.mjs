// As OpenClaw saves: temporary file, backups turned over, copy, rename, look.
import fs from 'node:fs';

for (let i = 0; i < 3; i++) {
  const doc = JSON.parse(fs.readFileSync('f.json', 'utf8'));
  doc[`k${i}`] = i;
  fs.writeFileSync('f.json.tmp', JSON.stringify(doc), { mode: 0o600 });
  if (fs.existsSync('f.json.bak')) fs.renameSync('f.json.bak', 'f.json.bak.1');
  fs.copyFileSync('f.json', 'f.json.bak');
  fs.renameSync('f.json.tmp', 'f.json');
  fs.chmodSync('f.json', 0o600);
  console.log(fs.readFileSync('f.json', 'utf8'), fs.readFileSync('f.json.bak', 'utf8'));
}
