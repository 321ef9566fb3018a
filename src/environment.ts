import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { codeOf } from './thrown.ts';

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

export const DEFAULT_DATABASE_URL = 'sqlite:data/paynotify.db';

/**
 * Every variable there is; the table of docs/configuration.md and `.env.example` list the same, and a test compares the
 * three.
 */
export const VARIABLES = [
  'PORT',
  'HOST',
  'NOTIFY_PATHS',
  'PUBLIC_NOTIFY_URL',
  'ANTOM_CLIENT_ID',
  'ANTOM_PUBLIC_KEY',
  'ANTOM_CLIENTS_FILE',
  'ANTOM_PRIVATE_KEY',
  'ANTOM_PRIVATE_KEY_VERSION',
  'ANTOM_REGION',
  'ANTOM_API_URL',
  'INQUIRIES_PER_SECOND',
  'AUTO_CAPTURE',
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
  'NO_CAPTURE_METHODS',
  'CAPTURE_MODE',
  'REQUIRE_REGISTRATION',
  'CALLBACK_URL',
  'CALLBACK_SECRETS',
  'LOG_LEVEL',
  'DRAIN_DELAY',
  'TRUST_PROXY',
  'RETENTION_DAYS',
  'UNVERIFIED_RETENTION_DAYS',
  'ALLOW_UNSAFE_DATABASE',
  'ALLOW_SANDBOX',
  'NODE_ENV',
] as const;
export type Variable = (typeof VARIABLES)[number];

/** These may stand in a file instead, named by `NAME_FILE`. */
export const SECRETS = [
  'ANTOM_PUBLIC_KEY',
  'ANTOM_PRIVATE_KEY',
  'DATABASE_URL',
  'ADMIN_TOKEN',
  'ADMIN_READ_TOKEN',
  'CALLBACK_URL',
  'CALLBACK_SECRETS',
] as const satisfies readonly Variable[];
type Secret = (typeof SECRETS)[number];

const isSecret = (name: Variable): name is Secret => (SECRETS as readonly Variable[]).includes(name);

/** Lists, and texts in which a comma may stand. */
const TAKES_COMMAS: ReadonlySet<string> = new Set<Variable>([
  ...SECRETS,
  'NOTIFY_PATHS',
  'PUBLIC_NOTIFY_URL',
  'NO_CAPTURE_METHODS',
]);

/** Reads single values and gathers what is wrong with them. */
export interface Source {
  readonly problems: string[];
  /** Null where it is not set; an empty value is not set. */
  readonly text: (name: Variable) => string | null;
  readonly value: <T>(name: Variable, schema: z.ZodType<T>, fallback: T) => T;
  /** To be called for what relies on certificates: one problem where Node has been told not to verify them. */
  readonly needVerifiedTls: () => void;
}

const TLS_UNVERIFIED =
  "NODE_TLS_REJECT_UNAUTHORIZED: 0 lets anybody on the way answer in Antom's place, your shop's or the database's: unset it, and name a private authority in NODE_EXTRA_CA_CERTS";

export const sourceOf = (env: Environment): Source => {
  const problems: string[] = [];
  /** What is wrong with a text whatever it is for is told, and then taken away: the rest may be wrong as well. */
  const plain = (name: string): string | null => {
    const given = env[name];
    if (given === undefined || given === '') return null;
    const { text, flaws } = withoutFlaws(name, given);
    problems.push(...flaws);
    return text === '' ? null : text;
  };
  const text = (name: Variable): string | null => {
    const value = plain(name);
    const file = isSecret(name) ? plain(`${name}_FILE`) : null;
    if (file === null) return value;
    if (value !== null) problems.push(`${name} and ${name}_FILE are both set: keep one`);
    const content = readText(file);
    if (typeof content !== 'string') problems.push(`${name}_FILE cannot be read: ${content.code}`);
    // An empty file is a mistake, not a wish for the default: a token that is missing would open a door.
    else if (content === '') problems.push(`${name}_FILE is empty`);
    return typeof content === 'string' ? content : null;
  };
  const value = <T>(name: Variable, schema: z.ZodType<T>, fallback: T): T => {
    const given = text(name);
    if (given === null) return fallback;
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const messages = new Set(parsed.error.issues.map(({ message }) => message));
    problems.push(`${name}: ${[...messages].join('; ')}`);
    return fallback;
  };
  const needVerifiedTls = (): void => {
    if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' && !problems.includes(TLS_UNVERIFIED))
      problems.push(TLS_UNVERIFIED);
  };
  return { problems, text, value, needVerifiedTls };
};

