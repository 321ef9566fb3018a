import { z } from 'zod';
import { ok } from './answer.ts';
import { endpoint } from './endpoint.ts';

export const health = endpoint({
  method: 'get',
  path: '/healthz',
  name: 'checkHealth',
  tag: 'Service',
  summary: 'Tell whether the process answers',
  description: 'Needs no token, and says nothing about the database.',
  access: 'anybody, at any time',
  id: null,
  query: null,
  body: null,
  responses: {
    200: { means: 'It answers.', body: z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' }) },
  },
  problems: [],
  answer: () => async () => ok({ status: 'ok' as const }),
});
