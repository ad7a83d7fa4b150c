// Node's libraries that keep state in JSON, for scripts/campaign-programs.
//   node state.mjs LIBRARY add|remove KEY     in the working directory
// With MEET=DIRECTORY the program waits, after it has read, until MEET_COUNT others have, too.
import fs from 'node:fs';
import path from 'node:path';

async function meet() {
  const { MEET, MEET_COUNT } = process.env;
  if (!MEET) return;
  fs.writeFileSync(path.join(MEET, String(process.pid)), '');
  for (let i = 0; i < 2400 && fs.readdirSync(MEET).length < Number(MEET_COUNT); i++) await new Promise((resolve) => setTimeout(resolve, 25));
}
const value = (key) => ({ of: key, list: [1, 2.5, 'ä'] });
const here = (name) => path.resolve(name);
const exists = (name) => fs.existsSync(name);
const parsed = (name, otherwise) => (exists(name) ? JSON.parse(fs.readFileSync(name, 'utf8')) : otherwise);
const put = (object, action, key) => { if (action === 'add') object[key] = value(key); else delete object[key]; };

const libraries = {
  async lowdb(action, key) {
    const { JSONFilePreset } = await import('lowdb/node');
    const db = await JSONFilePreset('db.json', { items: {} });
    await meet();
    put(db.data.items, action, key);
    await db.write();
  },
  async steno(action, key) {
    const { Writer } = await import('steno');
    const data = parsed('steno.json', {});
    await meet();
    put(data, action, key);
    const writer = new Writer('steno.json');
    await Promise.all([writer.write(JSON.stringify(data)), writer.write(JSON.stringify(data, null, 2))]);
  },
  async conf(action, key) {
    const { default: Conf } = await import('conf');
    const conf = new Conf({ cwd: here('.'), configName: 'conf', projectName: 'campaign' });
    conf.size; // reads
    await meet();
    if (action === 'add') conf.set(key, value(key)); else conf.delete(key);
  },
  async configstore(action, key) {
    const { default: Configstore } = await import('configstore');
    const store = new Configstore('campaign', undefined, { configPath: here('configstore.json') });
    store.size;
    await meet();
    if (action === 'add') store.set(key, value(key)); else store.delete(key);
  },
  async nedb(action, key) {
    const { default: Nedb } = await import('@seald-io/nedb');
    const db = new Nedb({ filename: 'nedb.db' });
    await new Promise((resolve, reject) => db.loadDatabase((error) => (error ? reject(error) : resolve())));
    await meet();
    await new Promise((resolve, reject) => {
      const done = (error) => (error ? reject(error) : resolve());
      if (action === 'add') db.insert({ _id: key, ...value(key) }, done); else db.remove({ _id: key }, {}, done);
    });
  },
  async 'node-json-db'(action, key) {
    const { JsonDB, Config } = await import('node-json-db');
    const db = new JsonDB(new Config('node-json-db', true, true, '/'));
    if (exists('node-json-db.json')) await db.load();
    await meet();
    if (action === 'add') await db.push(`/${key}`, value(key)); else await db.delete(`/${key}`);
  },
  async 'write-file-atomic'(action, key) {
    const { default: write } = await import('write-file-atomic');
    const data = parsed('wfa.json', {});
    await meet();
    put(data, action, key);
    await write('wfa.json', JSON.stringify(data, null, 2));
  },
  async 'write-json-file'(action, key) {
    const { writeJsonFile } = await import('write-json-file');
    const data = parsed('wjf.json', {});
    await meet();
    put(data, action, key);
    await writeJsonFile('wjf.json', data);
  },
  async atomically(action, key) {
    const { readFileSync, writeFile } = await import('atomically');
    const data = exists('atomically.json') ? JSON.parse(readFileSync('atomically.json', 'utf8')) : {};
    await meet();
    put(data, action, key);
    await writeFile('atomically.json', JSON.stringify(data));
  },
  async 'proper-lockfile'(action, key) {
    const { default: lockfile } = await import('proper-lockfile');
    if (!exists('locked.json')) try { fs.writeFileSync('locked.json', '{}', { flag: 'wx' }); } catch {}
    const release = await lockfile.lock('locked.json', { retries: { retries: 400, minTimeout: 20, maxTimeout: 100 } });
    const data = JSON.parse(fs.readFileSync('locked.json', 'utf8'));
    put(data, action, key);
    fs.writeFileSync('locked.json', JSON.stringify(data));
    await release();
  },
  async 'keyv-file'(action, key) {
    const { KeyvFile } = await import('keyv-file');
    const store = new KeyvFile({ filename: here('keyv.json'), writeDelay: 0 });
    await store.get('nothing');
    await meet();
    if (action === 'add') await store.set(key, value(key)); else await store.delete(key);
    await store.save?.();
  },
  async jsonfile(action, key) {
    const { default: jsonfile } = await import('jsonfile');
    const data = exists('jsonfile.json') ? await jsonfile.readFile('jsonfile.json') : {};
    await meet();
    put(data, action, key);
    await jsonfile.writeFile('jsonfile.json', data, { spaces: 2 });
  },
  async 'fs-extra'(action, key) {
    const { default: fse } = await import('fs-extra');
    const data = await fse.readJson('fs-extra.json', { throws: false }).catch(() => ({}));
    await meet();
    put(data, action, key);
    await fse.outputJson('fs-extra.json', data, { spaces: 2 });
    await fse.copy('fs-extra.json', 'copy-of-fs-extra.txt');
  },
  async 'jsonc-parser'(action, key) {
    const { modify, applyEdits } = await import('jsonc-parser');
    const text = exists('settings.json') ? fs.readFileSync('settings.json', 'utf8') : '{\n    "a": 1\n}\n';
    await meet();
    const edits = modify(text, [key], action === 'add' ? value(key) : undefined, { formattingOptions: { insertSpaces: true, tabSize: 4 } });
    fs.writeFileSync('settings.json', applyEdits(text, edits));
  },
  async 'comment-json'(action, key) {
    const { parse, stringify } = await import('comment-json');
    const data = exists('openclaw.json') ? parse(fs.readFileSync('openclaw.json', 'utf8')) : parse('{\n  // kept\n  "a": 1\n}');
    await meet();
    put(data, action, key);
    fs.writeFileSync('openclaw.json', `${stringify(data, null, 2)}\n`);
  },
  async 'data-store'(action, key) {
    const { default: Store } = await import('data-store');
    const store = new Store('campaign', { path: here('data-store.json') });
    store.data;
    await meet();
    if (action === 'add') store.set(key, value(key)); else store.del(key);
    store.writeFile();
  },
  async 'flat-cache'(action, key) {
    const { create } = await import('flat-cache');
    const cache = create({ cacheId: 'flat.json', cacheDir: here('.') });
    await meet();
    if (action === 'add') cache.setKey(key, value(key)); else cache.removeKey(key);
    cache.save(true);
  },
  async nconf(action, key) {
    const { default: nconf } = await import('nconf');
    nconf.file({ file: here('nconf.json') });
    await meet();
    if (action === 'add') nconf.set(key, value(key)); else nconf.clear(key);
    await new Promise((resolve, reject) => nconf.save((error) => (error ? reject(error) : resolve())));
  },
  async 'node-localstorage'(action, key) {
    const { LocalStorage, JSONStorage } = await import('node-localstorage');
    void LocalStorage;
    const storage = new JSONStorage(here('storage'));
    if (action === 'add') storage.setItem(`${key}.json`, value(key)); else storage.removeItem(`${key}.json`);
  },
  async 'node-persist'(action, key) {
    const { default: persist } = await import('node-persist');
    await persist.init({ dir: here('persist'), expiredInterval: 0 });
    if (action === 'add') await persist.setItem(key, value(key)); else await persist.removeItem(key);
  },
  async 'edit-json-file'(action, key) {
    const { default: edit } = await import('edit-json-file');
    const file = edit(here('edit.json'));
    await meet();
    if (action === 'add') file.set(key, value(key)); else file.unset(key);
    file.save();
  },
  async 'simple-json-db'(action, key) {
    const { default: JSONdb } = await import('simple-json-db');
    const db = new JSONdb('simple.json');
    await meet();
    if (action === 'add') db.set(key, value(key)); else db.delete(key);
    db.sync();
  },
  async stormdb(action, key) {
    const { default: StormDB } = await import('stormdb');
    const db = new StormDB(new StormDB.localFileEngine(here('storm.json')));
    await meet();
    if (action === 'add') db.set(key, value(key)); else db.get(key).delete();
    await db.save();
  },
};
const [library, action, key] = process.argv.slice(2);
await libraries[library](action, key);
