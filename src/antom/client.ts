import { type CallResult, readResult, unknown, verifyEvidence } from './call-result.ts';
import { type Answers, type Asks, bodyOf } from './asks.ts';
import type { Operation } from './call-codes.ts';
import { type Caller, exchange } from './exchange.ts';
import { pathOfOperation } from './host.ts';
import type { AntomKey, KeyRing } from './keys.ts';

type Calls<O extends Operation> = (ask: Asks[O], signal?: AbortSignal) => Promise<CallResult<Answers[O]>>;

/**
 * Antom's API for one client, under its own names. No call throws: what became of it is its result. The signal gives a
 * call up, as when the service stops.
 */
export type AntomClient = { readonly [O in Operation]: Calls<O> };

export interface ClientSettings
  extends Pick<Caller, 'clientId' | 'origin' | 'signingKey'>, Partial<Pick<Caller, 'timeoutMs' | 'maxBytes' | 'now'>> {
  /** APO's public keys of this client, with which answers are verified. */
  readonly keys: readonly AntomKey[];
}

const WITHIN_MS = 15_000;
const MIB = 1_048_576;

export const createAntomClient = (settings: ClientSettings): AntomClient => {
  const caller: Caller = { timeoutMs: WITHIN_MS, maxBytes: MIB, now: Date.now, ...settings };
  const { clientId } = caller;
  const calling =
    <O extends Operation>(operation: O): Calls<O> =>
    async (ask, signal) => {
      const target = pathOfOperation(operation, clientId);
      const exchanged = await exchange(caller, { target, body: bodyOf(ask), signal });
      const { sent, received } = exchanged;
      if (received === null) return unknown(exchanged.silence, exchanged.detail, { sent, received, verified: null });
      const evidence = verifyEvidence({ sent, received }, { clientId, keys: settings.keys });
      return 'outcome' in evidence ? evidence : readResult(operation, ask, evidence);
    };
  return {
    inquiryPayment: calling('inquiryPayment'),
    capture: calling('capture'),
    cancel: calling('cancel'),
    refund: calling('refund'),
    inquiryRefund: calling('inquiryRefund'),
  };
};

interface Access extends Pick<Caller, 'origin'> {
  readonly signingKeys: ReadonlyMap<string, Caller['signingKey']>;
}

/** By client id: those that have a private key. */
export type AntomClients = ReadonlyMap<string, AntomClient>;

export const createAntomClients = ({ origin, signingKeys }: Access, keys: KeyRing): AntomClients =>
  new Map(
    [...signingKeys].map(([clientId, signingKey]) => [
      clientId,
      createAntomClient({ clientId, origin, signingKey, keys: keys.get(clientId) ?? [] }),
    ]),
  );
