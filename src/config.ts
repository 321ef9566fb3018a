import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type AntomKey, KeyError, type KeyRing, readKey } from './antom/keys.ts';
import type { OrderRules } from './order/order.ts';
import { byCodeUnit } from './order/statement.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration cannot be used; `problems` names every reason, and no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** `sysexits.h`: EX_CONFIG. */
export const EXIT_CONFIG = 78;

/** What every command needs: where the orders are and by which rules they are derived. */
export interface StoreConfig {
  readonly databaseUrl: string;
  readonly rules: OrderRules;
}

export interface Config extends StoreConfig {
  readonly host: string;
  readonly port: number;
  readonly notifyPaths: readonly string[];
  /** The path of `PUBLIC_NOTIFY_URL` without and with its query; empty where it is not set. */
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
  readonly keys: KeyRing;
  /** Reads the keys again, from their files; throws a ConfigError. */
  readonly readKeysAgain: () => KeyRing;
}

/** Every variable there is; the README's table and `.env.example` list the same, and a test compares the three. */
export const VARIABLES = [
  'PORT',
  'HOST',
  'NOTIFY_PATHS',
  'PUBLIC_NOTIFY_URL',
  'ANTOM_CLIENT_ID',
  'ANTOM_PUBLIC_KEY',
  'ANTOM_CLIENTS_FILE',
  'DATABASE_URL',
  'ADMIN_PORT',
  'ADMIN_HOST',
  'ADMIN_TOKEN',
  'ADMIN_READ_TOKEN',
  'BODY_LIMIT',
  'UNVERIFIED_REPLY',
  'UNVERIFIED_MAX_BYTES',
  'UNVERIFIED_MAX_PER_SECOND',
  'CAPTURE_REQUIRED',
  'CAPTURE_MODE',
  'LOG_LEVEL',
  'DRAIN_DELAY',
  'ALLOW_SANDBOX',
  'NODE_ENV',
] as const;
type Variable = (typeof VARIABLES)[number];

/** These may stand in a file instead, named by `NAME_FILE`. */
export const SECRETS = ['ANTOM_PUBLIC_KEY', 'DATABASE_URL', 'ADMIN_TOKEN', 'ADMIN_READ_TOKEN'] as const satisfies readonly Variable[];
type Secret = (typeof SECRETS)[number];

/** Reads single values and gathers what is wrong with them. */
interface Source {
  readonly problems: string[];
  /** Null where it is not set; an empty value is not set. */
  readonly text: (name: Variable) => string | null;
  readonly value: <T>(name: Variable, schema: z.ZodType<T>, fallback: T) => T;
}

