import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** It checks every response and what is stored; the speed of the machine is not judged. */
test('the benchmark runs to its end: every subject at 64 connections, another checkout, rows stored beforehand, ten times the load, forged requests, several replicas, a profile', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/run.ts', '--short', '--against', ROOT], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 240_000,
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const subjects = ['bare', 'express', 'floor, 64', 'other checkout', 'paynotify sqlite, 64', 'paynotify postgres, 64'];
  for (const subject of subjects) expect(stdout).toMatch(new RegExp(`^${subject} +\\d+`, 'm'));
  const limited = ['CPU per notification, sqlite ÷ floor', 'peak RSS, sqlite \\(MiB\\)'];
  for (const figure of limited)
    expect(stdout).toMatch(new RegExp(`^${figure} +\\d+\\.\\d+ +≤ \\d+\\.\\d+  (kept|EXCEEDED)$`, 'm'));
  const reported = [
    'CPU per notification, sqlite ÷ express',
    'CPU per notification, sqlite ÷ other checkout',
    'throughput, sqlite ÷ floor',
    'throughput, postgres ÷ sqlite',
    'bytes on disk ÷ bytes of the body, sqlite',
    'throughput, 1,000 stored ÷ none',
  ];
  for (const figure of reported) expect(stdout).toMatch(new RegExp(`^${figure} +\\d+\\.\\d+`, 'm'));
  expect(stdout).toMatch(/acknowledged \d+ .*\n +503 for \d+/);
  expect(stdout).toMatch(/^saturated by \d+ forged requests a second$/m);
  expect(stdout).toMatch(/^genuine requests not acknowledged \(%\) +\d+\.\d+ +≤ 1\.00/m);
  expect(stdout).toMatch(/^2 replicas, one PostgreSQL.*: \d+ acknowledgements a second/m);
  expect(stdout).toMatch(/^ +\d+\.\d {2}verifying, in OpenSSL$/m);
  expect(stdout).not.toContain('NaN');
});