interface Cleaned {
  /** What may have been meant. */
  readonly text: string;
  readonly flaws: readonly string[];
}

const withoutFlaws = (name: string, given: string): Cleaned => {
  const flaws: string[] = [];
  let text = given;
  if (text.endsWith('\r')) {
    flaws.push(`${name}: ends with a carriage return: save the file that sets it with Unix line ends (LF)`);
    text = text.replace(/\r+$/, '');
  }
  const [, , quoted] = /^(["'])(.*)\1$/s.exec(text) ?? [];
  if (quoted !== undefined) {
    flaws.push(
      `${name}: stands in quotation marks, and they are part of the value (docker run --env-file and Kubernetes keep them): remove them`,
    );
    text = quoted;
  }
  const link = /^tcp:\/\/[\w.:[\]-]+$/.test(text) && name.endsWith('_PORT');
  if (link) {
    const service = name.slice(0, -'_PORT'.length).toLowerCase().replaceAll('_', '-');
    flaws.push(
      `${name}: ${text} is the address of a Service named ${service}, which Kubernetes puts here: set enableServiceLinks: false in the pod, or rename the Service`,
    );
    return { text: '', flaws };
  }
  if (text.includes(',') && !name.endsWith('_FILE') && !TAKES_COMMAS.has(name)) {
    flaws.push(
      `${name}: takes one value, and this is a list: ${name === 'ANTOM_CLIENT_ID' ? 'for several clients set ANTOM_CLIENTS_FILE instead' : 'keep one of them'}`,
    );
    text = text.split(',')[0]?.trim() ?? '';
  }
  return { text, flaws };
};

const NAMES: ReadonlySet<string> = new Set([...VARIABLES, ...SECRETS.map((name) => `${name}_FILE`)]);
/** Short names are near to too much. */
const SHORTEST_MISSPELT = 8;
const MOST_EDITS = 2;

/** Variables that are set, are none of ours, and look as if they were meant to be: one sentence each. */
export const misspelt = (env: Environment): readonly string[] =>
  Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === '' || NAMES.has(name)) return [];
    const base = name.replace(/_FILE$/, '');
    if (NAMES.has(base)) return [`${name} is not read: ${base} cannot stand in a file, so set it itself`];
    const meant = [...NAMES].find((known) => looksLike(name, known));
    return meant === undefined
      ? []
      : [`${name} is none of paynotify's variables and is not read: if ${meant} is meant, rename it`];
  });

const looksLike = (name: string, known: string): boolean => {
  const [bare, wanted] = [name, known].map((one) => one.toUpperCase().replaceAll('_', '')) as [string, string];
  if (bare.replaceAll(/[^A-Z]/g, '').length < SHORTEST_MISSPELT) return false;
  return bare === wanted || isNear(name.toUpperCase(), known, MOST_EDITS);
};

/** Whether one becomes the other when at most so many characters are put in, left out or exchanged. */
const isNear = (a: string, b: string, edits: number): boolean => {
  if (a === b) return true;
  if (edits === 0) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [restOfA, restOfB] = [a.slice(same), b.slice(same)];
  return (
    isNear(restOfA.slice(1), restOfB.slice(1), edits - 1) ||
    isNear(restOfA.slice(1), restOfB, edits - 1) ||
    isNear(restOfA, restOfB.slice(1), edits - 1)
  );
};

/** A file's text without white space around it, or the code of what kept it from being read. */
export const readText = (file: string): string | { readonly code: string } => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    return { code: codeOf(error) ?? 'unreadable' };
  }
};

/** Undefined for what is no JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Reads `.env` of the working directory, where there is one, into the environment of this process, which wins over it.
 * Throws a ConfigError where it cannot be read.
 */
export const loadDotEnv = (): void => {
  try {
    process.loadEnvFile();
  } catch (error) {
    const code = codeOf(error) ?? 'unreadable';
    if (code !== 'ENOENT') throw new ConfigError([`.env in the working directory cannot be read: ${code}`]);
  }
};
