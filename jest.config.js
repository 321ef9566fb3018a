// Children and threads start twice as fast when what Node has compiled and stripped of its types is kept.
process.env.NODE_COMPILE_CACHE ??= new URL('node_modules/.cache/compile', import.meta.url).pathname;

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './test/support/strip-types.js' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/system/'],
  testSequencer: './test/support/longest-first.js',
  // Much of the time is waiting: for locks, limits and children.
  maxWorkers: 3,
  // In jest's sandbox every look-up of a global costs, and number crunching looks up Math all the time.
  sandboxInjectedGlobals: ['Math'],
  testTimeout: 30_000,
};
