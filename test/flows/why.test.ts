import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DatabaseSync } from 'node:sqlite';
import { closeShared, here } from '../commands/support.ts';
import { ACKNOWLEDGEMENT, createSigner, eventually, type Post, send } from '../support/client.ts';
import { amount, captureResult, type Fields, paymentResult, result } from '../support/facts.ts';
import {
  type Environment,
  environmentOf,
  fileIn,
  type InProcess,
  makeDirectory,
  removeDirectories,
  startReady,
} from '../support/receiver.ts';

/*
 * The ten-second story: a payment is not paid, for one of sixteen causes. From an identifier, one command says the cause
 * in words.
 */

const signer = createSigner();
/** The merchant's own key, say. */
const other = createSigner(signer.clientId);
const sandbox = createSigner('SANDBOX_5YET942ZTUH303813');

const directory = makeDirectory();
const sandboxDirectory = makeDirectory();
let receiver: InProcess;
let playing: InProcess;
let env: Environment;
let sandboxEnv: Environment;

beforeAll(async () => {
  env = { ...environmentOf(directory, signer), NOTIFY_PATHS: '/payNotify' };
  sandboxEnv = { ...environmentOf(sandboxDirectory, sandbox), NODE_ENV: 'production', ALLOW_SANDBOX: 'true' };
  receiver = await startReady(directory, env);
  playing = await startReady(sandboxDirectory, sandboxEnv);
});
afterAll(async () => {
  for (const one of [directory, sandboxDirectory]) await closeShared(one);
  await receiver.stop();
  await playing.stop();
  removeDirectories();
});

const ids = (number: string): Fields => ({ paymentId: `PAY-${number}`, paymentRequestId: `REQ-${number}` });
const eur = (value: string): Fields => amount('EUR', value);

/** A card payment of EUR 100, authorized. */
const authorized = (number: string, fields: Fields = {}): Fields =>
  paymentResult('S', {
    ...ids(number),
    paymentAmount: eur('10000'),
    paymentTime: '2025-05-17T09:00:00Z',
    paymentMethodType: 'CARD',
    acquirerInfo: { acquirerName: 'ADYEN' },
    ...fields,
  });

const captured = (number: string, fields: Fields = {}): Fields =>
  captureResult('S', {
    paymentId: `PAY-${number}`,
    captureId: `CAP-${number}`,
    captureRequestId: `CRQ-${number}`,
    captureAmount: eur('10000'),
    ...fields,
  });

const post = async (posts: readonly Post[], to = receiver): Promise<void> => {
  for (const one of posts) expect((await to.post(one)).text).toBe(ACKNOWLEDGEMENT);
};
const notify = async (...notifications: readonly (Fields | string)[]): Promise<void> =>
  await post(notifications.map((fields) => signer.sign(fields)));

const register = async (number: string, fields: Fields = {}): Promise<void> => {
  const { status } = await send(receiver.admin, {
    method: 'PUT',
    target: `/api/orders/REQ-${number}`,
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify({ amount: eur('10000'), ...fields })),
  });
  expect(status).toBe(201);
};

/** As if all that has come of a payment had come two hours earlier. */
const twoHoursLater = (number: string): void => {
  const db = new DatabaseSync(fileIn(directory), { timeout: 5_000 });
  db.prepare('update notifications set first_received_at = first_received_at - 7200000 where payment_id = ?').run(
    `PAY-${number}`,
  );
  db.close();
};

interface Cause {
  readonly cause: string;
  readonly arrange: () => Promise<void>;
  /** By which it is asked. */
  readonly ids: readonly string[];
  /** In the first lines or in what follows: the words that name the cause. */
  readonly words: readonly RegExp[];
  /** 1 unless nothing is wrong. */
  readonly code?: number;
  readonly of?: () => Environment;
}

