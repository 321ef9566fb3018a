import { z } from 'zod';
import { HOSTS, isSandbox, type Region } from './antom/host.ts';
import { type AntomKey, KeyError, type KeyRing } from './antom/keys.ts';
import { type PrivateKey, readPrivateKeyText } from './antom/private-key.ts';
import type { Source } from './environment.ts';
import type { ClientKeys } from './key-ring.ts';
import { isLoopback } from './loopback.ts';

/** A merchant's own key, with the `keyVersion` that its requests name. */
export type SigningKey = PrivateKey & { readonly version: string };

/** Where Antom's API is called, and with which key of each client that has one. */
export interface ApiAccess {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Whose host that is; null where ANTOM_API_URL says it. */
  readonly region: Region | null;
  readonly signingKeys: ReadonlyMap<string, SigningKey>;
}

/**
 * Null without a private key: then Antom's API is never called. `keys` are APO's. What is wrong goes to the source's
 * problems.
 */
export const readApiAccess = (source: Source, clients: readonly ClientKeys[], keys: KeyRing): ApiAccess | null => {
  const { problems } = source;
  const version = source.value('ANTOM_PRIVATE_KEY_VERSION', keyVersion, '1');
  const before = problems.length;
  const region = source.value('ANTOM_REGION', regions.nullable(), null);
  const url = source.value('ANTOM_API_URL', apiUrl.nullable(), null);
  const isFlawed = problems.length > before;
  const callers = clients.filter(({ privateKey }) => privateKey !== null);
  if (callers.length === 0) return null;
  if (region === null && url === null && !isFlawed)
    problems.push(`ANTOM_REGION is required with a private key: ${REGIONS}, by the contract with Antom`);
  source.needVerifiedTls();
  const signingKeys = new Map(
    callers.flatMap((client) => {
      const key = readSigningKey(client, { version, apoKeys: keys.get(client.clientId) ?? [], problems });
      return key === null ? [] : [[client.clientId, key] as const];
    }),
  );
  if (url?.startsWith('http:') === true) refuseLive([...signingKeys.keys()], problems);
  // With neither, nothing starts.
  return { origin: url ?? HOSTS[region ?? 'ASIA'], region: url === null ? region : null, signingKeys };
};

const keyVersion = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,32}$/,
    "must be the version of your key in the dashboard, such as 1: it is not the key's text",
  );
const REGIONS = Object.keys(HOSTS).join(', ');
const regions = z.enum(Object.keys(HOSTS) as [Region, ...Region[]], { error: `must be one of ${REGIONS}` });

/** An origin, and nothing else: the path is what is signed. */
const apiUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isAllowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url !== null && isAllowed && [url.origin, `${url.origin}/`].includes(text)) return url.origin;
  context.addIssue({
    code: 'custom',
    message:
      'must be https://HOST or https://HOST:PORT, without a path; http only to this machine, for a local sandbox',
  });
  return z.NEVER;
});

interface Beside {
  readonly version: string;
  readonly apoKeys: readonly AntomKey[];
  readonly problems: string[];
}

const readSigningKey = (
  { clientId, privateKey, ownFrom }: ClientKeys,
  { version, apoKeys, problems }: Beside,
): SigningKey | null => {
  try {
    const key = readPrivateKeyText(privateKey ?? '');
    // Nothing that APO sends could ever verify with it: neither its notifications nor its answers.
    if (apoKeys.some(({ fingerprint }) => fingerprint === key.fingerprint))
      problems.push(
        `${ownFrom}: its own public half is configured as APO's public key of ${clientId}, and verifies nothing that APO signs: copy APO's public key from the dashboard, which shows both`,
      );
    return { ...key, version: key.version ?? version };
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    problems.push(`${ownFrom}: ${error.message}`);
    return null;
  }
};

const refuseLive = (clientIds: readonly string[], problems: string[]): void => {
  const live = clientIds.filter((clientId) => !isSandbox(clientId));
  if (live.length > 0)
    problems.push(
      `ANTOM_API_URL: http is for SANDBOX_ clients, and ${live.join(', ')} is none: leave it out, and set ANTOM_REGION`,
    );
};
