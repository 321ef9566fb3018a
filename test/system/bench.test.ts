import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));

/** That it works, with all its checks of answers and of what is stored; how fast this machine is just now is not judged. */
test('the benchmark runs to its end: every subject, rows stored beforehand, ten times the load, several replicas, a profile', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--short'], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const subjects = [
    'bare',
    'express',
    'template',
    'forge',
    'floor, 1',
    'floor, 64',
    ...['sqlite', 'postgres'].flatMap((store) => [1, 16, 64].map((count) => `paynotify ${store}, ${count}`)),
  ];
  for (const subject of subjects) expect(stdout).toMatch(new RegExp(`^${subject} +\\d+`, 'm'));
  expect(stdout).toMatch(/^throughput, 2,000 stored ÷ none +≥ 0\.90 +\d/m);
  expect(stdout).toMatch(/acknowledged \d+ .*503 for \d+/);
  expect(stdout).toMatch(/^2 replicas, one PostgreSQL.*: \d+ acknowledgements a second/m);
  expect(stdout).toMatch(/^ +\d+\.\d {2}verifying, in OpenSSL$/m);
  expect(stdout).not.toContain('NaN');
}, 300_000);
