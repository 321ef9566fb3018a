import { isIP } from 'node:net';
import { z } from 'zod';
import type { KeyRing } from './antom/keys.ts';
import { parseJson, readText, type Source } from './environment.ts';
import { isPrivateAddress } from './private-address.ts';
import { readSecret } from './relay/standard-webhooks.ts';
import { type CallbackTarget, toTarget } from './relay/target.ts';

/** What the environment or the clients file says of one callback URL. `from` names where, for messages. */
interface Configured {
  readonly url: string | null;
  readonly secrets: readonly string[];
  readonly from: { readonly url: string; readonly secrets: string };
}

const clientsFile = z.object({
  clients: z.array(
    z.object({
      clientId: z.string(),
      callback: z.strictObject({ url: z.string(), secrets: z.array(z.string()) }).optional(),
    }),
  ),
});

/**
 * Where callbacks of each client are posted: its own `callback` in the clients file, else CALLBACK_URL; nowhere where
 * neither is set. What is wrong goes to the problems, without any value.
 */
export const readCallbacks = (source: Source, keys: KeyRing): readonly CallbackTarget[] => {
  const { problems } = source;
  const own = readOwn(source);
  const url = source.text('CALLBACK_URL');
  const secrets = source.text('CALLBACK_SECRETS');
  const shared = readOne(
    {
      url,
      secrets: secrets?.split(',').map((secret) => secret.trim()) ?? [],
      from: { url: 'CALLBACK_URL', secrets: 'CALLBACK_SECRETS' },
    },
    problems,
  );
  const targets = [...keys.keys()].flatMap((clientId) => {
    const configured = own.get(clientId);
    const read = configured === undefined ? shared : readOne(configured, problems);
    return read === null ? [] : [toTarget(clientId, read)];
  });
  if (targets.some(({ origin }) => origin.startsWith('https:'))) source.needVerifiedTls();
  return targets;
};

/** What else is wrong with the file, or keeps it from being read, is named as a problem where the keys are read. */
const readOwn = ({ text, problems }: Source): ReadonlyMap<string, Configured> => {
  const file = text('ANTOM_CLIENTS_FILE');
  const content = file === null ? null : readText(file);
  if (typeof content !== 'string') return new Map();
  const parsed = clientsFile.safeParse(parseJson(content));
  if (!parsed.success) {
    problems.push(
      ...parsed.error.issues
        .filter(({ path }) => path.includes('callback'))
        .map(({ path, message }) => `ANTOM_CLIENTS_FILE: ${path.join('.')}: ${message}`),
    );
    return new Map();
  }
  return new Map(
    parsed.data.clients.flatMap(({ clientId, callback }) => {
      if (callback === undefined) return [];
      const from = `ANTOM_CLIENTS_FILE, client ${clientId}, callback`;
      return [[clientId, { ...callback, from: { url: `${from}.url`, secrets: `${from}.secrets` } }] as const];
    }),
  );
};

const readOne = (
  { url, secrets, from }: Configured,
  problems: string[],
): { readonly url: URL; readonly secrets: readonly Uint8Array[] } | null => {
  if (url === null) {
    if (secrets.length > 0) problems.push(`${from.url} is required beside ${from.secrets}: where callbacks are posted`);
    return null;
  }
  // An empty file has been named as a problem already.
  if (url === '') return null;
  const flaw = flawOf(url);
  if (flaw !== null) problems.push(`${from.url}: ${flaw}`);
  if (secrets.length === 0)
    problems.push(`${from.secrets} is required beside ${from.url}: make one with ${MAKE_SECRET}`);
  const read = secrets.flatMap((secret, index) => {
    const key = readSecret(secret);
    if (key instanceof Uint8Array) return [key];
    problems.push(
      `${from.secrets}${secrets.length > 1 ? `, secret ${index + 1}` : ''}: ${key.flaw}: make one with ${MAKE_SECRET}`,
    );
    return [];
  });
  return flaw === null ? { url: new URL(url), secrets: read } : null;
};

const MAKE_SECRET = '`echo whsec_$(openssl rand -base64 32)`';

/** Never with the URL, which may hold a secret. */
const flawOf = (url: string): string | null => {
  if (!URL.canParse(url)) return 'must be a URL, such as https://shop.example/callbacks';
  const { protocol, hostname, hash } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https://';
  if (hash !== '') return 'must not hold #, which no server ever sees: percent-encode it as %23';
  const host = hostname.replace(/^\[|\]$/g, '');
  // Where a name leads is seen when it is connected to.
  const isPublic = isIP(host) !== 0 && !isPrivateAddress(host);
  return protocol === 'http:' && isPublic
    ? 'http is only for this machine and private networks: use https, since a callback holds an order'
    : null;
};
