import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { KeyRing } from './antom/keys.ts';
import type { DiagnosisTrust } from './antom/diagnosis.ts';
import { type Calling, createCalling } from './calling.ts';
import { type Config, ConfigError } from './config.ts';
import { createFeedWatch, type FeedWatch } from './feed-watch.ts';
import { handlers } from './handlers/index.ts';
import { createAdminApp } from './http/admin.ts';
import { type Address, listenTogether, stopListening } from './http/listener.ts';
import { createPublicApp, type PublicWatch } from './http/public.ts';
import { createPublicServer } from './http/public-server.ts';
import { createReadiness, type ReadinessProbe, readinessReport } from './http/readiness.ts';
import { createSampledLog } from './http/sampled-log.ts';
import { createHttpServer } from './http/server.ts';
import { createInbox, type Inbox } from './inbox/inbox.ts';
import { inboxReport } from './inbox/report.ts';
import { logKeys } from './key-report.ts';
import { type Log, problemOf } from './log.ts';
import { createMeasuring } from './metrics/measuring.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { type Means, openPatiently, serviceOf } from './opening.ts';
import { createPayNotify } from './pay-notify.ts';
import { createRelaying, type Relaying } from './relaying.ts';
import type { Store } from './store/store.ts';
import { diagnosisOf } from './upkeep/diagnosis.ts';
import { createSightings, type Sightings } from './upkeep/sightings.ts';
import { createRedriving } from './upkeep/redrive.ts';
import { upkeepReport } from './upkeep/report.ts';
import { readStatus } from './upkeep/status.ts';
import { startUpkeep, type Upkeep } from './upkeep/upkeep.ts';
import { verifiesNow } from './upkeep/verify-again.ts';
import { VERSION } from './version.ts';

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

/** What comes and goes while the service runs; null while it is not there. */
interface Parts {
  trust: DiagnosisTrust;
  store: Store | null;
  inbox: Inbox | null;
  upkeep: Upkeep | null;
  readonly relaying: Relaying;
  readonly calling: Calling;
  readonly sightings: Sightings;
  readonly feedWatch: FeedWatch;
  isStopping: boolean;
}

/** Opens the listeners at once and the store in the background: health answers while the database is still away. */
export const start = async (config: Config, log: Log): Promise<Running> => {
  const { promise: broken, reject: onUnusable } = Promise.withResolvers<never>();
  // Whoever does not ask has stopped by himself.
  broken.catch(() => undefined);
  const means = { config, log, onUnusable };
  const trust = trustIn(config, config.keys);
  const sightings = createSightings(config.notifyPaths);
  const feedWatch = createFeedWatch({ store: () => parts.store });
  const relaying = createRelaying(config, feedWatch, log);
  const calling = createCalling(config, log);
  const none = { store: null, inbox: null, upkeep: null };
  const parts: Parts = { trust, ...none, relaying, calling, sightings, feedWatch, isStopping: false };
  logKeys(log, config);
  const servers = createServers(parts, means);
  const [publicAddress, adminAddress] = await listenTogether([
    { server: servers.publicServer, host: config.host, port: config.port, variables: ['HOST', 'PORT'] },
    {
      server: servers.adminServer,
      host: config.adminHost,
      port: config.adminPort,
      variables: ['ADMIN_HOST', 'ADMIN_PORT'],
    },
  ]);
  log.info({ host: publicAddress.host, port: publicAddress.port }, 'listening for notifications');
  log.info(`notification paths: ${config.notifyPaths.join(', ')}`);
  log.info({ host: adminAddress.host, port: adminAddress.port }, 'listening for operators');
  return {
    publicAddress,
    adminAddress,
    opened: openParts(parts, { ...means, metrics: servers.metrics }),
    broken,
    reloadKeys: () => reloadKeys(parts, means),
    stop: async (signal) => await drainAndClose({ parts, servers }, { signal, ...means }),
  };
};

const trustIn = ({ publicUris, notifyPaths }: Config, keys: KeyRing): DiagnosisTrust => ({
  keys,
  publicUris,
  notifyPaths,
});

interface Servers {
  readonly publicServer: Server;
  readonly adminServer: Server;
  readonly readiness: ReadinessProbe;
  readonly metrics: Metrics;
}

