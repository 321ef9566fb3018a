import express, { type Express } from 'express';
import type { KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AntomKey } from '../antom/keys.ts';
import { foreignHeader, isLoopback } from '../loopback.ts';
import type { JsonObject } from '../order/statement.ts';
import { API_PATH, createApi } from './api.ts';
import { createChance } from './chance.ts';
import { isSandboxClient } from './client-id.ts';
import { createControl } from './control.ts';
import { createCourier, type Delivery, type Send } from './courier.ts';
import { createJournal, type Journal } from './journal.ts';
import { createSigningKeys } from './keys.ts';
import { createLedger } from './ledger.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { Settings } from './misbehaviour.ts';
import { resume } from './resume.ts';
import { page, PAGE_POLICY } from './page.ts';
import { createSchedule } from './schedule.ts';
import { createTold, type World } from './world.ts';

export interface SandboxOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Begins with `SANDBOX_`. */
  readonly clientId: string;
  /** APO's: signs notifications and responses. */
  readonly privateKey: KeyObject;
  /** Verifies the merchant's calls; its version is the one that they name. */
  readonly merchantKey: AntomKey;
  /** Where notifications go whose payment says nothing else; null sends those nowhere. */
  readonly notifyUrl: string | null;
  readonly seed: number;
  readonly settings: Settings;
  /** Null keeps the ledger in memory alone. */
  readonly ledgerFile: LedgerFile | null;
  /** A notification of the documents, by its name. */
  readonly sample: (name: string) => JsonObject;
  /** The key has changed: what the receiver has to know. */
  readonly onRotated?: (key: { readonly version: string; readonly publicKey: string }) => void;
}

export interface Sandbox {
  readonly url: string;
  /** As the dashboard would show it. */
  readonly publicKey: string;
  readonly stop: () => Promise<void>;
}

/** A local stand-in for APO. Rejects where it cannot listen. */
export const startSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  if (!isSandboxClient(options.clientId)) throw new Error('a sandbox serves SANDBOX_ clients alone');
  const { app, publicKey, release } = assemble(options);
  const server = createServer(app);
  try {
    const { address, port } = await listen(server, options);
    return {
      url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
      publicKey,
      stop: async () => {
        server.close();
        server.closeAllConnections();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
};

const listen = async (server: Server, { host, port }: SandboxOptions): Promise<AddressInfo> =>
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });

interface Assembled {
  readonly app: Express;
  readonly publicKey: string;
  readonly release: () => Promise<void>;
}

const assemble = (options: SandboxOptions): Assembled => {
  const { clientId, notifyUrl, ledgerFile, sample, merchantKey, onRotated } = options;
  let { settings } = options;
  const keys = createSigningKeys(options.privateKey);
  const journal = createJournal();
  const schedule = createSchedule(() => settings.speed);
  const rotate = async (): Promise<void> => {
    const key = await keys.rotate();
    onRotated?.(key);
  };
  let sent = 0;
  const courier = createCourier({
    clientId,
    key: keys.current,
    speed: () => settings.speed,
    onSent: (delivery, send) => {
      noteSend(journal, delivery, send);
      sent += 1;
      if (sent === settings.rotateAfter) void rotate();
    },
  });
  const world: World = {
    ledger: createLedger(ledgerFile?.lines ?? [], ledgerFile?.write ?? (() => undefined)),
    chance: createChance(options.seed),
    settings: () => settings,
    sample,
    deliver: courier.deliver,
    notifyUrl,
    later: schedule.later,
    told: createTold(),
  };
  resume(world);
  const setSettings = (next: Settings): void => {
    settings = next;
  };
  const { deliveries } = courier;
  const control = createControl({ world, keys, setSettings, deliveries, pending: schedule.pending, rotate });
  const api = createApi({ world, clientId, key: keys.current, merchantKey, journal });
  const app = createApp({
    guard: isLoopback(options.host) ? ownPagesOnly : (_request, _response, next) => next(),
    api,
    control,
    page: () => page({ clientId, notifyUrl, keyVersion: keys.current().version, settings, journal }),
  });
  return {
    app,
    publicKey: keys.current().publicKey,
    release: async () => {
      schedule.stop();
      await courier.stop();
      ledgerFile?.close();
    },
  };
};

const noteSend = (journal: Journal, { name, ids, body, sends }: Delivery, send: Send): void =>
  journal.add({
    at: send.at,
    what: 'notification',
    name,
    ids,
    sent: body,
    answer: send.answer,
    outcome: `send ${sends.length}: ${outcomeOf(send)}`,
    isFine: send.acknowledged,
  });

const outcomeOf = ({ acknowledged, status, problem }: Send): string => {
  if (status === null) return problem ?? 'no answer';
  return acknowledged ? 'acknowledged' : `${status}, not the acknowledgement`;
};

/** A body that cannot be read: too large, or compressed. */
// oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
const refuse: express.ErrorRequestHandler = (error: unknown, _request, response, next) => {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  if (status >= 500) next(error);
  else response.status(status).json({ error: 'The body cannot be read.' });
};

const ownPagesOnly: express.RequestHandler = ({ headersDistinct }, response, next) => {
  const foreign = foreignHeader(headersDistinct);
  if (foreign === null) next();
  else response.status(403).json({ error: `This ${foreign} is of another site: on loopback none is answered.` });
};

const BODY_LIMIT = 262_144;

const createApp = ({
  guard,
  api,
  control,
  page: html,
}: {
  /** Of what is not signed. */
  readonly guard: express.RequestHandler;
  readonly api: express.RequestHandler;
  readonly control: express.Router;
  readonly page: () => string;
}): Express => {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  // Bytes: what is signed is not what a parser makes of it.
  app.use(express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }));
  app.get('/', guard, (_request, response) => {
    response.set({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-store' });
    response.type('html').send(html());
  });
  app.use('/control', guard, control);
  app.all([`${API_PATH}/*operation`, '/ams/*rest'], api);
  app.use((_request, response) => void response.status(404).json({ error: 'Nothing is here.' }));
  app.use(refuse);
  return app;
};
