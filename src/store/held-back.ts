import { SETTING } from './setting.ts';

/** Inquiries of a client that are held back, because APO's API does not answer them. Times are ISO. */
export interface HeldBack {
  readonly since: string;
  /** Then one of them is tried. */
  readonly until: string;
  /** APO's code, or why there is none. */
  readonly code: string;
}

/** Of a store. */
interface Settings {
  readonly recall: (name: string) => Promise<string | null>;
  readonly remember: (name: string, value: string) => Promise<void>;
}

/** By client. */
export type AllHeldBack = Readonly<Record<string, HeldBack>>;

/** As the service that told last sees it; of a process that commands do not share. */
export const recallHeldBack = async (store: Pick<Settings, 'recall'>): Promise<AllHeldBack> => {
  const text = await store.recall(SETTING.heldBack);
  return text === null ? {} : (JSON.parse(text) as AllHeldBack);
};

/** Tells what one client's inquiries have come to; null where they are made. Nothing is written where it is known. */
export const rememberHeldBack = async (store: Settings, clientId: string, held: HeldBack | null): Promise<void> => {
  const { [clientId]: before = null, ...others } = await recallHeldBack(store);
  if (held === null && before === null) return;
  const after = held === null ? others : { ...others, [clientId]: held };
  await store.remember(SETTING.heldBack, JSON.stringify(after));
};
