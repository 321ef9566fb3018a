import { expect, test } from '@jest/globals';
import { ENDPOINTS } from '../../src/http/admin/endpoints.ts';
import { createDocument } from '../../src/http/admin/openapi.ts';
import { here } from './support.ts';

test.each([
  ['no configuration at all', [], {}],
  ['one that is wrong', ['--json'], { PORT: 'eighty', DATABASE_URL: 'mysql://nowhere' }],
])('openapi prints the document with %s', async (_, options, env) => {
  const { code, out, err } = await here(['openapi', ...options], env);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toEqual(createDocument(ENDPOINTS));
});