const createServers = (parts: Parts, { config, log }: Means): Servers => {
  const store = (): Store | null => parts.store;
  const readiness = createReadiness({
    store,
    isQueueFull: () => parts.inbox?.isFull() ?? false,
    isStoreFailing: () => parts.inbox?.isFailing() ?? false,
    ...readinessReport(log),
  });
  const metrics = metricsOf(parts, { config, log, readiness });
  const payNotify = createPayNotify({ trust: () => parts.trust, handlers, inbox: () => parts.inbox });
  const clientIds = (): readonly string[] => [...parts.trust.keys.keys()];
  const adminApp = createAdminApp({
    store,
    token: config.adminToken,
    readToken: config.adminReadToken,
    clientIds,
    verifiesNow: (stored) => verifiesNow(stored, parts.trust),
    diagnosisOf: async (stored) => await diagnosisOf(stored, parts.trust),
    moves: parts.calling.moves,
    redriving: (opened) => createRedriving(opened, handlers),
    metrics: metrics.text,
    status: async (opened) => await readStatus(opened, serviceOf(config, parts.trust.keys)),
    feedWatch: parts.feedWatch,
    isDraining: readiness.isDraining,
    log,
  });
  const watch = watchOf(parts.sightings, metrics);
  const publicApp = createPublicApp({ ...config, clientIds, payNotify, readiness, watch, log });
  return {
    publicServer: createPublicServer(publicApp, { log, onClosed: watch.refused }),
    adminServer: createHttpServer(adminApp, { log }),
    readiness,
    metrics,
  };
};

const watchOf = (sightings: Sightings, { watch: { answered, refused } }: Metrics): PublicWatch => ({
  answered: (result, ms) => {
    answered(result, ms);
    if (result.kind === 'acknowledged' && result.reason === null) sightings.verified();
  },
  refused,
  misdirected: sightings.misdirected,
});

const metricsOf = (
  parts: Parts,
  { config, log, readiness }: Pick<Means, 'config' | 'log'> & { readonly readiness: ReadinessProbe },
): Metrics =>
  createMetrics({
    version: VERSION,
    database: config.databaseUrl.startsWith('sqlite:') ? 'sqlite' : 'postgres',
    keys: () => parts.trust.keys,
    isReady: () => readiness.state() === 'ready',
    load: () => parts.inbox?.load() ?? null,
    measured: createMeasuring({
      measure: () => parts.store?.measure({ maxBytes: config.unverifiedMaxBytes }) ?? null,
      onError: (error) => log.warn(problemOf(error), 'the figures for metrics could not be read'),
    }),
  });

const openParts = async (parts: Parts, means: Means & Pick<Servers, 'metrics'>): Promise<void> => {
  const { config, log, metrics } = means;
  const store = await openPatiently(means, () => parts.isStopping);
  if (store === null) return;
  parts.store = store;
  parts.inbox = createInbox({ store, ...config, ...inboxReport(log), onCommitted: metrics.committed });
  const report = upkeepReport(log, { sampled: createSampledLog(log), metrics });
  parts.upkeep = startUpkeep({ store: store.own, handlers, rules: config.rules, retention: config, report });
  parts.relaying.begin(store, metrics.posted);
  parts.calling.begin(store.own);
  parts.sightings.keep(store.own, (error) => report.failed('seen', error));
  parts.upkeep.verifyAgain(parts.trust);
  // They were read again while the database was away.
  if (parts.trust.keys !== config.keys) parts.upkeep.remember(serviceOf(config, parts.trust.keys));
  log.info({ database: store.name }, 'ready');
};

const reloadKeys = (parts: Parts, { config, log }: Means): void => {
  try {
    const again = config.readKeysAgain();
    parts.relaying.reload(again.keys);
    parts.calling.reload(again);
    parts.trust = trustIn(config, again.keys);
    logKeys(log, again);
    parts.upkeep?.verifyAgain(parts.trust);
    parts.upkeep?.remember(serviceOf(config, parts.trust.keys));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems)
      log.error({ problem }, 'keys and callbacks were not read again; the old ones stay');
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
  parts.feedWatch.endWaits();
  await pause(config.drainDelayMs);
  // What changes from now on is told after the next start, or by another replica.
  const isToldNoMore = Promise.all([parts.relaying.stop(), parts.calling.stop()]);
  parts.feedWatch.close();
  await Promise.all([stopListening(publicServer), stopListening(adminServer), isToldNoMore]);
  await parts.inbox?.drain();
  readiness.stop();
  const isClosed = await within(STORE_CLOSES_WITHIN_MS, closeStore(parts));
  if (isClosed) log.info({ signal }, 'stopped');
  else log.warn({ signal }, 'the store did not close in time and is abandoned: what was acknowledged is stored');
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
