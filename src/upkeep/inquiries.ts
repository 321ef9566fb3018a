import { isoOrNull } from '../order/time.ts';
import { type AllHeldBack, type HeldBack, type InquiryBacklog, recallHeldBack, type Store } from '../store/store.ts';

/** Of one client: what is to be asked of APO. Times are ISO. */
export interface InquiryLag extends Pick<InquiryBacklog, 'clientId' | 'due' | 'planned' | 'stopped'> {
  /** Since when the one is due that is due longest; null for none. */
  readonly dueSince: string | null;
  /** When the next one is due of those that are not yet. */
  readonly nextAt: string | null;
  /** APO's API does not answer; null where it does. */
  readonly heldBack: HeldBack | null;
}

const nothingOf = (clientId: string): InquiryBacklog => ({
  clientId,
  due: 0,
  dueSince: null,
  planned: 0,
  nextAt: null,
  stopped: 0,
});

/** Of every client of whom something is planned or held back, sorted. `now` is epoch milliseconds. */
export const readInquiryLags = async (
  store: Pick<Store, 'inquiryBacklog' | 'recall'>,
  now: number,
): Promise<readonly InquiryLag[]> => {
  const held = await recallHeldBack(store);
  const backlogs = await store.inquiryBacklog(now);
  const others = Object.keys(held).filter((clientId) => backlogs.every((one) => one.clientId !== clientId));
  return [...backlogs, ...others.map(nothingOf)]
    .map((one) => toLag(one, held))
    .toSorted((a, b) => (a.clientId < b.clientId ? -1 : 1));
};

const toLag = ({ dueSince, nextAt, ...counts }: InquiryBacklog, held: AllHeldBack): InquiryLag => ({
  ...counts,
  dueSince: isoOrNull(dueSince),
  nextAt: isoOrNull(nextAt),
  heldBack: Object.hasOwn(held, counts.clientId) ? (held[counts.clientId] ?? null) : null,
});
