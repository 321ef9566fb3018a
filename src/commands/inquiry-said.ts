import type { ShownInquiry } from '../http/admin/timeline-shown.ts';
import { readWhy, WHY } from '../reconcile/due.ts';
import { utc } from './readable.ts';

/** What was asked of APO, and when it is asked again, in sentences. `id` is one to ask by. */
export const inquirySaid = (inquiry: ShownInquiry | null, id: string, now: string): readonly string[] => {
  if (inquiry === null) return [];
  const { askedAt, outcome, nextAt } = inquiry;
  const asked = askedAt === null ? [] : [`APO was asked at ${utc(askedAt)} UTC (${outcome ?? ''}).`];
  return [...asked, nextAt === null ? stoppedSaid(outcome, id) : nextSaid(inquiry, nextAt, now)];
};

const nextSaid = ({ why, askedAt }: ShownInquiry, nextAt: string, now: string): string => {
  const reason = WHY[readWhy(why)];
  if (nextAt <= now) return `It is to be asked since ${utc(nextAt)} UTC: ${reason}.`;
  return `It is asked ${askedAt === null ? 'first' : 'again'} at ${utc(nextAt)} UTC: ${reason}.`;
};

const stoppedSaid = (outcome: string | null, id: string): string => {
  const byHand = `\`paynotify reconcile ${id}\` asks once more.`;
  if (outcome === 'FAILED ORDER_NOT_EXIST')
    return `It is not asked again by itself: the payment was never placed. Register \`cancelled: true\` if nobody will pay any more; ${byHand}`;
  if (outcome?.startsWith('FAILED') === true)
    return `It is not asked again by itself: APO refuses to answer. Ask APO's support why; ${byHand}`;
  return `It is not asked again until the order changes; ${byHand}`;
};
