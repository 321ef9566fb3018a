import type { OrderRules } from '../order/order.ts';
import { derivationName } from '../store/projection.ts';
import type { Store } from '../store/store.ts';
import {
  type Fingerprint,
  type Kind,
  KINDS,
  openFingerprint,
  type TransferSource,
  type TransferTarget,
} from '../store/transfer.ts';
import { rebuildOrders } from './rebuild.ts';

/** Few enough that they fit into memory where each is as large as BODY_LIMIT allows. */
const AT_ONCE = 250;

/** The target's settings: how far the copy has come, and that a service has been started there since it began. */
const PROGRESS = 'copy';
const IN_USE = 'copy in use';

/** The target is not one that this copy may write to; the message is one sentence for the person who asked. */
export class CopyRefusedError extends Error {
  override readonly name = 'CopyRefusedError';
}

export interface CopyProgress {
  readonly step: 'copying' | 'verifying';
  readonly kind: Kind;
  /** Rows. */
  readonly done: number;
  readonly total: number;
}

export interface CopyOptions {
  readonly source: TransferSource;
  readonly target: TransferTarget;
  /** By which orders are derived at the target. */
  readonly rules: OrderRules;
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface KindReport {
  readonly source: Fingerprint;
  readonly target: Fingerprint;
  readonly equal: boolean;
}

export interface CopyReport {
  readonly source: string;
  readonly target: string;
  /** It went on where an earlier one was interrupted. */
  readonly resumed: boolean;
  /** A service has been started on the target since: it may hold more than the source. */
  readonly inUse: boolean;
  readonly kinds: Readonly<Record<Kind, KindReport>>;
  /** All that is in the source is in the target and, unless that is in use, nothing else. */
  readonly complete: boolean;
}

/** How far a copy has come. `kind` is null once a whole pass has ended. */
interface State {
  readonly source: string;
  readonly kind: Kind | null;
  readonly cursor: string | null;
  readonly done: number;
}

/**
 * Copies one database into another, verified. What was interrupted goes on where it was; what has ended begins again
 * and picks up what came since. Nothing that is at the target already goes back or away, but for unverified requests
 * that are gone at the source; and not even those once a service works there, since it stores its own.
 */
export const copyStore = async (options: CopyOptions): Promise<CopyReport> => {
  const { source, target, rules } = options;
  const { state, resumed } = await begin(options);
  const inUse = (await target.recall(IN_USE)) !== null;
  await runPass(options, state, inUse);
  await target.remember('derivation', derivationName(rules));
  // A target in use differs from its source. That it lacks nothing shows in a pass that finds nothing to bring.
  const lacking = inUse ? await runPass(options, startOf(source.name), inUse) : 0;
  const kinds = await verifyAll(options);
  const complete = inUse ? lacking === 0 : KINDS.every((kind) => kinds[kind].equal);
  return { source: source.name, target: target.name, resumed, inUse, kinds, complete };
};

const startOf = (source: string, kind: Kind | null = KINDS[0]): State => ({ source, kind, cursor: null, done: 0 });

const begin = async ({
  source,
  target,
}: CopyOptions): Promise<{ readonly state: State; readonly resumed: boolean }> => {
  if (source.name === target.name) throw new CopyRefusedError('the source and the target are the same database');
  const stored = await target.recall(PROGRESS);
  if (stored === null) {
    await assertEmpty(target);
    const state = startOf(source.name);
    await target.remember(PROGRESS, JSON.stringify(state));
    return { state, resumed: false };
  }
  const state = JSON.parse(stored) as State;
  if (state.source !== source.name)
    throw new CopyRefusedError(
      `the target holds a copy of ${state.source}, not of ${source.name}: choose an empty database`,
    );
  return state.kind === null ? { state: startOf(source.name), resumed: false } : { state, resumed: true };
};

const assertEmpty = async (target: TransferTarget): Promise<void> => {
  for (const kind of KINDS) {
    if ((await target.count(kind)) > 0)
      throw new CopyRefusedError(`the target holds ${kind} that are not from this copy: choose an empty database`);
  }
};

/** Copies every kind from there on; returns how many rows the target had not. */
const runPass = async (options: CopyOptions, from: State, inUse: boolean): Promise<number> => {
  const { source, target } = options;
  const kinds = KINDS.slice(from.kind === null ? KINDS.length : KINDS.indexOf(from.kind));
  let added = 0;
  for (const kind of kinds) {
    const state = kind === from.kind ? from : startOf(source.name, kind);
    if (kind === 'unverified' && state.cursor === null && !inUse) await target.clearUnverified();
    added += await copyKind(options, kind, state);
  }
  // An order that is gone at the source, or one that should be at neither, is seen by its number.
  if ((await source.count('orders')) !== (await target.count('orders'))) await rebuildOrders(target);
  return added;
};

const copyKind = async <K extends Kind>(
  { source, target, onProgress }: CopyOptions,
  kind: K,
  from: State,
): Promise<number> => {
  const total = await source.count(kind);
  const following = startOf(source.name, KINDS[KINDS.indexOf(kind) + 1] ?? null);
  let { cursor, done } = from;
  let added = 0;
  do {
    const page = await source.exportRows(kind, { limit: AT_ONCE, cursor });
    ({ next: cursor } = page);
    done += page.items.length;
    const state: State = cursor === null ? following : { source: source.name, kind, cursor, done };
    added += await target.importRows(kind, page.items, { name: PROGRESS, value: JSON.stringify(state) });
    onProgress?.({ step: 'copying', kind, done, total });
  } while (cursor !== null);
  return added;
};

const verifyAll = async (options: CopyOptions): Promise<CopyReport['kinds']> => {
  const { source, rules } = options;
  // Orders that were derived by other rules differ in their digests, and rightly so: then their keys and times have to do.
  const sameRules = (await source.recall('derivation')) === derivationName(rules);
  const reports = new Map<Kind, KindReport>();
  for (const kind of KINDS) reports.set(kind, await verifyKind(options, kind, sameRules));
  return Object.fromEntries(reports) as Record<Kind, KindReport>;
};

const verifyKind = async <K extends Kind>(
  { source, target, onProgress }: CopyOptions,
  kind: K,
  sameRules: boolean,
): Promise<KindReport> => {
  const total = (await source.count(kind)) + (await target.count(kind));
  let done = 0;
  const read = async (side: TransferSource): Promise<Fingerprint> => {
    const fingerprint = openFingerprint(kind);
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: Awaited<ReturnType<typeof side.exportRows<K>>> = await side.exportRows(kind, {
        limit: AT_ONCE,
        cursor,
      });
      for (const row of page.items) fingerprint.add('orderKey' in row && !sameRules ? { ...row, digest: '' } : row);
      done += page.items.length;
      onProgress?.({ step: 'verifying', kind, done, total });
      cursor = page.next;
    }
    return fingerprint.total();
  };
  const [ofSource, ofTarget] = await Promise.all([read(source), read(target)]);
  return {
    source: ofSource,
    target: ofTarget,
    equal: ofSource.count === ofTarget.count && ofSource.digest === ofTarget.digest,
  };
};

/**
 * A service starts on this database: if that is the target of a copy, the copy must know. Returns whether it has not
 * ended yet, so that orders may lack what is still to come.
 */
export const noteInUse = async (store: Pick<Store, 'recall' | 'remember'>): Promise<boolean> => {
  const stored = await store.recall(PROGRESS);
  if (stored === null) return false;
  await store.remember(IN_USE, 'true');
  return (JSON.parse(stored) as State).kind !== null;
};
