import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Log } from '../log.ts';
import { type Store, StoreUnavailableError, type StoredNotification } from '../store/store.ts';
import type { Redriving } from '../upkeep/redrive.ts';
import { createGuard } from './admin/access.ts';
import { addRoute, type Endpoint, ok, type Route, toHandler } from './admin/endpoint.ts';
import { createFinding } from './admin/find.ts';
import { createNotificationEndpoints } from './admin/notifications.ts';
import { createOrderEndpoints } from './admin/orders.ts';
import { notFound, replyToError, storeUnavailable } from './admin/problem.ts';
import { createRefundEndpoints } from './admin/refunds.ts';
import { createAmending, createRegistering } from './admin/registrations.ts';
import { createReviewEndpoints } from './admin/reviews.ts';
import { createTimeline } from './admin/timeline.ts';
import { createSearch } from './admin/unverified-search.ts';
import { createUnverifiedEndpoints } from './admin/unverified.ts';
import { setLastResort } from './last-resort.ts';
import { send } from './reply.ts';

export interface AdminDependencies {
  /** Null while the store is not open yet: everything but /healthz is then 503. */
  readonly store: () => Store | null;
  readonly token: string | null;
  readonly readToken: string | null;
  /** The clients that are configured now. */
  readonly clientIds: () => readonly string[];
  /** Null where the notification's bytes are gone. */
  readonly verifiesNow: (stored: StoredNotification) => boolean | null;
  readonly redriving: (store: Store) => Redriving;
  /** Errors of ours are logged here, never the values that they were about. */
  readonly log: Log;
}

/** No body of this listener's is larger than a registration or a review's note. */
const BODY_LIMIT = 16_384;

/** The admin listener's app: the contract's table. It is built without listening. */
export const createAdminApp = (dependencies: AdminDependencies): express.Express => {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  // `/api/orders/` with an empty id must not list every order.
  app.enable('strict routing').enable('case sensitive routing');

  app.use(withHeaders);
  app.get('/healthz', toHandler(health));
  app.use(guarded(dependencies));
  app.use(whileOpen(dependencies));
  app.use(express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }));
  for (const route of routesOf(dependencies)) addRoute(app, route);
  app.use((_request, response) => send(response, notFound('path')));
  app.use(failed(dependencies));
  const guard = createGuard(dependencies);
  setLastResort(app, (request, response) => {
    response.setHeaders(HEADERS);
    send(response, guard(request) ?? notFound('path'));
  });
  return app;
};

const routesOf = (dependencies: AdminDependencies): readonly Route[] => {
  const store = (): Store => openStore(dependencies);
  const needs = { ...dependencies, store, search: createSearch(store) };
  const orders = createOrderEndpoints(needs);
  const notifications = createNotificationEndpoints(needs);
  const reviews = createReviewEndpoints(needs);
  const refunds = createRefundEndpoints(needs);
  const unverified = createUnverifiedEndpoints(needs);
  return [
    { path: '/healthz', get: health },
    { path: '/api/orders', get: orders.list },
    { path: '/api/orders/:id', get: orders.find, put: createRegistering(needs), patch: createAmending(needs) },
    { path: '/api/orders/:id/timeline', get: createTimeline(needs) },
    { path: '/api/orders/:id/review', put: reviews.decide, delete: reviews.withdraw },
    { path: '/api/refunds', get: refunds.list },
    { path: '/api/refunds/:id', put: refunds.register },
    { path: '/api/find', get: createFinding(needs) },
    { path: '/api/notifications', get: notifications.list },
    { path: '/api/notifications/:id', get: notifications.find },
    { path: '/api/notifications/:id/redrive', post: notifications.redriveOne },
    { path: '/api/redrive', post: notifications.redriveAll },
    { path: '/api/unverified', get: unverified.list },
    { path: '/api/unverified/:id', get: unverified.find },
  ];
};

const health: Endpoint = async () => ok({ status: 'ok' });

const NOT_OPEN = 'The store is not open yet.';

const openStore = ({ store }: AdminDependencies): Store => {
  const opened = store();
  if (opened === null) throw new StoreUnavailableError(NOT_OPEN);
  return opened;
};

const HEADERS = new Map([
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
]);

const withHeaders: RequestHandler = (_request, response, next) => {
  response.setHeaders(HEADERS);
  next();
};

/** Stands before every route and before the 404, so that a stranger does not learn which paths exist. */
const guarded = (dependencies: AdminDependencies): RequestHandler => {
  const guard = createGuard(dependencies);
  return (request, response, next) => {
    const problem = guard(request);
    if (problem === null) next();
    else send(response, problem);
  };
};

const whileOpen =
  ({ store }: AdminDependencies): RequestHandler =>
  (_request, response, next) => {
    if (store() === null) send(response, storeUnavailable(NOT_OPEN));
    else next();
  };

const failed =
  ({ log }: AdminDependencies): ErrorRequestHandler =>
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
  (error, _request, response, next) => {
    if (response.headersSent) next(error);
    else send(response, replyToError(error, log));
  };
