import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll } from '@jest/globals';
import { describeFollower } from '../docs/follower.case.ts';
import { removeDirectories } from '../support/receiver.ts';

beforeAll(() => {
  if (spawnSync('python3', ['--version']).status !== 0)
    throw new Error('this test runs a follower in Python, which is missing: apt-get install python3');
});

describeFollower({ command: 'python3', file: 'follow.py', language: 'python' });
afterAll(removeDirectories);
