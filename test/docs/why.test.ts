import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { capture, here, makePlace, notified, payment, type Place, removePlace } from '../commands/support.ts';
import { blocksOf, readPage, sectionOf } from './blocks.ts';

let place: Place;
beforeAll(() => {
  place = makePlace();
});
afterAll(async () => await removePlace(place));

/** The times of another day. */
const timeless = (text: string): string =>
  text.replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?/g, (time) => 'x'.repeat(time.length)).trimEnd();

test('what `paynotify why` says in docs/operating.md is what it says', async () => {
  const section = sectionOf(readPage('docs/operating.md'), 'Why is this order not paid\\?');
  const [shown = ''] = blocksOf({ path: '', text: section }, 'text');
  await place.store(
    notified(
      payment({
        paymentId: '20250317194010890100111600255689113',
        paymentRequestId: 'G153202503171022523041',
        paymentMethodType: 'CARD',
      }),
    ),
  );
  await place.store(
    notified(
      capture({
        paymentId: '20250317194010890100111600255689113',
        captureId: '20250317194010890100111600255676857',
        result: { resultStatus: 'F', resultCode: 'PARAM_ILLEGAL' },
      }),
    ),
  );
  const { out, code } = await here(['why', 'G153202503171022523041'], place.env);
  expect(timeless(shown)).toBe(timeless(out));
  expect(code).toBe(1);
});
