import base from './test/support/jest-base.js';

/** The tests that need more than Node and npm; each says what to install when something is missing. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/system/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
