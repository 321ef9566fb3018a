import type { Store, UnverifiedCount } from '../store/store.ts';
import { type Misdirected, recallSeen } from '../upkeep/sightings.ts';
import { counted, utc } from './readable.ts';

/** What the service has seen, whatever it was about. */
export interface Lately {
  /** When a notification verified last; null for never. UTC, ISO 8601. */
  readonly verifiedAt: string | null;
  readonly unverified: readonly UnverifiedCount[];
  readonly misdirected: Misdirected | null;
  /** The clients that anything is stored of. */
  readonly clients: readonly string[];
}

export const seenLately = async (store: Store): Promise<Lately> => {
  const [seen, stored, unverified, clients] = await Promise.all([
    recallSeen(store),
    store.lastVerifiedAt(),
    store.countUnverified(),
    store.clientIds(),
  ]);
  const known = [stored, seen.verifiedAt].filter((at) => at !== null);
  return { verifiedAt: known.toSorted().at(-1) ?? null, unverified, misdirected: seen.misdirected, clients };
};

/** Whose ids were looked for, and whether an unverified request holds this one. */
export interface Sought {
  /** Null for all clients. */
  readonly client: string | null;
  /** Other clients that have it. */
  readonly elsewhere: readonly string[];
  readonly isInUnverified: boolean;
  /** Null where unverified requests were searched. */
  readonly notSearched: string | null;
  /** By which APO says what became of it. */
  readonly inquiry: 'inquiryPayment' | 'inquiryRefund';
}

/**
 * What it can mean that no notification names an id, in sentences, each with what was seen. Of what came and failed
 * verification there is nothing to guess.
 */
export const meaningsOf = (lately: Lately, sought: Sought): readonly string[] => [
  ...wrongClient(lately, sought),
  ...(sought.isInUnverified ? [] : [neverSent(lately, sought), anotherUrl(lately), unverified(lately, sought)]),
];

const neverSent = ({ verifiedAt }: Lately, { inquiry }: Sought): string =>
  verifiedAt === null
    ? 'Never sent: no notification has ever verified here, so look at the URL, the client id and the key first.'
    : `Never sent: other notifications verify, the last at ${utc(verifiedAt)} UTC. Ask APO what became of this one (${inquiry}, or APO's dashboard).`;

const anotherUrl = ({ misdirected }: Lately): string => {
  if (misdirected === null)
    return 'Another URL: no POST with a signature came to an unknown path. One to another host never reaches this service: compare the URL in the dashboard.';
  const { count, lastAt, path, configured } = misdirected;
  return `Another URL: ${counted(count, 'POST')} with a signature came to paths that take no notifications, the last at ${utc(lastAt)} UTC to ${path}, while ${configured.join(', ')} was configured. Add the path to NOTIFY_PATHS, or correct the URL in the dashboard; where a balancer changes the path, set PUBLIC_NOTIFY_URL as well.`;
};

const unverified = ({ unverified: counts }: Lately, { notSearched }: Sought): string => {
  if (counts.length === 0) return 'Unverified: no stored request failed verification.';
  const named = counts.map(
    ({ reason, diagnosis, count, lastReceivedAt }) =>
      `${count} ${diagnosis ?? reason}, the last at ${utc(lastReceivedAt)} UTC`,
  );
  return `Unverified: ${named.join('; ')}. ${notSearched ?? 'None of them holds the id.'} \`paynotify unverified\` lists them.`;
};

const wrongClient = ({ clients }: Lately, { client, elsewhere }: Sought): readonly string[] => {
  if (elsewhere.length > 0)
    return [`Wrong client: it is known of ${elsewhere.join(', ')}: say --client ${elsewhere[0]}.`];
  if (clients.length === 0) return ['Nothing is stored yet, of any client.'];
  return client !== null && !clients.includes(client)
    ? [`Wrong client: nothing is stored of ${client}, only of ${clients.join(', ')}.`]
    : [];
};
