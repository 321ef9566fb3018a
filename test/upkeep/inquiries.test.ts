import { expect, test } from '@jest/globals';
import { rememberHeldBack } from '../../src/store/store.ts';
import { readInquiryLags } from '../../src/upkeep/inquiries.ts';
import { ownStore } from './support.ts';

const own = ownStore();

test('a client of whom nothing is planned is listed where it is held back; clients are sorted', async () => {
  const key = { about: 'order', id: 'P1' } as const;
  const plan = (clientId: string) => ({ key: { ...key, clientId }, position: '1', why: 'processing', dueAt: 0 });
  await own().planInquiries([plan('T_c'), plan('constructor')]);
  const heldBack = {
    since: '2025-06-01T00:00:00.000Z',
    until: '2025-06-01T00:01:00.000Z',
    code: 'REQUEST_TRAFFIC_EXCEED_LIMIT',
  };
  for (const clientId of ['T_d', 'T_b', 'T_c']) await rememberHeldBack(own(), clientId, heldBack);
  expect(await readInquiryLags(own(), 1)).toMatchObject([
    { clientId: 'T_b', due: 0, planned: 0, stopped: 0, dueSince: null, nextAt: null, heldBack },
    { clientId: 'T_c', due: 1, heldBack },
    { clientId: 'T_d', due: 0, heldBack },
    { clientId: 'constructor', due: 1, heldBack: null },
  ]);
});