/** What can be said of a request that does not verify; its cause is named by its diagnosis. */
const unverifiedWords = (cause: RegExp): readonly RegExp[] => [
  /Failed verification, and holds/,
  /SIGNATURE_MISMATCH/,
  cause,
];
const UNVERIFIED = {
  wrongKey: /Usually the merchant's own public key is configured instead of APO's/,
  strippedPrefix: /APO signed this request for \/shop\/payNotify, and it came to \/payNotify: .*prefix/,
  droppedQuery: /A query that it drops cannot be derived/,
  reserialised: /The JSON of the body was written again on the way/,
};

const CAUSES: readonly Cause[] = [
  {
    cause: 'declined',
    arrange: async () => await notify(paymentResult('F', { ...ids('01'), result: result('F', 'RISK_REJECT') })),
    ids: ['PAY-01', 'REQ-01'],
    words: [/^FAILED, not fulfillable, NEW_PAYMENT_REQUEST/, /APO declined the payment: RISK_REJECT/],
  },
  {
    cause: 'authorized, to be captured',
    arrange: async () => {
      await register('02', { captureMode: 'MANUAL', referenceOrderId: 'order-02' });
      await notify(authorized('02'));
    },
    ids: ['PAY-02', 'REQ-02', 'order-02'],
    words: [
      /^AUTHORIZED, not fulfillable, CAPTURE\n/,
      /Authorized, not paid: .* for CARD a capture brings the money/,
      /The capture mode is MANUAL, and EUR 10000 is to be captured by the shop/,
    ],
    code: 0,
  },
  {
    cause: 'authorized, and its capture never came',
    arrange: async () => {
      await notify(authorized('03'));
      twoHoursLater('03');
    },
    ids: ['PAY-03', 'REQ-03'],
    words: [
      /^AUTHORIZED, not fulfillable, INQUIRE/,
      /No CAPTURE_RESULT of this payment has come/,
      /Nothing has come since .*, for an hour or more/,
      /time passed +nothing came +AUTHORIZED +no +INQUIRE/,
      /What is waited for has not come/,
    ],
  },
  {
    cause: 'capture failed by code',
    arrange: async () => await notify(authorized('04'), captured('04', { result: result('F', 'PARAM_ILLEGAL') })),
    ids: ['PAY-04', 'CAP-04', 'CRQ-04'],
    words: [/^AUTHORIZED, not fulfillable, RETRY_CAPTURE/, /A capture failed: CAP-04 \(PARAM_ILLEGAL\)/],
  },
  {
    cause: 'amount mismatch',
    arrange: async () => {
      await register('05', { amount: eur('9900'), referenceOrderId: 'order-05' });
      await notify(authorized('05'), captured('05'));
    },
    ids: ['PAY-05', 'order-05'],
    words: [
      /^CAPTURED, not fulfillable, REVIEW/,
      /AMOUNT_MISMATCH. The payment is of EUR 10000, and the shop registered EUR 9900/,
    ],
  },
  {
    cause: 'wrong key',
    arrange: async () => await post([other.sign(authorized('06'))]),
    ids: ['PAY-06', 'REQ-06'],
    words: unverifiedWords(UNVERIFIED.wrongKey),
  },
  {
    cause: 'stripped prefix',
    arrange: async () => await post([signer.sign(authorized('07'), { uri: '/shop/payNotify' })]),
    ids: ['PAY-07'],
    words: unverifiedWords(UNVERIFIED.strippedPrefix),
  },
  {
    cause: 'dropped query',
    arrange: async () => await post([signer.sign(authorized('08'), { uri: '/payNotify?shop=1' })]),
    ids: ['PAY-08'],
    words: unverifiedWords(UNVERIFIED.droppedQuery),
  },
  {
    cause: 're-serialised body',
    arrange: async () => {
      const { body, ...genuine } = signer.sign(authorized('09'));
      await register('09');
      await post([{ ...genuine, body: Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 2)) }]);
    },
    ids: ['PAY-09', 'REQ-09'],
    words: unverifiedWords(UNVERIFIED.reserialised),
  },
  {
    cause: 'unhandled kind',
    arrange: async () => await notify({ vaultingRequestId: 'VAULT-10', result: result('S') }),
    ids: ['VAULT-10'],
    words: [/kind VAULTING .* paynotify has no handler for this kind \(UNHANDLED\)/],
  },
  {
    cause: 'malformed',
    arrange: async () => await notify(authorized('11', { result: { resultStatus: 'X' } })),
    ids: ['PAY-11', 'REQ-11'],
    words: [/could not be read: result.resultStatus must be S, F or U/, /UNREADABLE_NOTIFICATION/],
  },
  {
    cause: 'malformed, without any identifier',
    arrange: async () => await notify('{"paymentId":"PAY-11b"'),
    ids: ['PAY-11b'],
    words: [/could not be read \(MALFORMED\): The body is not JSON/],
  },
  {
    cause: 'never came',
    arrange: async () => await register('12', { referenceOrderId: 'order-12' }),
    ids: ['REQ-12', 'order-12'],
    words: [
      /The shop registered EUR 10000 at .*, and no notification has named this paymentRequestId since/,
      /Never sent: other notifications verify, the last at 20/,
    ],
    code: 0,
  },
  {
    cause: 'two payments, one request id',
    arrange: async () =>
      await notify(authorized('14'), authorized('14', { paymentId: 'PAY-14-second' }), captured('14')),
    ids: ['REQ-14', 'PAY-14'],
    words: [/CONTRADICTORY_IDENTITY. .*paymentRequestId REQ-14 also names payment PAY-14-second/],
  },
  {
    cause: 'wallet without a known method',
    arrange: async () =>
      await notify(
        authorized('15', { paymentMethodType: 'NEW_WALLET', acquirerInfo: undefined, paymentTime: undefined }),
      ),
    ids: ['PAY-15'],
    words: [
      /^AUTHORIZED, not fulfillable, WAIT/,
      /nothing shows whether a capture has to follow \(NEW_WALLET is in no list\)/,
      /CAPTURE_UNDECIDED: .* add the method to NO_CAPTURE_METHODS/,
    ],
  },
  {
    cause: 'sandbox in production',
    arrange: async () => await post([sandbox.sign(authorized('16')), sandbox.sign(captured('16'))], playing),
    ids: ['PAY-16', 'CAP-16'],
    words: [
      /^CAPTURED, not fulfillable, NONE/,
      /SANDBOX. Play money: the client is of the sandbox, and NODE_ENV is production/,
    ],
    of: () => sandboxEnv,
  },
];

