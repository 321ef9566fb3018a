import { z } from 'zod';
import { type ApiAccess, readApiAccess } from './api-access.ts';
import type { KeyRing } from './antom/keys.ts';
import { readCallbacks } from './callback-config.ts';
import { ConfigError, DEFAULT_DATABASE_URL, type Environment, misspelt, type Source, sourceOf } from './environment.ts';
import { QUEUE_BYTES } from './inbox/queue.ts';
import { readClients, readKeyRing } from './key-ring.ts';
import { isLoopback } from './loopback.ts';
import { normaliseMethod } from './order/capture-required.ts';
import type { OrderRules } from './order/rules.ts';
import type { CallbackTarget } from './relay/target.ts';
import { problemOfUrl, verifiesTls } from './store/postgres/url.ts';

export { ConfigError, type Environment, EXIT_CONFIG, misspelt, SECRETS, VARIABLES } from './environment.ts';

/** What every command needs: where the orders are and by which rules they are derived. */
export interface StoreConfig {
  readonly databaseUrl: string;
  readonly rules: OrderRules;
  /** Use a PostgreSQL server all the same whose commits are not durable. */
  readonly allowUnsafeDatabase: boolean;
}

export interface Config extends StoreConfig {
  readonly host: string;
  readonly port: number;
  readonly notifyPaths: readonly string[];
  /** The path of each of `PUBLIC_NOTIFY_URL` without and with its query; empty where it is not set. */
  readonly publicUris: readonly string[];
  readonly adminHost: string;
  readonly adminPort: number;
  readonly adminToken: string | null;
  readonly adminReadToken: string | null;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly unverifiedReply: 'acknowledge' | 'refuse';
  /** Bytes. */
  readonly unverifiedMaxBytes: number;
  readonly unverifiedMaxPerSecond: number;
  readonly logLevel: string;
  readonly drainDelayMs: number;
  /** How many proxies stand in front: the client's address is that far from the end of `X-Forwarded-For`. */
  readonly trustProxy: number;
  /** Days after which raw bytes are removed; null keeps them. */
  readonly retentionDays: number | null;
  /** Days after which unverified requests are removed. */
  readonly unverifiedRetentionDays: number;
  /** APO's. */
  readonly keys: KeyRing;
  /** Null without a private key. */
  readonly api: ApiAccess | null;
  /** Of each client, at most. */
  readonly inquiriesPerSecond: number;
  /** Capture MANUAL orders where a registration says the amount. */
  readonly autoCapture: boolean;
  /** Reads the keys again, from their files; throws a ConfigError. */
  readonly readKeysAgain: () => ConfiguredKeys;
  /** Where callbacks are posted; empty for nowhere. */
  readonly callbacks: readonly CallbackTarget[];
  /** The same, read again for these clients; throws a ConfigError. */
  readonly readCallbacksAgain: (keys: KeyRing) => readonly CallbackTarget[];
}

export type ConfiguredKeys = Pick<Config, 'keys' | 'api'>;

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(from, `must be at least ${from}`).max(to, `must be at most ${to}`));
const hostName = z.string().regex(/^\S+$/, 'must not hold white space');
const portNumber = wholeNumber(0, 65_535);
const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) =>
  z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
const days = wholeNumber(1, 36_500);
const yesOrNo = oneOf(['true', 'false']).transform((text) => text === 'true');
const seconds = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?$/, 'must be a number of seconds from 0 to 9999.999')
  .transform((text) => Number(text) * 1_000);