const sourceOf = (env: Environment): Source => {
  const problems: string[] = [];
  const plain = (name: string): string | null => {
    const value = env[name];
    return value === undefined || value === '' ? null : value;
  };
  const text = (name: Variable): string | null => {
    const value = plain(name);
    const file = isSecret(name) ? plain(`${name}_FILE`) : null;
    if (file === null) return value;
    if (value !== null) problems.push(`${name} and ${name}_FILE are both set: keep one`);
    try {
      return readFileSync(file, 'utf8').trim() || null;
    } catch (error) {
      problems.push(`${name}_FILE cannot be read: ${codeOf(error)}`);
      return null;
    }
  };
  const value = <T>(name: Variable, schema: z.ZodType<T>, fallback: T): T => {
    const given = text(name);
    if (given === null) return fallback;
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    problems.push(`${name}: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
    return fallback;
  };
  return { problems, text, value };
};

const isSecret = (name: Variable): name is Secret => (SECRETS as readonly Variable[]).includes(name);

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unreadable';

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(from, `must be at least ${from}`).max(to, `must be at most ${to}`));
const portNumber = wholeNumber(0, 65_535);
const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) =>
  z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
const seconds = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?$/, 'must be a number of seconds')
  .transform((text) => Number(text) * 1_000);
/** The raw bytes of a request target are visible ASCII; `?` begins its query. */
const path = z.string().regex(/^\/[\x21-\x7e]*$/, 'must begin with / and be visible ASCII').regex(/^[^?#]*$/, 'must not hold ? or #');
const paths = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(path).min(1));
/** Taken apart as text: what APO signs is the path as it was entered, not as a URL parser would write it. */
const httpUrl = z.string().transform((text, context) => {
  const parts = /^https?:\/\/[^/?#\s]+(\/[\x21-\x7e]*?)?(\?[\x21-\x7e]*)?$/i.exec(text);
  if (parts === null || text.includes('#') || !URL.canParse(text)) {
    context.addIssue({ code: 'custom', message: 'must be the http or https URL that is entered at APO' });
    return z.NEVER;
  }
  const [, pathname = '/', search = ''] = parts;
  return [...new Set([pathname, pathname + search])];
});
const databaseUrl = z.string().regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, 'must be sqlite:FILE or postgres://…');

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const MIB = 1_048_576;

const storeConfig = ({ text, value }: Source): StoreConfig => ({
  databaseUrl: value('DATABASE_URL', databaseUrl, 'sqlite:data/paynotify.db'),
  rules: {
    captureRequired: value('CAPTURE_REQUIRED', oneOf(['always', 'cards']), 'always'),
    captureMode: value('CAPTURE_MODE', oneOf(['AUTOMATIC', 'MANUAL']), 'AUTOMATIC'),
    production: text('NODE_ENV') === 'production',
  },
});

/** For commands that only work on the store. Throws a ConfigError. */
export const readStoreConfig = (env: Environment): StoreConfig => {
  const source = sourceOf(env);
  return orThrow(storeConfig(source), source.problems);
};

/** The whole configuration, or a ConfigError that names every problem. */
export const readConfig = (env: Environment): Config => {
  const source = sourceOf(env);
  const { text, value, problems } = source;
  const read = storeConfig(source);
  const allowSandbox = value('ALLOW_SANDBOX', oneOf(['true', 'false']), 'false') === 'true';
  const readKeys = (from: Source): KeyRing => readKeyRing(from, { refuseSandbox: read.rules.production && !allowSandbox });
  const config: Config = {
    ...read,
    host: value('HOST', z.string(), '0.0.0.0'),
    port: value('PORT', portNumber, 8080),
    notifyPaths: value('NOTIFY_PATHS', paths, ['/payNotify']),
    publicUris: value('PUBLIC_NOTIFY_URL', httpUrl, []),
    adminHost: value('ADMIN_HOST', z.string(), '127.0.0.1'),
    adminPort: value('ADMIN_PORT', portNumber, 9090),
    adminToken: text('ADMIN_TOKEN'),
    adminReadToken: text('ADMIN_READ_TOKEN'),
    bodyLimit: value('BODY_LIMIT', wholeNumber(1_024, 64 * MIB), 262_144),
    unverifiedReply: value('UNVERIFIED_REPLY', oneOf(['acknowledge', 'refuse']), 'acknowledge'),
    unverifiedMaxBytes: value('UNVERIFIED_MAX_BYTES', wholeNumber(0, Number.MAX_SAFE_INTEGER), 64 * MIB),
    unverifiedMaxPerSecond: value('UNVERIFIED_MAX_PER_SECOND', wholeNumber(0, 1_000_000), 50),
    logLevel: value('LOG_LEVEL', oneOf(LOG_LEVELS), 'info'),
    drainDelayMs: value('DRAIN_DELAY', seconds, 0),
    keys: readKeys(source),
    readKeysAgain: () => {
      const again = sourceOf(env);
      return orThrow(readKeys(again), again.problems);
    },
  };
  checkAdmin(config, problems);
  return orThrow(config, problems);
};

const orThrow = <T>(value: T, problems: readonly string[]): T => {
  if (problems.length > 0) throw new ConfigError(problems);
  return value;
};

const SHORTEST_TOKEN = 32;

const checkAdmin = ({ adminHost, adminToken, adminReadToken }: Config, problems: string[]): void => {
  if (!isLoopback(adminHost) && (adminToken?.length ?? 0) < SHORTEST_TOKEN) {
    problems.push(`ADMIN_TOKEN: with ADMIN_HOST beyond loopback it must have at least ${SHORTEST_TOKEN} characters`);
  }
  if (!isLoopback(adminHost) && adminReadToken !== null && adminReadToken.length < SHORTEST_TOKEN) {
    problems.push(`ADMIN_READ_TOKEN: with ADMIN_HOST beyond loopback it must have at least ${SHORTEST_TOKEN} characters`);
  }
  if (adminToken !== null && adminToken === adminReadToken) problems.push('ADMIN_READ_TOKEN: must differ from ADMIN_TOKEN, or it could write');
};

/** Names that reach only this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

const clientsFile = z.strictObject({
  clients: z.array(z.strictObject({ clientId: z.string().min(1), publicKeys: z.array(z.string()).min(1) })).min(1),
});

interface ClientKeys {
  readonly clientId: string;
  readonly publicKeys: readonly string[];
  /** Where the keys stand, for messages. */
  readonly from: string;
}

const readKeyRing = (source: Source, { refuseSandbox }: { readonly refuseSandbox: boolean }): KeyRing => {
  const ring = new Map<string, readonly AntomKey[]>();
  for (const { clientId, publicKeys, from } of readClients(source)) {
    if (!/^[\x21-\x7e]+$/.test(clientId)) source.problems.push(`${from}: a client id must be visible ASCII without spaces`);
    if (ring.has(clientId)) source.problems.push(`${from}: client ${clientId} stands twice`);
    if (refuseSandbox && clientId.startsWith('SANDBOX_')) {
      source.problems.push(
        `${from}: ${clientId} is a sandbox client, and NODE_ENV is production: its payments are no money (ALLOW_SANDBOX=true starts all the same)`,
      );
    }
    ring.set(clientId, readKeysOf({ publicKeys, from }, source.problems));
  }
  return ring;
};

const readKeysOf = ({ publicKeys, from }: Pick<ClientKeys, 'publicKeys' | 'from'>, problems: string[]): readonly AntomKey[] =>
  publicKeys.flatMap((configured, index) => {
    try {
      return [readKey(configured)];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      problems.push(`${from}${publicKeys.length > 1 ? `, key ${index + 1}` : ''}: ${error.message}`);
      return [];
    }
  });

const readClients = (source: Source): readonly ClientKeys[] => {
  const clientId = source.text('ANTOM_CLIENT_ID');
  const publicKey = source.text('ANTOM_PUBLIC_KEY');
  const file = source.text('ANTOM_CLIENTS_FILE');
  const single = clientId !== null || publicKey !== null;
  if (file !== null && single) source.problems.push('ANTOM_CLIENTS_FILE replaces ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY: set the one or the others');
  if (file !== null) return readClientsFile(file, source.problems);
  if (!single) {
    source.problems.push('ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY (or ANTOM_CLIENTS_FILE) are required: the dashboard shows both, under Developer');
    return [];
  }
  if (clientId === null) source.problems.push('ANTOM_CLIENT_ID is required beside ANTOM_PUBLIC_KEY');
  if (publicKey === null) source.problems.push("ANTOM_PUBLIC_KEY is required beside ANTOM_CLIENT_ID: APO's public key, from the dashboard");
  if (clientId === null || publicKey === null) return [];
  return [{ clientId, publicKeys: publicKey.split(','), from: 'ANTOM_PUBLIC_KEY' }];
};

const readClientsFile = (file: string, problems: string[]): readonly ClientKeys[] => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    problems.push(`ANTOM_CLIENTS_FILE cannot be read: ${codeOf(error) === 'unreadable' ? 'it is not JSON' : codeOf(error)}`);
    return [];
  }
  const parsed = clientsFile.safeParse(json);
  if (parsed.success) return parsed.data.clients.map((client) => ({ ...client, from: `ANTOM_CLIENTS_FILE, client ${client.clientId}` }));
  problems.push(...parsed.error.issues.map((issue) => `ANTOM_CLIENTS_FILE: ${issue.path.join('.')}: ${issue.message}`));
  return [];
};

/** What verification depends on, as one text: when it differs from the last one used, the unverified are verified again. */
export const verificationFingerprint = (keys: KeyRing, { notifyPaths, publicUris }: Pick<Config, 'notifyPaths' | 'publicUris'>): string =>
  JSON.stringify([
    [...keys].map(([clientId, its]) => JSON.stringify([clientId, its.map(({ version, fingerprint }) => [version, fingerprint])])).sort(byCodeUnit),
    [...notifyPaths].sort(byCodeUnit),
    publicUris,
  ]);