describe('paynotify why', () => {
  test.each(CAUSES)('names the cause: $cause', async ({ arrange, ids: asked, words, code = 1, of = () => env }) => {
    await arrange();
    for (const id of asked) {
      const said = await here(['why', id], of());
      for (const word of words) expect(said.out).toMatch(word);
      expect([id, said.code, said.err]).toEqual([id, code, '']);
    }
  });

  test('names the cause: wrong path', async () => {
    const answer = await receiver.post(signer.sign(authorized('13'), { target: '/payNotify/' }));
    expect([answer.status, answer.text]).toEqual([404, '{"error":"not found"}']);
    const { out, code } = await eventually(
      'what was seen is written down',
      async () => await here(['why', 'PAY-13'], env),
      (said) => said.out.includes('/payNotify/'),
    );
    expect(out).toMatch(
      /Another URL: 1 POST with a signature came to paths that take no notifications, the last at .* to \/payNotify\/, while \/payNotify was configured/,
    );
    expect(out).toContain('NOTIFY_PATHS');
    expect(code).toBe(1);
    const warned = (await receiver.log()).find(({ msg }) => String(msg).startsWith('a signed POST to a path'));
    expect(warned).toMatchObject({ level: 40, problem: 'received: /payNotify/ configured: /payNotify' });
    expect(String(warned?.['hint'])).toMatch(/NOTIFY_PATHS.*PUBLIC_NOTIFY_URL/);
  });
});
