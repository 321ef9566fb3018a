import { hash } from 'node:crypto';
import { DERIVATION } from '../order/rules.ts';
import { SETTING, writeRules } from '../store/setting.ts';
import {
  ANY_NOTIFICATION,
  COPIED,
  type Copied,
  type Page,
  type PageRequest,
  pagesOf,
  type Store,
} from '../store/store.ts';
import { copyCallbacks, copyRevisions } from './copy-callbacks.ts';
import { markUnderWay, recallRules, rememberDerivedBy } from './in-force.ts';

/** Few enough that they fit into memory where each is as large as BODY_LIMIT allows. */
const AT_ONCE = 250;

export interface CopyProgress {
  readonly step: 'copying' | 'verifying';
  readonly what: Copied;
  /** Rows. */
  readonly done: number;
  readonly total: number;
}

export interface CopyOptions {
  readonly source: Store;
  readonly target: Store;
  /** Adds to what the target holds of its own, and leaves no trace of a copy in it. */
  readonly merge?: boolean;
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** How many rows, and what they say: equal digests mean equal rows, in whichever order they came. */
export interface Fingerprint {
  readonly count: number;
  /** Lower-case hex. */
  readonly digest: string;
}

export interface CopiedReport {
  readonly source: Fingerprint;
  readonly target: Fingerprint;
  readonly equal: boolean;
}

export interface CopyReport {
  readonly source: string;
  readonly target: string;
  /** It went on where an earlier one was interrupted. */
  readonly resumed: boolean;
  /** A service has been started on the target: it may hold more than the source. */
  readonly inUse: boolean;
  readonly copied: Readonly<Record<Copied, CopiedReport>>;
  /** All that is in the source is in the target and, unless that is in use, nothing else. */
  readonly complete: boolean;
}

/** For a sentence: `shop statements`. */
export const nameOf = (what: Copied): string => what.replace('_', ' ');

/** How far a copy has come. */
interface State {
  readonly source: string;
  readonly what: Copied;
  readonly cursor: string | null;
  readonly done: number;
}

/** As the target keeps it: `what` is null once a whole pass has ended. */
type Kept = State | (Omit<State, 'what'> & { readonly what: null });

/** What goes over at a time, and what takes it in. */
interface Transfer {
  readonly page: Page<object>;
  /** Returns how many rows were not there. */
  readonly importInto: (target: Store, merge: boolean) => Promise<number>;
}

const readPage = async (store: Store, what: Copied, request: PageRequest): Promise<Transfer> => {
  switch (what) {
    case 'moves': {
      const page = await store.readMoves(request);
      return { page, importInto: async (target) => await target.importMoves(page.items, new Date()) };
    }
    case 'notifications': {
      const page = await store.readNotifications(ANY_NOTIFICATION, request);
      return {
        page,
        importInto: async (target, merge) => await target.importNotifications(page.items, { merge, now: new Date() }),
      };
    }
    case 'shop_statements': {
      const page = await store.readShopStatements(request);
      return { page, importInto: async (target) => await target.importShopStatements(page.items, new Date()) };
    }
    case 'unverified': {
      const page = await store.readUnverified(request);
      // The diagnosis is made at the target, by its keys.
      const items = page.items.map(({ diagnosis: _diagnosis, ...row }) => row);
      return {
        page: { ...page, items },
        importInto: async (target, merge) => await target.importUnverified(page.items, merge),
      };
    }
  }
};

/**
 * Copies one database into another, verified; orders are derived where they arrive. What was interrupted goes on where
 * it was; what has ended begins again and picks up what came since. Nothing that is at the target already goes back or
 * away, but for unverified requests that are gone at the source; and not even those once a service works there, since
 * it stores its own.
 */
export const copyStore = async (options: CopyOptions): Promise<CopyReport> => {
  const { source, target } = options;
  if (options.merge === true) return await mergeStore(options);
  const { state, resumed } = await begin(options);
  // A service sees to its own orders.
  const mark = (await isInUse(target)) ? null : await markUnderWay(target);
  await copyCallbacks(source, target);
  await runPass(options, state);
  const inForce = await recallRules(target);
  if (mark !== null && inForce?.derivation === DERIVATION) await rememberDerivedBy(target, inForce.rules, mark);
  const copied = await verifyAll(options);
  const inUse = await isInUse(target);
  // A target in use differs from its source. That it lacks nothing shows in a pass that finds nothing to bring.
  const complete = inUse
    ? (await runPass(options, startOf(source.name))) === 0
    : COPIED.every((what) => copied[what].equal);
  await copyRevisions(source, target);
  return { source: source.name, target: target.name, resumed, inUse, copied, complete };
};

const isInUse = async (target: Store): Promise<boolean> => (await target.recall(SETTING.copyInUse)) !== null;

/** The target holds more than the source, so what counts is that it lacks nothing. */
const mergeStore = async (options: CopyOptions): Promise<CopyReport> => {
  const { source, target } = options;
  assertTwo(options);
  await copyCallbacks(source, target);
  await runPass(options, startOf(source.name));
  const lacking = await runPass(options, startOf(source.name));
  await copyRevisions(source, target);
  const copied = await verifyAll(options);
  return { source: source.name, target: target.name, resumed: false, inUse: true, copied, complete: lacking === 0 };
};

const startOf = (source: string, what: Copied = COPIED[0]): State => ({ source, what, cursor: null, done: 0 });

const begin = async ({
  source,
  target,
}: Pick<CopyOptions, 'source' | 'target'>): Promise<{ readonly state: State; readonly resumed: boolean }> => {
  assertTwo({ source, target });
  const stored = await target.recall(SETTING.copy);
  if (stored === null) {
    await assertEmpty(target);
    const state = startOf(source.name);
    await takeRules({ source, target });
    await target.remember(SETTING.copy, JSON.stringify(state));
    return { state, resumed: false };
  }
  const state = JSON.parse(stored) as Kept;
  if (state.source !== source.name) {
    throw new Error(`the target holds a copy of ${state.source}, not of ${source.name}: choose an empty database`);
  }
  return state.what === null ? { state: startOf(source.name), resumed: false } : { state, resumed: true };
};

/** The orders at the target are to say what they say at the source, until a service starts there. */
const takeRules = async ({ source, target }: Pick<CopyOptions, 'source' | 'target'>): Promise<void> => {
  const inForce = await recallRules(source);
  if (inForce !== null && (await recallRules(target)) === null)
    await target.remember(SETTING.rules, writeRules({ ...inForce, derivation: DERIVATION }));
};

const assertTwo = ({ source, target }: Pick<CopyOptions, 'source' | 'target'>): void => {
  if (source.name === target.name) throw new Error('the source and the target are the same database');
};

const assertEmpty = async (target: Store): Promise<void> => {
  for (const what of COPIED) {
    if ((await target.count(what)) > 0) {
      throw new Error(`the target holds ${nameOf(what)} that are not from this copy: choose an empty database`);
    }
  }
};

/** Copies everything from there on; returns how many rows the target had not. */
const runPass = async (options: CopyOptions, from: State): Promise<number> => {
  const { source, target, merge } = options;
  let added = 0;
  for (const what of COPIED.slice(COPIED.indexOf(from.what))) {
    const state = what === from.what ? from : startOf(source.name, what);
    if (what === 'unverified' && state.cursor === null && merge !== true)
      await target.purgeUnverified(null, { before: null, signed: true, unlessInUse: true });
    added += await copyRows(options, what, state);
  }
  return added;
};

const copyRows = async (
  { source, target, merge = false, onProgress }: CopyOptions,
  what: Copied,
  from: State,
): Promise<number> => {
  const total = await source.count(what);
  const following: Kept = { ...startOf(source.name), what: COPIED[COPIED.indexOf(what) + 1] ?? null };
  let { cursor, done } = from;
  let added = 0;
  do {
    const { page, importInto } = await readPage(source, what, { limit: AT_ONCE, cursor });
    ({ next: cursor } = page);
    done += page.items.length;
    added += await importInto(target, merge);
    // Taking rows in twice changes nothing: a crash before this line only brings the page again.
    const state: Kept = cursor === null ? following : { source: source.name, what, cursor, done };
    if (!merge) await target.remember(SETTING.copy, JSON.stringify(state));
    onProgress?.({ step: 'copying', what, done, total });
  } while (cursor !== null);
  return added;
};

const verifyAll = async (options: CopyOptions): Promise<CopyReport['copied']> => {
  const reports = new Map<Copied, CopiedReport>();
  for (const what of COPIED) reports.set(what, await verify(options, what));
  return Object.fromEntries(reports) as Record<Copied, CopiedReport>;
};

const verify = async ({ source, target, onProgress }: CopyOptions, what: Copied): Promise<CopiedReport> => {
  const total = (await source.count(what)) + (await target.count(what));
  let done = 0;
  const fingerprintOf = async (store: Store): Promise<Fingerprint> => {
    const fingerprint = createFingerprint();
    const pages = pagesOf(async (page) => (await readPage(store, what, page)).page, AT_ONCE);
    for await (const items of pages) {
      for (const row of items) fingerprint.add(row);
      done += items.length;
      onProgress?.({ step: 'verifying', what, done, total });
    }
    return fingerprint.total();
  };
  const [ofSource, ofTarget] = await Promise.all([fingerprintOf(source), fingerprintOf(target)]);
  const equal = ofSource.count === ofTarget.count && ofSource.digest === ofTarget.digest;
  return { source: ofSource, target: ofTarget, equal };
};

/** Adds up the digests of rows, so that the order in which they come does not matter. */
const createFingerprint = () => {
  let count = 0;
  let sum = 0n;
  return {
    add: (row: object): void => {
      count += 1;
      sum = BigInt.asUintN(256, sum + BigInt(`0x${hash('sha256', JSON.stringify(canonical(row)), 'hex')}`));
    },
    total: (): Fingerprint => ({ count, digest: sum.toString(16).padStart(64, '0') }),
  };
};

/** Names in one order, bytes as Base64: the same row is the same text whichever database it comes from. */
const canonical = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(canonical);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, canonical(member)]));
};

/**
 * A service starts on this database: from now on no copy into it takes anything away. Returns whether one has not ended
 * yet, so that orders may lack what is still to come.
 */
export const noteInUse = async (store: Pick<Store, 'recall' | 'remember'>): Promise<boolean> => {
  await store.remember(SETTING.copyInUse, 'true');
  const stored = await store.recall(SETTING.copy);
  return stored !== null && (JSON.parse(stored) as Kept).what !== null;
};
