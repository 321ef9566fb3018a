import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { endPrograms, runProgram } from './receiver.ts';

/** Its child, in a group of its own, holds its output open for a while. */
const LEAVES_A_CHILD = `
const { spawn } = require('node:child_process');
spawn(process.execPath, ['-e', 'setTimeout(() => {}, 500)'], { detached: true, stdio: 'inherit' }).unref();
`;

test('a program that has ended, and whose output is still open, is waited for', async () => {
  const { child, exited } = runProgram({}, [process.execPath, '-e', LEAVES_A_CHILD]);
  await once(child, 'exit');
  await endPrograms();
  expect(await exited).toBe(0);
});
