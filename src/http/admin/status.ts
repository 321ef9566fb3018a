import type { Store } from '../../store/store.ts';
import type { Status } from '../../upkeep/status.ts';
import { ok } from './answer.ts';
import { endpoint } from './endpoint.ts';
import { nothing } from './query.ts';
import { status } from './shapes/status.ts';

interface Needs {
  readonly store: () => Store;
  readonly status: (store: Store) => Promise<Status>;
}

export const showStatus = endpoint({
  method: 'get',
  path: '/api/status',
  name: 'showStatus',
  tag: 'Service',
  summary: 'Tell what is in force',
  description: 'Versions, schema, rules, configuration (no secrets), keys, and what waits.',
  id: null,
  query: nothing,
  body: null,
  responses: { 200: { means: 'The status.', body: status } },
  problems: [],
  answer:
    ({ store, status: read }: Needs) =>
    async () =>
      ok(await read(store())),
});
