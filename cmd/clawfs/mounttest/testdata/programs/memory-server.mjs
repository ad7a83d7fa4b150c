// memory-server.mjs SERVER FILE ROUND…: each round, SERVERSxCALLS or SERVERSxCALLS!, starts
// that many MCP memory servers on one file, and has each create so many entities, one after
// the other or, with "!", all at once. It prints how many it asked for, how many are there,
// how many are no entity as it was asked for, and what calls failed with.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [script, file, ...rounds] = process.argv.slice(2)

function start() {
  const child = spawn('node', [script], { env: { ...process.env, MEMORY_FILE_PATH: file }, stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = new Map()
  createInterface({ input: child.stdout }).on('line', line => {
    const message = JSON.parse(line)
    waiting.get(message.id)?.(message)
  })
  const send = message => child.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')
  let id = 0
  const ask = (method, params) => new Promise(resolve => { waiting.set(++id, resolve); send({ id, method, params }) })
  return { child, send, ask }
}

const asked = [], failed = []
async function create(server, name) {
  asked.push(name)
  const entity = { name, entityType: 'person', observations: ['seen ' + name] }
  const answer = await server.ask('tools/call', { name: 'create_entities', arguments: { entities: [entity] } })
  if (answer.error || answer.result.isError) failed.push(JSON.stringify(answer.error ?? answer.result.content))
}

for (const [r, round] of rounds.entries()) {
  const [servers, calls] = round.split('x').map(n => parseInt(n))
  const all = Array.from({ length: servers }, start)
  for (const server of all) {
    await server.ask('initialize', { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'test', version: '1' } })
    server.send({ method: 'notifications/initialized' })
  }
  await Promise.all(all.map(async (server, s) => {
    const names = Array.from({ length: calls }, (_, c) => `${r}-${s}-${c}`)
    if (round.endsWith('!')) await Promise.all(names.map(name => create(server, name)))
    else for (const name of names) await create(server, name)
  }))
  for (const { child } of all) {
    child.stdin.end()
    await new Promise(resolve => child.on('close', resolve))
  }
}
const lines = readFileSync(file, 'utf8').split('\n').filter(line => line).map(line => JSON.parse(line))
const whole = lines.filter(e => e.observations.length === 1 && e.observations[0] === 'seen ' + e.name)
console.log(JSON.stringify({ asked: asked.length, there: new Set(lines.map(e => e.name)).size, mixed: lines.length - whole.length, failed }))
