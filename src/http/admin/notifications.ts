import { z } from 'zod';
import { KINDS, OUTCOMES } from '../../order/reading.ts';
import type { NotificationKey, Store, StoredNotification } from '../../store/store.ts';
import type { RedriveResult, Redriving } from '../../upkeep/redrive.ts';
import type { Reply } from '../reply.ts';
import { type ClientIds, clientMeant, clientRequired } from './clients.ts';
import { type Endpoint, endpoint, type EndpointRequest, ok } from './endpoint.ts';
import { notFound, problem } from './problem.ts';
import { clientFilter, pageReply, identifier, isDigest, ofClient, oneOf, orNull, paging } from './query.ts';
import { wholeNotification } from './whole.ts';

const listing = z.strictObject({
  kind: orNull(oneOf(KINDS)),
  outcome: orNull(oneOf(OUTCOMES)),
  ...clientFilter,
  id: orNull(identifier),
  ...paging,
});

const ofOutcome = z.strictObject({ outcome: orNull(oneOf(OUTCOMES)) });

export interface NotificationNeeds {
  readonly store: () => Store;
  readonly clientIds: ClientIds;
  readonly redriving: (store: Store) => Redriving;
  /** Null where its bytes are gone. */
  readonly verifiesNow: (stored: StoredNotification) => boolean | null;
}

export interface NotificationEndpoints {
  readonly list: Endpoint;
  readonly find: Endpoint;
  readonly redriveOne: Endpoint;
  readonly redriveAll: Endpoint;
}

export const createNotificationEndpoints = ({
  store,
  clientIds,
  redriving,
  verifiesNow,
}: NotificationNeeds): NotificationEndpoints => {
  const ofOne = (respond: (key: NotificationKey) => Promise<Reply>): Endpoint =>
    endpoint(ofClient, async ({ id, query }: EndpointRequest<z.output<typeof ofClient>>) => {
      const clientId = clientMeant(query.clientId, clientIds);
      if (clientId === null) return clientRequired();
      return isDigest(id) ? await respond({ clientId, id }) : notFound('notification');
    });

  return {
    list: endpoint(
      listing,
      async ({ query: { limit, cursor, ...filter } }) =>
        await pageReply({ limit, cursor }, (page) => store().listNotifications(filter, page)),
    ),
    find: ofOne(async (key) => {
      const stored = await store().findNotification(key);
      return stored === null ? notFound('notification') : ok(wholeNotification(stored, verifiesNow(stored)));
    }),
    redriveOne: ofOne(async (key) => toReply(await redriving(store()).redriveOne(key))),
    redriveAll: endpoint(ofOutcome, async ({ query }) => ok(await redriving(store()).redriveAll(query.outcome))),
  };
};

const toReply = (result: RedriveResult): Reply =>
  result.kind === 'redriven' ? ok({ outcome: result.outcome }) : NOT_REDRIVEN[result.kind];

const NOT_REDRIVEN: Readonly<Record<Exclude<RedriveResult['kind'], 'redriven'>, Reply>> = {
  'not found': notFound('notification'),
  held: problem('NOTIFICATION_HELD', 'Another replica applies this notification at this moment: try again.'),
  'without bytes': problem(
    'NOTIFICATION_WITHOUT_BYTES',
    'The bytes of this notification have been removed: it cannot be applied again.',
  ),
};
