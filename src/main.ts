import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { KeyRing } from './antom/keys.ts';
import type { Trust } from './antom/signature.ts';
import { type Config, ConfigError, type Environment, EXIT_CONFIG, readConfig } from './config.ts';
import { handlers } from './handlers/index.ts';
import { createAdminApp } from './http/admin.ts';
import { type Address, listen, stopListening } from './http/listener.ts';
import { createPublicApp } from './http/public.ts';
import { createPublicServer } from './http/public-server.ts';
import { createReadiness, type ReadinessProbe } from './http/readiness.ts';
import { createHttpServer } from './http/server.ts';
import { createInbox, type Inbox } from './inbox/inbox.ts';
import { type Log, oncePerMinute, openLog, problemOf } from './log.ts';
import { createPayNotify } from './pay-notify.ts';
import { exposedFiles } from './secret-files.ts';
import { openStore } from './store/open.ts';
import { type Store, StoreUnavailableError, StoreUnusableError, type UnverifiedRoom } from './store/store.ts';
import { createSightings, type Sightings } from './upkeep/sightings.ts';
import { createRedriving } from './upkeep/redrive.ts';
import { upkeepReport } from './upkeep/report.ts';
import { startUpkeep, type Upkeep } from './upkeep/upkeep.ts';
import { verifiesNow } from './upkeep/verify-again.ts';

/** The running receiver. */
export interface Running {
  readonly publicAddress: Address;
  readonly adminAddress: Address;
  /** Reads the keys again; the old ones stay where that fails. */
  readonly reloadKeys: () => void;
  /** Drains and closes everything; resolves with the exit code. */
  readonly stop: (signal: string) => Promise<number>;
  /** Rejects when the store can never be opened by this program. */
  readonly opened: Promise<void>;
  /** Rejects when this process must not go on with the store that it had opened. */
  readonly broken: Promise<never>;
}

const STORE_CLOSES_WITHIN_MS = 5_000;
const OPEN_AGAIN_AFTER_MS = 1_000;

/** What comes and goes while the service runs; null while it is not there. */
interface Parts {
  trust: Trust;
  store: Store | null;
  inbox: Inbox | null;
  upkeep: Upkeep | null;
  readonly sightings: Sightings;
  isStopping: boolean;
}

/** What the parts are made by. */
interface Means {
  readonly config: Config;
  readonly log: Log;
  readonly onUnusable: (error: StoreUnusableError) => void;
}

/** Opens the listeners at once and the store in the background: health answers while the database is still away. */
export const start = async (config: Config, log: Log): Promise<Running> => {
  const { promise: broken, reject: onUnusable } = Promise.withResolvers<never>();
  // Whoever does not ask has stopped by himself.
  broken.catch(() => undefined);
  const means = { config, log, onUnusable };
  const trust = trustIn(config, config.keys);
  const sightings = createSightings(config.notifyPaths);
  const parts: Parts = { trust, store: null, inbox: null, upkeep: null, sightings, isStopping: false };
  logKeys(log, config.keys);
  const servers = createServers(parts, means);
  const publicAddress = await listen(servers.publicServer, config);
  const adminAddress = await listen(servers.adminServer, { host: config.adminHost, port: config.adminPort });
  log.info({ host: publicAddress.host, port: publicAddress.port }, 'listening for notifications');
  log.info({ host: adminAddress.host, port: adminAddress.port }, 'listening for operators');
  return {
    publicAddress,
    adminAddress,
    opened: openParts(parts, means),
    broken,
    reloadKeys: () => reloadKeys(parts, means),
    stop: async (signal) => await drainAndClose({ parts, servers }, { signal, ...means }),
  };
};

const trustIn = ({ publicUris }: Config, keys: KeyRing): Trust => ({ keys, publicUris });

interface Servers {
  readonly publicServer: Server;
  readonly adminServer: Server;
  readonly readiness: ReadinessProbe;
}

const createServers = (parts: Parts, { config, log }: Means): Servers => {
  const store = (): Store | null => parts.store;
  const readiness = createReadiness({
    store,
    isQueueFull: () => parts.inbox?.isFull() ?? false,
    isStoreFailing: () => parts.inbox?.isFailing() ?? false,
    onProblem: (error) => log.error(problemOf(error), 'the store cannot be written'),
  });
  const payNotify = createPayNotify({ trust: () => parts.trust, handlers, inbox: () => parts.inbox });
  const adminApp = createAdminApp({
    store,
    token: config.adminToken,
    readToken: config.adminReadToken,
    clientIds: () => [...parts.trust.keys.keys()],
    verifiesNow: (stored) => verifiesNow(stored, parts.trust),
    redriving: (opened) => createRedriving(opened, handlers),
    log,
  });
  return {
    publicServer: createPublicServer(
      createPublicApp({ ...config, payNotify, readiness, sightings: parts.sightings, log }),
      log,
    ),
    adminServer: createHttpServer(adminApp, { log }),
    readiness,
  };
};

const openParts = async (parts: Parts, means: Means): Promise<void> => {
  const { config, log } = means;
  const store = await openPatiently(means, () => parts.isStopping);
  if (store === null) return;
  parts.store = store;
  parts.inbox = createInbox({ store, ...inboxOptions(config, log) });
  const report = upkeepReport(log);
  parts.upkeep = startUpkeep({ store, handlers, rules: config.rules, retention: config, report });
  parts.sightings.keep(store, (error) => report.failed('seen', error));
  parts.upkeep.verifyAgain(parts.trust);
  log.info({ database: config.databaseUrl.split(':')[0] }, 'ready');
};

