import { startSharedServer } from './postgres.ts';

/** One PostgreSQL for all files of a run. Who runs a few of them by name starts one where a test asks for it. */
export default async ({ testPathPatterns }) => {
  if (testPathPatterns.isSet()) return;
  const stop = await startSharedServer();
  globalThis.stopSharedServer = stop;
};
