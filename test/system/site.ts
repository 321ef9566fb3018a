import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { startServer, type TestServer } from '../support/postgres.ts';
import { endPrograms, makeDirectory, removeDirectory } from '../support/receiver.ts';

/** Where the replicas of a test run. */
export interface Site {
  readonly directory: () => string;
  readonly createDatabase: () => Promise<string>;
}

/** One PostgreSQL server for all tests of a file, and a directory for each; its programs end with it. */
export const useSite = (): Site => {
  let server: TestServer;
  let directory: string;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => await server.stop());
  beforeEach(() => {
    directory = makeDirectory();
  });
  afterEach(async () => {
    await endPrograms();
    removeDirectory(directory);
  });
  return { directory: () => directory, createDatabase: async () => await server.createDatabase() };
};
