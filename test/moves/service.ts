import { type AntomClient, createAntomClient } from '../../src/antom/client.ts';
import type { MoveKind } from '../../src/order/move.ts';
import type { Served } from '../sandbox/support.ts';
import { CLIENT, MERCHANT_KEY } from '../sandbox/support.ts';
import { type Answer, type Address, send } from '../support/client.ts';
import type { Fields } from '../support/facts.ts';
import type { Environment } from '../support/receiver.ts';

/** A service that sends moves to this sandbox; any free ports. */
export const callingEnvironment = (
  { publicKey }: Pick<Served, 'publicKey'>,
  { url, databaseUrl }: { readonly url: string; readonly databaseUrl: string },
): Environment => ({
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  DATABASE_URL: databaseUrl,
  CAPTURE_MODE: 'MANUAL',
  ANTOM_CLIENT_ID: CLIENT,
  ANTOM_PUBLIC_KEY: publicKey,
  ANTOM_PRIVATE_KEY: MERCHANT_KEY.export({ format: 'pem', type: 'pkcs8' }),
  ANTOM_REGION: 'ASIA',
  ANTOM_API_URL: url,
});

/** Signs with the merchant's key; nothing that answers is believed. */
export const clientTo = (origin: string, clientId: string): AntomClient =>
  createAntomClient({ clientId, origin, signingKey: { key: MERCHANT_KEY, version: '1' }, keys: [] });

const PATHS: Readonly<Record<MoveKind, string>> = { capture: 'captures', cancel: 'cancel', refund: 'refunds' };

export interface Asked {
  readonly status: number;
  readonly json: Fields;
}

/** What a shop posts. */
export const post = async (admin: Address, [kind, id]: readonly [MoveKind, string], body: Fields): Promise<Asked> => {
  const answer: Answer = await send(admin, {
    method: 'POST',
    target: `/api/orders/${id}/${PATHS[kind]}`,
    headers: [['content-type', 'application/json']],
    body: Buffer.from(JSON.stringify(body)),
  });
  return { status: answer.status, json: JSON.parse(answer.text) as Fields };
};
