import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readKey } from '../../../src/antom/keys.ts';
import type { SignedRequest, Trust } from '../../../src/antom/signature.ts';
import { keyFixture } from '../../support/forge-signer.ts';
import { createRandom, type Random } from '../random.ts';
import { genuineBodies } from './bodies.ts';
import { type OracleTrust, readOracleKey } from './signature-oracle.ts';

/** Whose key signed, and under which version the receiver knows it; null where it knows it under none. */
interface Signing {
  readonly clientId: string;
  readonly key: 'throw-away' | 'throw-away-second' | 'throw-away-3072';
  readonly version: string | null;
}

/** One client whose keys rotate, one with two sizes and no versions; names that are close to each other. */
const SIGNINGS: readonly Signing[] = [
  { clientId: 'T_5YET942ZTUH303813', key: 'throw-away', version: '1' },
  { clientId: 'T_5YET942ZTUH303813', key: 'throw-away-second', version: '2' },
  { clientId: 'T_5YET942ZTUH303813.1', key: 'throw-away-second', version: null },
  { clientId: 'T_5YET942ZTUH303813.1', key: 'throw-away-3072', version: null },
];
const CLIENTS = [...new Set(SIGNINGS.map(({ clientId }) => clientId))];
const PUBLIC_URIS = ['/shop/apo', '/shop/apo?shop=1'];

const ofClients = <Key>(read: (signing: Signing, pem: string) => Key): ReadonlyMap<string, readonly Key[]> =>
  new Map(
    CLIENTS.map((id) => [
      id,
      SIGNINGS.filter(({ clientId }) => clientId === id).map((one) =>
        read(one, keyFixture(`${one.key}.public.spki.pem`)),
      ),
    ]),
  );

export const TRUST: Trust = {
  keys: ofClients(({ version }, pem) => readKey(version === null ? pem : `${version}:${pem}`)),
  publicUris: PUBLIC_URIS,
};
export const ORACLE_TRUST: OracleTrust = {
  clients: ofClients(({ version }, pem) => readOracleKey(pem, version)),
  publicUris: PUBLIC_URIS,
};

const TIMES = [
  '2025-05-17T07:58:04Z',
  '2025-05-17T13:28:06.253+05:30',
  '2025-05-17T07:58:04.1Z',
  '2025-05-17T00:58:04-0700',
  '1747468684000',
];
const TARGETS = ['/payNotify', '/payNotify?shop=1', '/payNotify?', '/', '/payNotify?a=1?b=2'];

const GENUINE = 240;

const privateKeys = new Map<string, KeyObject>();
const privateKeyOf = ({ key }: Signing): KeyObject => {
  const read = privateKeys.get(key) ?? createPrivateKey(keyFixture(`${key}.private.pkcs8.pem`));
  privateKeys.set(key, read);
  return read;
};

const createGenuine = (random: Random): SignedRequest => {
  const signing = random.pick(SIGNINGS);
  const { clientId, version } = signing;
  const requestTime = random.pick(TIMES);
  const target = random.pick(TARGETS);
  const uri = random.pick([target, target.split('?')[0] ?? '', ...PUBLIC_URIS]);
  const body = random.pick(genuineBodies());
  const text = Buffer.concat([Buffer.from(`POST ${uri}\n${clientId}.${requestTime}.`, 'latin1'), body]);
  const base64 = sign('sha256', text, privateKeyOf(signing)).toString('base64');
  const named = random.pick([version, version, '1', '9', null]);
  const signature = random.chance(0.8) ? encodeURIComponent(base64) : base64;
  const header = `algorithm=RSA256,${named === null ? '' : `keyVersion=${named},`}signature=${signature}`;
  return { method: 'POST', target, clientIds: [clientId], requestTimes: [requestTime], signatures: [header], body };
};

let pool: readonly SignedRequest[] | null = null;

/** What genuine senders send: always the same, whatever the seed of a round, since signing is what takes long. */
export const genuineRequests = (): readonly SignedRequest[] => {
  const random = createRandom(0);
  return (pool ??= Array.from({ length: GENUINE }, () => createGenuine(random)));
};
