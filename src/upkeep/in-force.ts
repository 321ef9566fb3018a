import { randomUUID } from 'node:crypto';
import { type KeyRing, readKey } from '../antom/keys.ts';
import type { DiagnosisTrust } from '../antom/diagnosis.ts';
import { DERIVATION, nameOfRules, type OrderRules } from '../order/rules.ts';
import { type NumberedRules, readRules, SETTING, writeRules } from '../store/setting.ts';
import type { Store } from '../store/store.ts';

type Settings = Pick<Store, 'recall' | 'remember'>;

/** The rules that are stored; null where no service has started on this database yet. */
export const recallRules = async (store: Pick<Store, 'recall'>): Promise<NumberedRules | null> =>
  readRules(await store.recall(SETTING.rules));

/**
 * Puts the rules in force that a service starts with: others than those that are stored, or those of another
 * DERIVATION, get the next number, and every transaction from now on, of this process or another, derives by them.
 */
export const putRulesInForce = async (store: Settings, rules: OrderRules): Promise<NumberedRules> => {
  const stored = await recallRules(store);
  if (stored?.derivation === DERIVATION && nameOfRules(stored.rules) === nameOfRules(rules)) return stored;
  const next = { number: (stored?.number ?? 0) + 1, derivation: DERIVATION, rules };
  // Before the first order is derived by them: whoever goes back to the old ones has to know that some were.
  await store.remember(SETTING.derived, '');
  await store.remember(SETTING.rules, writeRules(next));
  return next;
};

/** A program is believed to be there for so long; it says so more than twice as often. */
const THERE_FOR_MS = 11 * 60_000;

/**
 * Whether this program's DERIVATION is in force, as that of the service that started last is. While another one is, and
 * a program is there whose it is, this one derives what it receives, and leaves it to that one to derive all again.
 */
export const keepInForce = async (store: Settings, now: Date): Promise<boolean> => {
  const stored = await recallRules(store);
  if (stored !== null && stored.derivation !== DERIVATION) {
    const at = Date.parse((await store.recall(SETTING.inForceAt)) ?? '');
    if (Math.abs(now.getTime() - at) < THERE_FOR_MS) return false;
    await putRulesInForce(store, stored.rules);
  }
  await store.remember(SETTING.inForceAt, now.toISOString());
  return true;
};

/** Whether every order was derived by these rules, by this program. */
export const isDerivedBy = async (store: Pick<Store, 'recall'>, rules: OrderRules): Promise<boolean> =>
  (await store.recall(SETTING.derived)) === nameOfRules(rules);

/** Notes that all is derived again from now on; returns what `rememberDerivedBy` is to take the place of. */
export const markUnderWay = async (store: Pick<Store, 'remember'>): Promise<string> => {
  const mark = `under way: ${randomUUID()}`;
  await store.remember(SETTING.derived, mark);
  return mark;
};

/** Every order is now; where `before` is given, unless something was derived in another way since that was noted. */
export const rememberDerivedBy = async (
  store: Pick<Store, 'remember'>,
  rules: OrderRules,
  before?: string,
): Promise<void> => await store.remember(SETTING.derived, nameOfRules(rules), before);

/** One of a client's public keys: `key` is its SubjectPublicKeyInfo in Base64. */
export interface ServiceKey {
  readonly version: string | null;
  readonly fingerprint: string;
  readonly key: string;
}

/** What commands need to speak for the service, whatever their own environment says; no secrets. */
export interface ServiceInForce {
  /** Of paynotify and of Node. */
  readonly version: string;
  readonly node: string;
  readonly startedAt: string;
  readonly clients: readonly { readonly clientId: string; readonly keys: readonly ServiceKey[] }[];
  readonly notifyPaths: readonly string[];
  readonly publicUris: readonly string[];
  /** By the names of the variables; of a secret only whether it is set. */
  readonly configuration: Readonly<Record<string, string>>;
}

export const storedClientsOf = (keys: KeyRing): ServiceInForce['clients'] =>
  [...keys].map(([clientId, own]) => ({
    clientId,
    keys: own.map(({ version, fingerprint, key }) => ({
      version,
      fingerprint,
      key: key.export({ format: 'der', type: 'spki' }).toString('base64'),
    })),
  }));

export const rememberService = async (store: Settings, service: ServiceInForce): Promise<void> =>
  await store.remember(SETTING.service, JSON.stringify(service));

/** What the service that started last has stored of itself; null where none has, or where somebody spoilt it. */
export const recallService = async (store: Pick<Store, 'recall'>): Promise<ServiceInForce | null> => {
  const stored = await store.recall(SETTING.service);
  try {
    // Written by `rememberService`.
    return stored === null ? null : (JSON.parse(stored) as ServiceInForce);
  } catch {
    return null;
  }
};

/** What the service verifies with. Throws a KeyError where somebody spoilt a key. */
export const trustOf = ({
  clients,
  publicUris,
  notifyPaths,
}: Pick<ServiceInForce, 'clients' | 'publicUris' | 'notifyPaths'>): DiagnosisTrust => ({
  keys: new Map(
    clients.map(({ clientId, keys }) => [
      clientId,
      keys.map(({ version, key }) => readKey(version === null ? key : `${version}:${key}`)),
    ]),
  ),
  publicUris,
  notifyPaths,
});
