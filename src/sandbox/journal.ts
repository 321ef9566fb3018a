/** One thing that the sandbox sent or answered. */
export interface JournalEntry {
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** `notification`: the sandbox sent it. `call`: the merchant made it. */
  readonly what: 'notification' | 'call';
  /** A notification's type and result, or a call's operation. */
  readonly name: string;
  /** The identifiers that it is about. */
  readonly ids: string;
  /** What was sent: a notification's body, or the answer to a call. */
  readonly sent: string;
  /** What was answered to a notification; null of a call. */
  readonly answer: string | null;
  /** What came of it, in few words. */
  readonly outcome: string;
  readonly isFine: boolean;
}

export interface Journal {
  readonly add: (entry: JournalEntry) => void;
  /** The newest first. */
  readonly entries: () => readonly JournalEntry[];
}

const KEPT = 500;

/** Keeps the last few hundred. */
export const createJournal = (): Journal => {
  const entries: JournalEntry[] = [];
  return {
    add: (entry) => {
      entries.push(entry);
      if (entries.length > KEPT) entries.shift();
    },
    entries: () => entries.toReversed(),
  };
};
