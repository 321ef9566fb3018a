import type { KeyRing } from '../../src/antom/keys.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import type { Store } from '../../src/store/store.ts';

/** Metrics as the service has them, that read this store at each scrape. */
export const metricsOf = (store: Store, keys: KeyRing): Metrics =>
  createMetrics({
    version: '1.2.3',
    database: 'sqlite',
    keys: () => keys,
    isReady: () => true,
    load: () => null,
    measured: async () => ({ measures: await store.measure({ maxBytes: 1_000 }), at: Date.now() }),
  });
