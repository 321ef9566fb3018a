import type { Store } from '../../store/store.ts';
import type { Status } from '../../upkeep/status.ts';
import { type Endpoint, endpoint, ok } from './endpoint.ts';
import { nothing } from './query.ts';

interface StatusNeeds {
  readonly store: () => Store;
  readonly status: (store: Store) => Promise<Status>;
}

export const createStatusEndpoint = ({ store, status }: StatusNeeds): Endpoint =>
  endpoint(nothing, async () => ok(await status(store())));
