// The ways in which node writes files.
import fs from 'node:fs';
import { pipeline } from 'node:stream/promises';

fs.writeFileSync('1.json', '{"n":1}', { mode: 0o600 });
fs.writeFileSync('1.json', '{"n":2}', { flag: 'r+' });
fs.writeFileSync('2.json', '[]', { flag: 'wx', flush: true });
await fs.promises.writeFile('3.json', Buffer.from('[3]'), { flush: true });
await pipeline(['[', '1,', '2', ']'], fs.createWriteStream('4.json'));
await pipeline(fs.createReadStream('f.json', { highWaterMark: 7 }), fs.createWriteStream('5.json'));
fs.copyFileSync('f.json', '6.json');
await fs.promises.copyFile('f.json', '7.json', fs.constants.COPYFILE_EXCL);
fs.cpSync('f.json', '8.json', { preserveTimestamps: true });
const handle = await fs.promises.open('9.json', 'w+');
await handle.write('{"handle":');
await handle.write('true}');
await handle.sync();
console.log(await handle.readFile('utf8'), (await handle.stat()).size);
await handle.close();
fs.appendFileSync('9.json', '\n');
fs.rmSync('8.json');
console.log(fs.readdirSync('.').join(), fs.existsSync('8.json'));