/** The raw bytes of a request target are visible ASCII; `?` begins its query. */
const path = z
  .string()
  .regex(/^\/[\x21-\x7e]*$/, 'must begin with / and be visible ASCII')
  .regex(/^[^?#]*$/, 'must not hold ? or #');
/** Ours: a notification path cannot be one of them. */
const OWN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);
const paths = z
  .string()
  .transform((text) => [...new Set(text.split(',').map((part) => part.trim()))])
  .pipe(z.array(path.refine((text) => !OWN_PATHS.has(text), 'must not be /healthz or /readyz')));
/** Taken apart as text: what APO signs is the path as it was entered, not as a URL parser would write it. */
const httpUrl = z.string().transform((text, context) => {
  const parts = /^https?:\/\/[^/?#\s]+(\/[\x21-\x7e]*?)?(\?[\x21-\x7e]*)?$/i.exec(text);
  if (parts === null || text.includes('#') || !URL.canParse(text)) {
    context.addIssue({
      code: 'custom',
      message: 'must be the http or https URL that is entered at APO; several are comma-separated',
    });
    return z.NEVER;
  }
  const [, pathname = '/', search = ''] = parts;
  return [pathname, pathname + search];
});
const httpUrls = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(httpUrl))
  .transform((uris) => [...new Set(uris.flat())]);
const captureRequired = z
  .string()
  .refine((text) => text !== 'cards', 'cards is gone: use methods, which tells wallets from cards by their method')
  .pipe(oneOf(['methods', 'always']));
/** As they are compared (`normaliseMethod`), sorted: an order does not depend on how the list is written. */
const methods = z
  .string()
  .transform((text) => text.split(',').map(normaliseMethod))
  .pipe(z.array(z.string().min(1, 'must be payment methods, comma-separated')))
  .transform((names) => [...new Set(names)].sort());
/** Others read it too, so it may be anything; but what is meant as production must not pass for something else. */
const nodeEnv = z
  .string()
  .refine(
    (text) => text === 'production' || !/^(?:prod|production)$/i.test(text.trim()),
    'only production, in lower case and without white space, is production: write NODE_ENV=production',
  )
  .transform((text) => text === 'production');
const databaseUrl = z
  .string()
  .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/s, { error: 'must be sqlite:FILE or postgres://…', abort: true })
  .superRefine((text, context) => {
    const problem = text.startsWith('sqlite:') ? null : problemOfUrl(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const MIB = 1_048_576;

const storeConfig = ({ value, needVerifiedTls }: Source, env: Environment): StoreConfig => {
  const url = value('DATABASE_URL', databaseUrl, DEFAULT_DATABASE_URL);
  if (verifiesTls(url, env['PGSSLMODE'])) needVerifiedTls();
  return {
    databaseUrl: url,
    rules: {
      captureRequired: value('CAPTURE_REQUIRED', captureRequired, 'methods'),
      noCaptureMethods: value('NO_CAPTURE_METHODS', methods, []),
      captureMode: value('CAPTURE_MODE', oneOf(['AUTOMATIC', 'MANUAL']), 'AUTOMATIC'),
      requireRegistration: value('REQUIRE_REGISTRATION', yesOrNo, false),
      production: value('NODE_ENV', nodeEnv, false),
    },
    allowUnsafeDatabase: value('ALLOW_UNSAFE_DATABASE', yesOrNo, false),
  };
};

/** For commands that only work on the store. Throws a ConfigError. */
export const readStoreConfig = (env: Environment): StoreConfig => {
  const source = sourceOf(env);
  return orThrow(storeConfig(source, env), source.problems);
};

/** The whole configuration, or a ConfigError that names every problem. */
export const readConfig = (env: Environment): Config => {
  const source = sourceOf(env);
  const { text, value, problems } = source;
  const read = storeConfig(source, env);
  const allowSandbox = value('ALLOW_SANDBOX', yesOrNo, false);
  const readKeys = (from: Source): ConfiguredKeys => {
    const clients = readClients(from);
    const refuseSandbox = read.rules.production && !allowSandbox;
    const keys = readKeyRing(clients, { problems: from.problems, refuseSandbox });
    return { keys, api: readApiAccess(from, clients, keys) };
  };
  const configured = readKeys(source);
  const config: Config = {
    ...read,
    host: value('HOST', hostName, '0.0.0.0'),
    port: value('PORT', portNumber, 8080),
    notifyPaths: value('NOTIFY_PATHS', paths, ['/payNotify']),
    publicUris: value('PUBLIC_NOTIFY_URL', httpUrls, []),
    adminHost: value('ADMIN_HOST', hostName, '127.0.0.1'),
    adminPort: value('ADMIN_PORT', portNumber, 9090),
    adminToken: text('ADMIN_TOKEN'),
    adminReadToken: text('ADMIN_READ_TOKEN'),
    bodyLimit: value('BODY_LIMIT', wholeNumber(1_024, QUEUE_BYTES), 262_144),
    unverifiedReply: value('UNVERIFIED_REPLY', oneOf(['acknowledge', 'refuse']), 'acknowledge'),
    unverifiedMaxBytes: value('UNVERIFIED_MAX_BYTES', wholeNumber(0, Number.MAX_SAFE_INTEGER), 64 * MIB),
    unverifiedMaxPerSecond: value('UNVERIFIED_MAX_PER_SECOND', wholeNumber(0, 1_000_000), 50),
    logLevel: value('LOG_LEVEL', oneOf(LOG_LEVELS), 'info'),
    drainDelayMs: value('DRAIN_DELAY', seconds, 0),
    trustProxy: value('TRUST_PROXY', wholeNumber(0, 16), 0),
    retentionDays: value('RETENTION_DAYS', days.nullable(), null),
    unverifiedRetentionDays: value('UNVERIFIED_RETENTION_DAYS', days, 30),
    inquiriesPerSecond: value('INQUIRIES_PER_SECOND', wholeNumber(1, 100), 1),
    ...configured,
    autoCapture: value('AUTO_CAPTURE', yesOrNo, false),
    readKeysAgain: () => {
      const again = sourceOf(env);
      return orThrow(readKeys(again), again.problems);
    },
    callbacks: readCallbacks(source, configured.keys),
    readCallbacksAgain: (of) => {
      const again = sourceOf(env);
      return orThrow(readCallbacks(again, of), again.problems);
    },
  };
  checkAdmin(config, problems);
  // What is missing may stand under another name.
  return orThrow(config, problems.length === 0 ? [] : [...problems, ...misspelt(env)]);
};

/** Rules by the names of their variables. */
export const namedRules = (rules: OrderRules): Readonly<Record<string, string>> => ({
  CAPTURE_REQUIRED: rules.captureRequired,
  NO_CAPTURE_METHODS: rules.noCaptureMethods.join(','),
  CAPTURE_MODE: rules.captureMode,
  REQUIRE_REGISTRATION: String(rules.requireRegistration),
  NODE_ENV: rules.production ? 'production' : 'not production',
});

const isSet = (secret: string | null): string => (secret === null ? 'not set' : 'set');

/** All that is shown of callback URLs, which may hold secrets. */
const originsOf = (callbacks: readonly CallbackTarget[]): string =>
  callbacks.length === 0 ? 'not set' : [...new Set(callbacks.map(({ origin }) => origin))].join(',');

const versionsOf = (api: ApiAccess | null): string =>
  api === null ? 'not set' : [...new Set([...api.signingKeys.values()].map(({ version }) => version))].join(',');

/** The configuration in force, by the names of the variables; of a secret only whether it is set. */
export const namedConfig = (config: Config): Readonly<Record<string, string>> => ({
  HOST: config.host,
  PORT: String(config.port),
  NOTIFY_PATHS: config.notifyPaths.join(','),
  PUBLIC_NOTIFY_URL: config.publicUris.join(','),
  BODY_LIMIT: String(config.bodyLimit),
  TRUST_PROXY: String(config.trustProxy),
  ADMIN_HOST: config.adminHost,
  ADMIN_PORT: String(config.adminPort),
  ADMIN_TOKEN: isSet(config.adminToken),
  ADMIN_READ_TOKEN: isSet(config.adminReadToken),
  ...namedRules(config.rules),
  CALLBACK_URL: originsOf(config.callbacks),
  ANTOM_PRIVATE_KEY: isSet(config.api === null ? null : 'set'),
  ANTOM_PRIVATE_KEY_VERSION: versionsOf(config.api),
  ANTOM_REGION: config.api === null ? 'not set' : (config.api.region ?? 'not used'),
  ANTOM_API_URL: config.api?.region === null ? config.api.origin : 'not set',
  INQUIRIES_PER_SECOND: String(config.inquiriesPerSecond),
  AUTO_CAPTURE: String(config.autoCapture),
  UNVERIFIED_REPLY: config.unverifiedReply,
  UNVERIFIED_MAX_BYTES: String(config.unverifiedMaxBytes),
  UNVERIFIED_MAX_PER_SECOND: String(config.unverifiedMaxPerSecond),
  UNVERIFIED_RETENTION_DAYS: String(config.unverifiedRetentionDays),
  RETENTION_DAYS: config.retentionDays === null ? 'not set' : String(config.retentionDays),
  ALLOW_UNSAFE_DATABASE: String(config.allowUnsafeDatabase),
  LOG_LEVEL: config.logLevel,
  DRAIN_DELAY: String(config.drainDelayMs / 1_000),
});

const orThrow = <T>(value: T, problems: readonly string[]): T => {
  if (problems.length > 0) throw new ConfigError(problems);
  return value;
};

const SHORTEST_TOKEN = 32;

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const checkAdmin = (config: Config, problems: string[]): void => {
  const { host, port, adminHost, adminPort, adminToken, adminReadToken } = config;
  const meet = host === adminHost || ANY_ADDRESS.has(host) || ANY_ADDRESS.has(adminHost);
  if (port !== 0 && port === adminPort && meet)
    problems.push(`ADMIN_PORT: is the same as PORT, ${port}: give each listener a port of its own`);
  const isExposed = !isLoopback(adminHost);
  if (isExposed && (adminToken?.length ?? 0) < SHORTEST_TOKEN) {
    problems.push(`ADMIN_TOKEN: with ADMIN_HOST beyond loopback it must have at least ${SHORTEST_TOKEN} characters`);
  }
  if (isExposed && adminReadToken !== null && adminReadToken.length < SHORTEST_TOKEN) {
    problems.push(
      `ADMIN_READ_TOKEN: with ADMIN_HOST beyond loopback it must have at least ${SHORTEST_TOKEN} characters`,
    );
  }
  if (adminToken !== null && adminToken === adminReadToken)
    problems.push('ADMIN_READ_TOKEN: must differ from ADMIN_TOKEN, or it could write');
};
