import { SETTING } from '../store/setting.ts';
import type { Store } from '../store/store.ts';

/** What the service has seen lately, of all replicas: what somebody asks for who misses a notification. */
export interface SeenLately {
  /** When a notification verified last; null where that is not known. UTC, ISO 8601. */
  readonly verifiedAt: string | null;
  /** POSTs with APO's signature header to paths that take no notifications; null for none. */
  readonly misdirected: Misdirected | null;
}

export interface Misdirected {
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** The last one's, escaped and cut off. */
  readonly path: string;
  /** The paths that took notifications then. */
  readonly configured: readonly string[];
}

/** What the public listener tells; it costs nothing but memory. */
export interface Sightings {
  readonly verified: () => void;
  /** `path` is shown as it is given. */
  readonly misdirected: (path: string) => void;
  /** From now on what was seen is written down, at most once a minute. */
  readonly keep: (
    store: Pick<Store, 'recall' | 'remember' | 'exclusively'>,
    onFailed: (error: unknown) => void,
  ) => void;
  /** Writes down what is not yet, and nothing more. */
  readonly stop: () => Promise<void>;
}

const WRITTEN_EVERY_MS = 60_000;

const NOTHING: SeenLately = { verifiedAt: null, misdirected: null };

export const createSightings = (configured: readonly string[]): Sightings => {
  let seen = NOTHING;
  let verifiedAt = 0;
  let keeping: Parameters<Sightings['keep']> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let underWay = Promise.resolve();
  let isStopping = false;

  const write = async (): Promise<void> => {
    if (keeping === null) return;
    const [store, onFailed] = keeping;
    const news = verifiedAt === 0 ? seen : { ...seen, verifiedAt: new Date(verifiedAt).toISOString() };
    seen = NOTHING;
    verifiedAt = 0;
    writtenAt = performance.now();
    const isWritten = await add(store, news).catch((error: unknown) => {
      // A store that cannot be written when it is closed says so itself.
      if (!isStopping) onFailed(error);
      return false;
    });
    if (isWritten || isStopping) return;
    seen = together(news, seen);
    writeAfter(WRITTEN_EVERY_MS);
  };
  const writeSoon = (): void => {
    timer = null;
    underWay = underWay.then(write);
  };
  const writeAfter = (milliseconds: number): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(writeSoon, milliseconds).unref();
  };

  return {
    verified: () => {
      verifiedAt = Date.now();
      if (timer === null && keeping !== null) writeAfter(WRITTEN_EVERY_MS);
    },
    misdirected: (path) => {
      const at = new Date().toISOString();
      const isFirst = seen.misdirected === null;
      seen = together(seen, {
        verifiedAt: null,
        misdirected: { count: 1, firstAt: at, lastAt: at, path, configured },
      });
      // Somebody may be looking for it at this moment.
      if (isFirst && keeping !== null) writeAfter(Math.max(0, writtenAt + WRITTEN_EVERY_MS - performance.now()));
    },
    keep: (...values) => {
      keeping = values;
      if (seen.misdirected !== null) writeAfter(0);
    },
    stop: async () => {
      isStopping = true;
      if (timer !== null) clearTimeout(timer);
      await underWay;
      if (seen.misdirected !== null) await write();
      keeping = null;
    },
  };
};

/** Adds to what is written down; false where another replica is at it. */
const add = async (store: Parameters<Sightings['keep']>[0], news: SeenLately): Promise<boolean> => {
  const write = async (): Promise<true> => {
    await store.remember(SETTING.seen, JSON.stringify(together(await recallSeen(store), news)));
    return true;
  };
  return (await store.exclusively('seen', write)) ?? false;
};

/** Two of them, the later one second. */
const together = (a: SeenLately, b: SeenLately): SeenLately => ({
  verifiedAt:
    [a.verifiedAt, b.verifiedAt]
      .filter((at) => at !== null)
      .toSorted()
      .at(-1) ?? null,
  misdirected:
    a.misdirected === null || b.misdirected === null
      ? (a.misdirected ?? b.misdirected)
      : { ...b.misdirected, firstAt: a.misdirected.firstAt, count: a.misdirected.count + b.misdirected.count },
});

/** What all replicas have seen, as it was written down. */
export const recallSeen = async (store: Pick<Store, 'recall'>): Promise<SeenLately> => {
  const text = await store.recall(SETTING.seen);
  // Written by `createSightings`.
  return text === null ? NOTHING : (JSON.parse(text) as SeenLately);
};
