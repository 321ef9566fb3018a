import type { Express } from 'express';
import pino from 'pino';
import request, { type Test } from 'supertest';
import { readConfig } from '../../src/config.ts';
import { handlers } from '../../src/handlers/index.ts';
import { createPublicApp, type PublicOptions } from '../../src/http/public.ts';
import { createReadiness, type ReadinessProbe } from '../../src/http/readiness.ts';
import { createInbox } from '../../src/inbox/inbox.ts';
import { createPayNotify } from '../../src/pay-notify.ts';
import { openStore } from '../../src/store/open.ts';
import type { Post, Signer } from '../support/client.ts';
import {
  type Environment,
  environmentOf,
  idOf,
  type LogLine,
  makeDirectory,
  query,
  removeDirectory,
} from '../support/receiver.ts';

export interface Public {
  readonly app: Express;
  readonly readiness: ReadinessProbe;
  /** Sends the body byte for byte: superagent would write one of JSON its own way. */
  readonly post: (post: Post) => Test;
  readonly isStored: (post: Post) => boolean;
  readonly log: () => readonly LogLine[];
  readonly close: () => Promise<void>;
}

/** The public app on a store of its own, not listening: supertest sends it requests. */
export const openPublic = async (
  signer: Signer,
  { env = {}, ...changed }: Partial<PublicOptions> & { readonly env?: Environment } = {},
): Promise<Public> => {
  const directory = makeDirectory();
  const config = readConfig({ ...environmentOf(directory, signer), ...env });
  const store = await openStore(config);
  const inbox = createInbox({ store, ...config });
  const readiness = createReadiness({
    store: () => store,
    isQueueFull: inbox.isFull,
    isStoreFailing: inbox.isFailing,
    onProblem: () => undefined,
    onReady: () => undefined,
  });
  const lines: string[] = [];
  const app = createPublicApp({
    ...config,
    payNotify: createPayNotify({ trust: () => config, handlers, inbox: () => inbox }),
    clientIds: () => [...config.keys.keys()],
    readiness,
    log: pino({ base: null }, { write: (line: string) => lines.push(line) }),
    ...changed,
  });
  return {
    app,
    readiness,
    post: ({ target, headers, body }) => {
      const test = request(app)
        .post(target)
        .serialize((bytes: string) => bytes);
      for (const [name, value] of headers) test.set(name, value);
      return test.send(body);
    },
    isStored: ({ body }) =>
      query(directory, `select 1 from notifications where hex(digest) = '${idOf(body).toUpperCase()}'`).length === 1,
    log: () => lines.map((line) => JSON.parse(line) as LogLine),
    close: async () => {
      readiness.stop();
      await inbox.drain();
      await store.close();
      removeDirectory(directory);
    },
  };
};
