// Where concurrent programs of the tests wait for each other: at the place that
// GATE_AT names a program says on descriptor 3 that it is there, and goes on when
// the FIFO named GATE can be opened. Without GATE nothing happens. If the gate is
// elsewhere, the place "read" lets a random moment pass.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export async function gate(place) {
  if (!process.env.GATE) return;
  if (process.env.GATE_AT === place) {
    fs.writeSync(3, '\n');
    fs.closeSync(fs.openSync(process.env.GATE, 'r'));
  } else if (place === 'read') {
    await sleep(Math.random() * 40);
  }
}