const reloadKeys = (parts: Parts, { config, log }: Means): void => {
  try {
    parts.trust = trustIn(config, config.readKeysAgain());
    logKeys(log, parts.trust.keys);
    parts.upkeep?.verifyAgain(parts.trust);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) log.error({ problem }, 'the keys were not read again; the old ones stay');
  }
};

interface Started {
  readonly parts: Parts;
  readonly servers: Servers;
}

/** Releases in reverse order; returns the exit code. */
const drainAndClose = async (
  { parts, servers }: Started,
  { config, log, signal }: Means & { readonly signal: string },
): Promise<number> => {
  const { publicServer, adminServer, readiness } = servers;
  parts.isStopping = true;
  log.info({ signal }, 'draining');
  readiness.drain();
  await pause(config.drainDelayMs);
  await Promise.all([stopListening(publicServer), stopListening(adminServer)]);
  await parts.inbox?.drain();
  readiness.stop();
  const isClosed = await within(STORE_CLOSES_WITHIN_MS, closeStore(parts));
  if (isClosed) log.info({ signal }, 'stopped');
  else log.error({ signal }, 'the store did not close in time and is abandoned');
  return isClosed ? 0 : 1;
};

const closeStore = async ({ sightings, upkeep, store }: Parts): Promise<void> => {
  await sightings.stop();
  await upkeep?.stop();
  await store?.close();
};

/** Whether something was done in time; a failure to close is as good as not closed. */
const within = async (milliseconds: number, work: Promise<void>): Promise<boolean> =>
  await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    pause(milliseconds, false, { ref: false }),
  ]);

/** An outage is waited for; what will never work is thrown. */
const openPatiently = async ({ config, log, onUnusable }: Means, isStopping: () => boolean): Promise<Store | null> => {
  const isNews = oncePerMinute();
  while (!isStopping()) {
    try {
      return await openStore({
        ...config,
        onNotice: (problem) => log.error({ problem }, 'the database was not closed'),
        onUnusable,
        onUnsafe: (settings) =>
          log.warn(
            { problem: `${settings.join(', ')} off` },
            'commits are not durable on this server: what was acknowledged may be lost (ALLOW_UNSAFE_DATABASE)',
          ),
      });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (isNews('')) log.error(problemOf(error), 'the store cannot be opened yet');
      await pause(OPEN_AGAIN_AFTER_MS);
    }
  }
  return null;
};

const inboxOptions = ({ unverifiedMaxBytes, unverifiedMaxPerSecond }: Config, log: Log) => {
  const isNews = oncePerMinute();
  return {
    unverifiedMaxBytes,
    unverifiedMaxPerSecond,
    onError: (error: unknown) => {
      if (!(error instanceof StoreUnavailableError) || isNews(error.message))
        log.error(problemOf(error), 'a batch could not be stored');
    },
    onFailed: (failed: readonly { readonly clientId: string; readonly id: string }[]) => {
      for (const { clientId, id } of failed) {
        log.error(
          { clientId, notificationId: id, outcome: 'FAILED' },
          'a notification could not be applied; it will be tried again',
        );
      }
    },
    onUnverifiedNearlyFull: ({ share, bytes, maxBytes }: UnverifiedRoom) =>
      log.warn(
        { share, bytes, maxBytes },
        'the store of unverified requests is nearly full: see `paynotify unverified`',
      ),
  };
};

const logKeys = (log: Log, keys: KeyRing): void => {
  for (const [clientId, clientKeys] of keys) {
    for (const { version, fingerprint } of clientKeys)
      log.info({ clientId, keyVersion: version, keyFingerprint: fingerprint }, 'verifying with key');
  }
};

/** Each names what is wrong; a server also the variable that led to it. */
const unusable = ({ message }: StoreUnusableError): { readonly problem: string } => ({
  problem: message.startsWith('DATABASE_URL') ? message : `DATABASE_URL: ${message}`,
});

/** The process: configuration, log, signals, exit code. */
export const serve = async (env: Environment): Promise<void> => {
  const config = configOrExit(env);
  const { log, close } = openLog({ level: config.logLevel, pretty: process.stdout.isTTY });
  const exit = async (code: number): Promise<never> => {
    await close();
    return process.exit(code);
  };
  for (const problem of exposedFiles(env)) log.warn({ problem }, 'a secret is open to every user of this machine');
  try {
    const running = await start(config, log);
    let signalled = false;
    const stop = (signal: string): void => {
      if (signalled) process.exit(1);
      signalled = true;
      void running.stop(signal).then(exit);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => running.reloadKeys());
    // Node would open its debugger, to anybody on this machine.
    process.on('SIGUSR1', () => undefined);
    await running.opened;
    await running.broken;
  } catch (error) {
    log.fatal(error instanceof StoreUnusableError ? unusable(error) : problemOf(error), 'cannot run');
    await exit(error instanceof StoreUnusableError ? EXIT_CONFIG : 1);
  }
};

const configOrExit = (env: Environment): Config => {
  try {
    return readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(
      `paynotify: the configuration cannot be used\n${error.problems.map((problem) => `  - ${problem}\n`).join('')}`,
    );
    return process.exit(EXIT_CONFIG);
  }
};

if (import.meta.main) await serve(process.env);
