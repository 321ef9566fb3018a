import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import base from './test/support/jest-base.js';

const MEMORY = '/dev/shm';
const ROOM = 4 * 2 ** 30;

/** Databases of tests lie in memory where there is room: syncing a disk is a fifth of all the time. */
const directoryOfTests = () => {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
};

process.env.TMPDIR ??= directoryOfTests();

export default {
  ...base,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/system/'],
};
