import { z } from 'zod';
import { KINDS, OUTCOMES } from '../../order/reading.ts';
import type { FollowedNotifications, PageRequest, StoredNotification, Store } from '../../store/store.ts';
import type { RedriveResult, Redriving } from '../../upkeep/redrive.ts';
import { ok, pageAnswer } from './answer.ts';
import { clientAdvice, type ClientNeeds, clientMeant, unknownClient } from './clients.ts';
import { endpoint } from './endpoint.ts';
import { createFollowing, type FeedNeeds } from './feed.ts';
import { notFound, problem, type Refusal } from './problem.ts';
import { clientFilter, following, identifier, ofClient, oneOf, orNull, paging } from './query.ts';
import { notification, notificationInFull, redriven, redriveReport } from './shapes/notification.ts';
import { digest, pageOf } from './shapes/plain.ts';
import { wholeNotification } from './whole.ts';

const listing = z
  .strictObject({
    kind: orNull(oneOf(KINDS)),
    outcome: orNull(oneOf(OUTCOMES)),
    ...clientFilter,
    id: orNull(identifier),
    ...following,
    ...paging,
  })
  .refine(({ after, wait }) => after !== null || wait === null, { error: 'wait goes with after only' })
  .refine(({ after, outcome, id, cursor }) => after === null || (outcome ?? id ?? cursor) === null, {
    error: 'after goes with kind, clientId, limit and wait only',
  });

const ofOutcome = z.strictObject({ outcome: orNull(oneOf(OUTCOMES)) });

interface RedriveNeeds extends ClientNeeds {
  readonly redriving: (store: Store) => Redriving;
}

interface NotificationNeeds extends ClientNeeds {
  /** Null where its bytes are gone. */
  readonly verifiesNow: (stored: StoredNotification) => boolean | null;
}

const ID = {
  means: 'The id of a notification: SHA-256 of its body, in lower-case hex.',
  schema: digest,
  otherwise: notFound('notification'),
};

export const listNotifications = endpoint({
  method: 'get',
  path: '/api/notifications',
  name: 'listNotifications',
  tag: 'Notifications',
  summary: 'List notifications, or follow them',
  description:
    'Newest first. `id` is any identifier that a notification states. With `after`, which goes with `kind`, `clientId`, `limit` and `wait` alone, the feed of notifications, for kinds that have no order: each once, in the order in which they were stored, oldest first; `next` is then always given, and may advance on an empty page. A cursor of another generation of the database is 410: start again at `after=0`, and act once per `clientId` and `id`.',
  id: null,
  query: listing,
  body: null,
  responses: { 200: { means: 'A page of notifications.', body: pageOf('NotificationPage', notification) } },
  problems: ['CURSOR_OUTDATED', 'UNKNOWN_CLIENT'],
  answer: ({ store, clientIds, feedWatch }: ClientNeeds & FeedNeeds) => {
    const follow = createFollowing(feedWatch, {
      feed: 'notifications',
      read: async (page: PageRequest & FollowedNotifications) => await store().followNotifications(page),
    });
    return async ({ query: { after, wait, limit, cursor, ...filter }, gone }) =>
      (await unknownClient(filter.clientId, { store, clientIds })) ??
      (after === null
        ? await pageAnswer({ limit, cursor }, (page) => store().listNotifications(filter, page))
        : await follow({ page: { limit, cursor: after, clientId: filter.clientId, kind: filter.kind }, wait, gone }));
  },
});

export const findNotification = endpoint({
  method: 'get',
  path: '/api/notifications/:id',
  name: 'findNotification',
  tag: 'Notifications',
  summary: 'Read one notification',
  description: 'With its headers and the very bytes of its body, and whether it verifies now.',
  id: ID,
  query: ofClient,
  body: null,
  responses: { 200: { means: 'The notification.', body: notificationInFull } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND'],
  answer:
    ({ store, clientIds, verifiesNow }: NotificationNeeds) =>
    async ({ id, query }) => {
      const clientId = clientMeant(query.clientId, clientIds, 'query');
      if (typeof clientId !== 'string') return clientId;
      const stored = await store().findNotification({ clientId, id });
      return stored === null
        ? await noSuchNotification(query.clientId, { store, clientIds })
        : ok(wholeNotification(stored, verifiesNow(stored)));
    },
});

const noSuchNotification = async (named: string | null, needs: ClientNeeds): Promise<Refusal<'NOT_FOUND'>> =>
  notFound('notification', ...(await clientAdvice(named, needs)));

export const redriveOne = endpoint({
  method: 'post',
  path: '/api/notifications/:id/redrive',
  name: 'redriveNotification',
  tag: 'Notifications',
  summary: 'Read one notification again and apply it',
  description: 'Never blocked by having been seen.',
  id: ID,
  query: ofClient,
  body: null,
  responses: { 200: { means: 'What became of it.', body: redriven } },
  problems: ['CLIENT_REQUIRED', 'NOT_FOUND', 'NOTIFICATION_HELD', 'NOTIFICATION_WITHOUT_BYTES'],
  answer:
    ({ store, clientIds, redriving }: RedriveNeeds) =>
    async ({ id, query }) => {
      const clientId = clientMeant(query.clientId, clientIds, 'query');
      if (typeof clientId !== 'string') return clientId;
      const result = await redriving(store()).redriveOne({ clientId, id });
      if (result.kind === 'not found') return await noSuchNotification(query.clientId, { store, clientIds });
      return result.kind === 'redriven' ? ok({ outcome: result.outcome }) : NOT_REDRIVEN[result.kind];
    },
});

const NOT_REDRIVEN = {
  held: problem('NOTIFICATION_HELD', 'Another replica applies this notification at this moment: try again.'),
  'without bytes': problem(
    'NOTIFICATION_WITHOUT_BYTES',
    'The bytes of this notification have been removed: it cannot be applied again.',
  ),
} as const satisfies Readonly<Record<Exclude<RedriveResult['kind'], 'redriven' | 'not found'>, object>>;

export const redriveAll = endpoint({
  method: 'post',
  path: '/api/redrive',
  name: 'redriveNotifications',
  tag: 'Notifications',
  summary: 'Read all notifications of an outcome again and apply them',
  description: 'All notifications where no outcome is given. Oldest first, in short transactions.',
  id: null,
  query: ofOutcome,
  body: null,
  responses: { 200: { means: 'How many ended with each outcome.', body: redriveReport } },
  problems: [],
  answer:
    ({ store, redriving }: RedriveNeeds) =>
    async ({ query }) =>
      ok(await redriving(store()).redriveAll(query.outcome)),
});
