import { z } from 'zod';
import { ok } from './answer.ts';
import { endpoint } from './endpoint.ts';
import { nothing } from './query.ts';

interface Needs {
  readonly metrics: () => Promise<string>;
}

export const showMetrics = endpoint({
  method: 'get',
  path: '/metrics',
  name: 'readMetrics',
  tag: 'Service',
  summary: 'Read the metrics',
  description: 'The text format of Prometheus; also while the store is away.',
  access: 'readers, at any time',
  id: null,
  query: nothing,
  body: null,
  responses: {
    200: {
      means: 'Every metric as it is now; what has to be counted in the store is at most about a minute old.',
      body: z.string(),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
  },
  problems: [],
  answer:
    ({ metrics }: Needs) =>
    async () =>
      ok(await metrics()),
});
