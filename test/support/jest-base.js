// Children and threads start twice as fast when what Node has compiled and stripped of its types is kept.
process.env.NODE_COMPILE_CACHE ??= new URL('../../node_modules/.cache/compile', import.meta.url).pathname;

/** What `npm test` and `npm run test:system` share. */
export default {
  rootDir: new URL('../..', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './test/support/strip-types.js' },
  testSequencer: './test/support/longest-first.js',
  // Much of the time is waiting: for locks, limits and children. More workers only take each other's time.
  maxWorkers: 3,
  // Each file leaves something behind in its worker, and the collector goes over it again and again.
  workerIdleMemoryLimit: '400MB',
  // No test is about time: this only ends one that hangs, also on a machine that is busy.
  testTimeout: 300_000,
};
