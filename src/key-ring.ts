import { z } from 'zod';
import { isSandbox } from './antom/host.ts';
import { type AntomKey, KeyError, type KeyRing, readKey } from './antom/keys.ts';
import { parseJson, readText, type Source } from './environment.ts';

const clientsFile = z.strictObject({
  clients: z
    .array(
      z.strictObject({
        clientId: z.string().min(1),
        publicKeys: z.array(z.string()).min(1),
        privateKey: z.string().optional(),
        // Read by callback-config.ts.
        callback: z.unknown().optional(),
      }),
    )
    .min(1),
});

/** A client as it is configured, before its keys are read. */
export interface ClientKeys {
  readonly clientId: string;
  readonly publicKeys: readonly string[];
  /** The merchant's own; null where there is none. */
  readonly privateKey: string | null;
  /** Where the client id stands, for messages. */
  readonly named: string;
  /** Where APO's keys stand. */
  readonly from: string;
  /** Where the merchant's own stands. */
  readonly ownFrom: string;
}

/** APO's keys of every configured client; what is wrong with them goes to the problems. */
export const readKeyRing = (
  clients: readonly ClientKeys[],
  { problems, refuseSandbox }: { readonly problems: string[]; readonly refuseSandbox: boolean },
): KeyRing => {
  const ring = new Map<string, readonly AntomKey[]>();
  for (const { clientId, publicKeys, named, from } of clients) {
    if (!/^[\x21-\x7e]+$/.test(clientId))
      problems.push(
        `${named}: a client id must be visible ASCII without spaces, and this one has ${flawOf(clientId)}: copy it again from the dashboard`,
      );
    if (ring.has(clientId)) problems.push(`${named}: client ${clientId} stands twice`);
    if (refuseSandbox && isSandbox(clientId)) {
      problems.push(
        `${named}: ${clientId} is a sandbox client, and NODE_ENV is production: its payments are no money. Set the live client, or NODE_ENV=development to test (ALLOW_SANDBOX=true starts all the same)`,
      );
    }
    ring.set(clientId, readKeysOf({ publicKeys, from }, problems));
  }
  for (const { clientId, named } of clients)
    for (const other of ambiguousWith(clientId, ring))
      problems.push(
        `${named}: begins with ${other} and a dot, and the two have a key in common: what is signed for the one would verify for the other. Ask APO for another key for one of them`,
      );
  return ring;
};

/** The signed text is `client.time.body`: that of `T_A.B` is one of `T_A` too, at the time `B.2026-…`. */
const ambiguousWith = (clientId: string, ring: KeyRing): readonly string[] => {
  const own = new Set(ring.get(clientId)?.map(({ fingerprint }) => fingerprint));
  return [...ring]
    .filter(([other, keys]) => clientId.startsWith(`${other}.`) && keys.some(({ fingerprint }) => own.has(fingerprint)))
    .map(([other]) => other);
};

const flawOf = (clientId: string): string => {
  if (clientId !== clientId.trim()) return 'a space at its beginning or end';
  return /\s/.test(clientId) ? 'a space in it' : 'another character in it';
};

const readKeysOf = (
  { publicKeys, from }: Pick<ClientKeys, 'publicKeys' | 'from'>,
  problems: string[],
): readonly AntomKey[] =>
  publicKeys.flatMap((configured, index) => {
    try {
      return [readKey(configured)];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      problems.push(`${from}${publicKeys.length > 1 ? `, key ${index + 1}` : ''}: ${error.message}`);
      return [];
    }
  });

/** Every configured client; what keeps them from being read goes to the source's problems. */
export const readClients = (source: Source): readonly ClientKeys[] => {
  const clientId = source.text('ANTOM_CLIENT_ID');
  const publicKey = source.text('ANTOM_PUBLIC_KEY');
  const privateKey = source.text('ANTOM_PRIVATE_KEY');
  const file = source.text('ANTOM_CLIENTS_FILE');
  const single = clientId !== null || publicKey !== null;
  if (file !== null && single)
    source.problems.push('ANTOM_CLIENTS_FILE replaces ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY: set the one or the others');
  if (file !== null && privateKey !== null)
    source.problems.push(
      'ANTOM_PRIVATE_KEY: with ANTOM_CLIENTS_FILE it belongs into that file, as the privateKey of its client',
    );
  if (file !== null) return readClientsFile(file, source.problems);
  if (!single) {
    source.problems.push(
      'ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY (or ANTOM_CLIENTS_FILE) are required: the dashboard shows both, under Developer',
    );
    return [];
  }
  if (clientId === null) source.problems.push('ANTOM_CLIENT_ID is required beside ANTOM_PUBLIC_KEY');
  if (publicKey === null)
    source.problems.push("ANTOM_PUBLIC_KEY is required beside ANTOM_CLIENT_ID: APO's public key, from the dashboard");
  // An empty file has been named as a problem already.
  if (clientId === null || publicKey === null || publicKey === '') return [];
  return [
    {
      clientId,
      publicKeys: publicKey.split(','),
      privateKey: privateKey === '' ? null : privateKey,
      named: 'ANTOM_CLIENT_ID',
      from: 'ANTOM_PUBLIC_KEY',
      ownFrom: 'ANTOM_PRIVATE_KEY',
    },
  ];
};

const readClientsFile = (file: string, problems: string[]): readonly ClientKeys[] => {
  const content = readText(file);
  if (typeof content !== 'string') {
    problems.push(`ANTOM_CLIENTS_FILE cannot be read: ${content.code}`);
    return [];
  }
  const json = parseJson(content);
  if (json === undefined) {
    problems.push('ANTOM_CLIENTS_FILE cannot be read: it is not JSON');
    return [];
  }
  const parsed = clientsFile.safeParse(json);
  if (parsed.success)
    return parsed.data.clients.map((client) => {
      const from = `ANTOM_CLIENTS_FILE, client ${client.clientId}`;
      return { ...client, privateKey: client.privateKey ?? null, named: from, from, ownFrom: `${from}, privateKey` };
    });
  problems.push(...parsed.error.issues.map((issue) => `ANTOM_CLIENTS_FILE: ${issue.path.join('.')}: ${issue.message}`));
  return [];
};
