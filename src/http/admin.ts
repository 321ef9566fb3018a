import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Diagnosed } from '../antom/diagnosis.ts';
import type { FeedWatch } from '../feed-watch.ts';
import type { Log } from '../log.ts';
import { type Store, StoreUnavailableError, type StoredNotification, type StoredUnverified } from '../store/store.ts';
import type { Moves } from '../moves/moves.ts';
import type { Redriving } from '../upkeep/redrive.ts';
import type { Status } from '../upkeep/status.ts';
import { createGuard, type Guard, isRead } from './admin/access.ts';
import { ENDPOINTS, type EndpointNeeds } from './admin/endpoints.ts';
import { createDocument } from './admin/openapi.ts';
import { notFound, problem, replyToError } from './admin/problem.ts';
import { addEarly, addRoutes, type Respond } from './admin/routes.ts';
import { createSearch } from './admin/unverified-search.ts';
import { setLastResort } from './last-resort.ts';
import { send } from './reply.ts';

export interface AdminDependencies {
  /** Null while it is not open yet: what needs it is then 503. */
  readonly store: () => Store | null;
  readonly token: string | null;
  readonly readToken: string | null;
  /** The clients that are configured now. */
  readonly clientIds: () => readonly string[];
  /** Null where the notification's bytes are gone. */
  readonly verifiesNow: (stored: StoredNotification) => boolean | null;
  /** By the keys and paths of now. */
  readonly diagnosisOf: (stored: StoredUnverified) => Promise<Diagnosed>;
  readonly redriving: (store: Store) => Redriving;
  /** Null without a private key. */
  readonly moves: (store: Store) => Moves | null;
  /** What `GET /metrics` answers: the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly status: (store: Store) => Promise<Status>;
  readonly feedWatch: Pick<FeedWatch, 'waitForChange'>;
  readonly isDraining: () => boolean;
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
  const store = (): Store => openStore(dependencies);
  const needs: EndpointNeeds = {
    ...dependencies,
    store,
    search: createSearch(store),
    document: () => createDocument(ENDPOINTS),
  };
  const respond: Respond = (response, reply) => send(response, reply, dependencies.isDraining());
  const serving = { needs, respond };
  addEarly(app, ENDPOINTS, { access: 'anybody, at any time', ...serving });
  const guard = createGuard(dependencies);
  app.use(guarded(guard, respond));
  addEarly(app, ENDPOINTS, { access: 'readers, at any time', ...serving });
  app.use(whileOpen(dependencies, respond));
  app.use(express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }));
  addRoutes(app, ENDPOINTS, serving);
  app.use((_request, response) => respond(response, notFound('path')));
  app.use(failed(dependencies, respond));
  setLastResort(app, (request, response) => {
    response.setHeaders(HEADERS);
    respond(response, guard(request) ?? notFound('path'));
  });
  return app;
};

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
const guarded =
  (guard: Guard, respond: Respond): RequestHandler =>
  (request, response, next) => {
    const refusal = guard(request);
    if (refusal === null) next();
    else respond(response, refusal);
  };

const whileOpen =
  ({ store }: AdminDependencies, respond: Respond): RequestHandler =>
  (_request, response, next) => {
    if (store() === null) respond(response, problem('STORE_UNAVAILABLE', NOT_OPEN));
    else next();
  };

const failed =
  ({ log }: AdminDependencies, respond: Respond): ErrorRequestHandler =>
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
  (error, request, response, next) => {
    if (response.headersSent) next(error);
    else respond(response, replyToError(error, { isRead: isRead(request.method), log }));
  };
