import { afterAll, describe, expect, test } from '@jest/globals';
import { constants, createPrivateKey, privateEncrypt } from 'node:crypto';
import * as fc from 'fast-check';
import { diagnose, diagnosing } from '../../src/antom/diagnose.ts';
import { type Diagnosis, DIAGNOSIS_CODES, type DiagnosisTrust } from '../../src/antom/diagnosis.ts';
import { describeDiagnosis, hintOf, toDiagnosed } from '../../src/antom/diagnosis-text.ts';
import type { JsonForm } from '../../src/antom/json-form.ts';
import { readKey } from '../../src/antom/keys.ts';
import { type SignedRequest, verify } from '../../src/antom/signature.ts';
import { signatureHeader } from '../../src/antom/signing.ts';
import { createForgeSigner, type ForgeMessage, type ForgeSigner, keyFixture } from '../support/forge-signer.ts';

const PRIVATE_KEY = keyFixture('throw-away.private.pkcs8.pem');
const signer = createForgeSigner(PRIVATE_KEY);
const second = createForgeSigner(keyFixture('throw-away-second.private.pkcs8.pem'));
const long = createForgeSigner(keyFixture('throw-away-3072.private.pkcs8.pem'));

const CLIENT = 'T_client';
const TIME = '2025-05-17T07:58:06Z';
const BODY = '{"notifyType":"PAYMENT_RESULT","url":"https://a.example/é","value":"1"}';
const trust: DiagnosisTrust = { keys: new Map([[CLIENT, [readKey(signer.publicKey)]]]), publicUris: [] };

interface Genuine {
  readonly by?: ForgeSigner;
  readonly keyVersion?: string;
}

/** What APO sends, signed by node-forge. */
const genuine = (message: Partial<ForgeMessage> = {}, { by = signer, keyVersion }: Genuine = {}): SignedRequest => {
  const whole = { uri: '/payNotify', clientId: CLIENT, requestTime: TIME, body: BODY, ...message };
  return {
    method: 'POST',
    target: whole.uri,
    clientIds: [whole.clientId],
    requestTimes: [whole.requestTime],
    signatures: [by.sign(whole, keyVersion)],
    body: Buffer.from(whole.body),
  };
};

const seen = new Set<string>();

/** A genuine request verifies at first; then one thing is done to it. */
const diagnoseBroken = (
  sent: SignedRequest,
  change: Partial<SignedRequest>,
  by: Partial<DiagnosisTrust> = {},
): Diagnosis => {
  const request = { ...sent, ...change };
  const with_ = { ...trust, ...by };
  expect(verify(request, with_).verified).toBe(false);
  const diagnosis = diagnose(request, with_);
  seen.add(diagnosis.code);
  return diagnosis;
};

const verifiesWith = (sent: SignedRequest): void => expect(verify(sent, trust).verified).toBe(true);

afterAll(() => {
  expect([...seen].sort()).toEqual([...DIAGNOSIS_CODES].sort());
});

const malformed = (signature: string): Partial<SignedRequest> => ({ signatures: [signature] });

describe('a header', () => {
  const sent = genuine();
  const header = sent.signatures[0] ?? '';
  const base64 = signer.signatureOf({ uri: '/payNotify', clientId: CLIENT, requestTime: TIME, body: BODY });

  test.each<readonly [string, Partial<SignedRequest>, Diagnosis]>([
    ['doubled', { clientIds: [CLIENT, CLIENT] }, { code: 'DUPLICATE_HEADER', headers: ['client-id'] }],
    [
      'two of them doubled',
      { requestTimes: [TIME, TIME], signatures: [header, header] },
      { code: 'DUPLICATE_HEADER', headers: ['request-time', 'signature'] },
    ],
    ['dropped', { signatures: [] }, { code: 'MISSING_HEADER', headers: ['signature'] }],
    [
      'emptied, and another dropped',
      { clientIds: [''], requestTimes: [] },
      { code: 'MISSING_HEADER', headers: ['client-id', 'request-time'] },
    ],
    [
      'a signature without fields',
      malformed(base64.replaceAll('=', '')),
      { code: 'MALFORMED_SIGNATURE', flaw: 'NO_FIELD' },
    ],
    ['a field twice', malformed(`${header},keyVersion=1`), { code: 'MALFORMED_SIGNATURE', flaw: 'FIELD_TWICE' }],
    [
      'a plain signature, twice',
      malformed(`algorithm=RSA256,signature=${base64},signature=${base64}`),
      { code: 'MALFORMED_SIGNATURE', flaw: 'FIELD_TWICE' },
    ],
    [
      'percent-encoded once more, and a field twice',
      malformed(`${header.replaceAll('%', '%25')},keyVersion=1`),
      { code: 'MALFORMED_SIGNATURE', flaw: 'FIELD_TWICE' },
    ],
    [
      'no algorithm',
      malformed(header.replace('algorithm=RSA256,', '')),
      { code: 'MALFORMED_SIGNATURE', flaw: 'NO_ALGORITHM' },
    ],
    [
      'an empty key version',
      malformed(header.replace('keyVersion=1', 'keyVersion=')),
      { code: 'MALFORMED_SIGNATURE', flaw: 'EMPTY_KEY_VERSION' },
    ],
    ['no signature', malformed('algorithm=RSA256'), { code: 'MALFORMED_SIGNATURE', flaw: 'NO_SIGNATURE' }],
    ['a broken percent escape', malformed(`${header}%Z`), { code: 'MALFORMED_SIGNATURE', flaw: 'BROKEN_PERCENT' }],
    [
      'percent-encoded once more',
      malformed(header.replaceAll('%', '%25')),
      { code: 'MALFORMED_SIGNATURE', flaw: 'ENCODED_TWICE' },
    ],
    [
      'form-decoded',
      malformed(`algorithm=RSA256,signature=${base64.replaceAll('+', ' ')}`),
      { code: 'MALFORMED_SIGNATURE', flaw: 'PLUS_BECAME_SPACE' },
    ],
    ['not Base64', malformed(`${header}!`), { code: 'MALFORMED_SIGNATURE', flaw: 'NOT_BASE64' }],
    [
      'cut off',
      malformed(`algorithm=RSA256,signature=${base64.slice(0, 80)}`),
      { code: 'MALFORMED_SIGNATURE', flaw: 'LENGTH', bytes: 60, expected: [256] },
    ],
    [
      'another algorithm',
      malformed(header.replace('RSA256', 'RSA512')),
      { code: 'UNSUPPORTED_ALGORITHM', algorithm: 'RSA512' },
    ],
    [
      'a client that is not configured, on the way',
      { clientIds: ['T_cleint'] },
      {
        code: 'UNKNOWN_CLIENT',
        clientId: 'T_cleint',
        configured: [CLIENT],
        owner: { clientId: CLIENT, forReceived: null },
      },
    ],
    [
      'a client that is not configured, by nobody’s key',
      { clientIds: ['T_other'], signatures: genuine({ clientId: 'T_other' }, { by: second }).signatures },
      { code: 'UNKNOWN_CLIENT', clientId: 'T_other', configured: [CLIENT], owner: null },
    ],
  ])('%s', (_, change, expected) => {
    verifiesWith(sent);
    expect(diagnoseBroken(sent, change)).toEqual(expected);
  });

  test('cut off is told with each length once that the keys make', () => {
    const keys = new Map([[CLIENT, [signer, second, long].map(({ publicKey }) => readKey(publicKey))]]);
    expect(diagnoseBroken(sent, malformed('algorithm=RSA256,signature=AAAA'), { keys })).toMatchObject({
      flaw: 'LENGTH',
      expected: [256, 384],
    });
  });
});

describe('a key', () => {
  const sent = genuine();
  const [ours, theirs] = [readKey(signer.publicKey), readKey(second.publicKey)];

  test('that is none of the configured ones', () => {
    const keys = new Map([[CLIENT, [theirs]]]);
    expect(diagnoseBroken(sent, {}, { keys })).toEqual({ code: 'OTHER_KEY', clientId: CLIENT, owner: null });
  });

  test('that is configured for another client', () => {
    const keys = new Map([
      [CLIENT, [theirs]],
      ['T_other', [readKey(long.publicKey), ours]],
    ]);
    const owner = { clientId: 'T_other', forReceived: { code: 'VERIFIES' } };
    expect(diagnoseBroken(sent, {}, { keys })).toEqual({ code: 'OTHER_KEY', clientId: CLIENT, owner });
  });

  test('of a version that is not configured', () => {
    const keys = new Map([[CLIENT, [readKey(`1:${second.publicKey}`), readKey(`2:${second.publicKey}`)]]]);
    const rotated = genuine({}, { keyVersion: '7' });
    expect(diagnoseBroken(rotated, {}, { keys })).toEqual({
      code: 'UNKNOWN_KEY_VERSION',
      keyVersion: '7',
      configured: ['1', '2'],
    });
  });

  test('that is configured under another version, for another path: the path is what is wrong', () => {
    const keys = new Map([[CLIENT, [readKey(`1:${signer.publicKey}`)]]]);
    const rotated = genuine({ uri: '/api/payNotify' }, { keyVersion: '7' });
    expect(diagnoseBroken(rotated, { target: '/payNotify' }, { keys })).toMatchObject({ code: 'TEXT_CHANGED_PATH' });
  });

  test('that signed something that is no SHA-256 digest', () => {
    const block = privateEncrypt({ key: PRIVATE_KEY, padding: constants.RSA_PKCS1_PADDING }, Buffer.from('hello'));
    const signatures = [`algorithm=RSA256,signature=${encodeURIComponent(block.toString('base64'))}`];
    expect(diagnoseBroken(sent, { signatures })).toMatchObject({ code: 'OTHER_KEY' });
  });

  test('and text that fit verify', () => {
    verifiesWith(sent);
    expect(diagnose(sent, trust)).toEqual({ code: 'VERIFIES' });
    seen.add('VERIFIES');
  });
});

describe('a key of a configured client, and another client id', () => {
  const [ours, theirs] = [readKey(signer.publicKey), readKey(second.publicKey)];
  const stripped = { target: '/payNotify' };
  const pathChanged = { code: 'TEXT_CHANGED_PATH', signed: '/api/payNotify', received: '/payNotify' } as const;

  /** Signed for a client id, which is replaced on the way where another is received. */
  type Case = readonly [string, { signed: string; received: string; sent?: Partial<ForgeMessage> }, Diagnosis | null];
  const CASES: readonly Case[] = [
    ['the header was changed', { signed: CLIENT, received: 'T_new' }, null],
    ['the key is of the client received', { signed: 'T_new', received: 'T_new' }, { code: 'VERIFIES' }],
    [
      'the key is of the client received, and the path was changed',
      { signed: 'T_new', received: 'T_new', sent: { uri: '/api/payNotify' } },
      pathChanged,
    ],
    [
      'header and path were changed: nothing is guessed',
      { signed: CLIENT, received: 'T_new', sent: { uri: '/api/payNotify' } },
      { code: 'TEXT_CHANGED' },
    ],
    [
      'the key is of the client received, whose id begins as the other',
      { signed: `${CLIENT}2`, received: `${CLIENT}2` },
      { code: 'VERIFIES' },
    ],
    ['a third client was signed', { signed: 'T_third', received: 'T_new' }, { code: 'TEXT_CHANGED' }],
  ];

  test.each(CASES)('not configured: %s', (_, { signed, received, sent }, forReceived) => {
    const request = genuine({ clientId: signed, ...sent });
    expect(diagnoseBroken(request, { clientIds: [received], ...stripped })).toEqual({
      code: 'UNKNOWN_CLIENT',
      clientId: received,
      configured: [CLIENT],
      owner: { clientId: CLIENT, forReceived },
    });
  });

  test.each(CASES)('configured: %s', (_, { signed, received, sent }, forReceived) => {
    const keys = new Map([
      [received, [theirs]],
      [CLIENT, [ours]],
    ]);
    const request = genuine({ clientId: signed, ...sent });
    const expected = { code: 'OTHER_KEY', clientId: received, owner: { clientId: CLIENT, forReceived } };
    expect(diagnoseBroken(request, { clientIds: [received], ...stripped }, { keys })).toEqual(expected);
  });

  test.each(CASES)('what it promises of a correction comes true: %s', (_, { signed, received, sent }, forReceived) => {
    const request = { ...genuine({ clientId: signed, ...sent }), clientIds: [received], ...stripped };
    const { message } = toDiagnosed(diagnose(request, trust));
    const corrected = { ...trust, keys: new Map([[received, [ours]]]) };
    expect(message.includes('set ANTOM_CLIENT_ID')).toBe(signed === received);
    if (signed === received) expect(diagnose(request, corrected)).toEqual(forReceived);
    else expect(diagnose(request, corrected)).toEqual({ code: 'TEXT_CHANGED' });
    expect(verify({ ...request, clientIds: [CLIENT] }, trust).verified).toBe(forReceived === null);
    expect(message.includes('The client id and key that are configured are right')).toBe(forReceived === null);
  });

  test('a key that several clients have is the one of that which was signed', () => {
    const keys = new Map([
      ['T_first', [ours]],
      [CLIENT, [theirs, ours]],
    ]);
    expect(diagnoseBroken(genuine(), { clientIds: ['T_new'] }, { keys })).toMatchObject({
      owner: { clientId: CLIENT, forReceived: null },
    });
  });

  test('a dot that was moved is not verified by any correction', () => {
    const sent = genuine({ clientId: 'T_new', requestTime: '2025-05-17T07:58:06.123Z' });
    const moved = { requestTimes: ['2025-05-17T07:58:06'], body: Buffer.from(`123Z.${BODY}`) };
    const diagnosis = diagnoseBroken(sent, moved);
    expect(diagnosis).toMatchObject({ owner: { clientId: CLIENT, forReceived: { code: 'CUT_ELSEWHERE' } } });
    expect(describeDiagnosis(diagnosis)).not.toContain('verified again');
    const fromTime = { clientIds: [`${CLIENT}.2025-05-17T07:58:06`], requestTimes: ['123Z'] };
    const longer = diagnoseBroken(genuine({ requestTime: '2025-05-17T07:58:06.123Z' }), fromTime);
    expect(longer).toMatchObject({ owner: { clientId: CLIENT, forReceived: { code: 'CUT_ELSEWHERE' } } });
    expect(describeDiagnosis(longer)).not.toContain('set ANTOM_CLIENT_ID');
  });
});

describe('a path', () => {
  test.each<readonly [string, string, string, Partial<DiagnosisTrust>]>([
    ['a known prefix stripped', '/api/payNotify', '/payNotify', {}],
    ['another known prefix stripped', '/api/v1/payNotify', '/payNotify', {}],
    ['a prefix added', '/payNotify', '/internal/eu-1/payNotify', {}],
    ['a prefix exchanged', '/webhooks/payNotify', '/internal/payNotify', {}],
    ['a known suffix stripped', '/payNotify/callback', '/payNotify', {}],
    ['a suffix added', '/antom', '/antom/eu-1', {}],
    ['another known name', '/antom/notify', '/payNotify', {}],
    ['a slash at the end lost', '/payNotify/', '/payNotify', {}],
    ['a slash at the end added', '/payNotify', '/payNotify/', {}],
    ['a slash at the beginning lost', '//payNotify', '/payNotify', {}],
    ['everything stripped', '/', '/payNotify', {}],
    ['a prefix of PUBLIC_NOTIFY_URL', '/tenant-7/payNotify', '/payNotify', { publicUris: ['/tenant-7/hook-9'] }],
    ['PUBLIC_NOTIFY_URL but for its last slash', '/t-7/hook-9/', '/payNotify', { publicUris: ['/t-7/hook-9'] }],
    ['another path of NOTIFY_PATHS', '/hook-9', '/payNotify', { notifyPaths: ['/payNotify', '/hook-9'] }],
    ['a prefix stripped, the query kept', '/api/payNotify?shop=1', '/payNotify?shop=1', {}],
    ['a prefix stripped, a query added', '/api/payNotify', '/payNotify?shop=1', {}],
    ['a parameter added to the query', '/payNotify?shop=1', '/payNotify?shop=1&by=proxy', {}],
    ['a question mark lost', '/payNotify?', '/payNotify', {}],
    [
      'a prefix of PUBLIC_NOTIFY_URL that is not signed, the query dropped on the way',
      '/payNotify?shop=1',
      '/payNotify',
      { publicUris: ['/t-7/payNotify', '/t-7/payNotify?shop=1'] },
    ],
  ])('%s: %s came to %s', (_, ...[uri, target, by]) => {
    const sent = genuine({ uri });
    verifiesWith(sent);
    const diagnosis = diagnoseBroken(sent, { target }, by);
    expect(diagnosis).toEqual({ code: 'TEXT_CHANGED_PATH', signed: uri, received: target });
    expect(describeDiagnosis(diagnosis)).toContain(
      `PUBLIC_NOTIFY_URL=https://<host>${uri} (add it after a comma where others are set), or make the proxy`,
    );
  });

  test('costs a bounded number of hashes, whatever is configured and received', () => {
    const target = `/${'a/'.repeat(400)}?${'b=1&'.repeat(400)}`;
    const notifyPaths = Array.from({ length: 100 }, (_, index) => `/${index}/x/y/z/payNotify`);
    const strange = genuine({ uri: '/strange' });
    expect(diagnoseBroken(strange, { target }, { notifyPaths })).toEqual({ code: 'TEXT_CHANGED' });
    const steps = [...diagnosing({ ...strange, target }, { ...trust, notifyPaths })];
    expect(steps.length).toBeLessThan(2_100);
  });
});

/** How JSON that was signed differs from the one that came. */
const form = (changes: Partial<JsonForm>): Diagnosis => ({
  code: 'TEXT_CHANGED_JSON',
  signed: { layout: null, sorted: false, slash: null, unicode: null, ...changes },
});

describe('a body', () => {
  const UNICODE = '{"a":"\u00e9\ud83d\ude00","b":"\\n\\"\\\\u00e9"}';
  test.each<readonly [string, string, string, Diagnosis]>([
    ['a newline added', '{"a":1}', '{"a":1}\n', { code: 'TEXT_CHANGED_NEWLINE', change: 'LF_ADDED' }],
    ['a newline lost', '{"a":1}\n', '{"a":1}', { code: 'TEXT_CHANGED_NEWLINE', change: 'LF_LOST' }],
    ['a CRLF added', '{"a":1}', '{"a":1}\r\n', { code: 'TEXT_CHANGED_NEWLINE', change: 'CRLF_ADDED' }],
    ['a CRLF lost', '{"a":1}\r\n', '{"a":1}', { code: 'TEXT_CHANGED_NEWLINE', change: 'CRLF_LOST' }],
    ['LF became CRLF', '{\n"a":1\n}', '{\r\n"a":1\r\n}', { code: 'TEXT_CHANGED_NEWLINE', change: 'LF_BECAME_CRLF' }],
    ['CRLF became LF', '{\r\n"a":1\r\n}', '{\n"a":1\n}', { code: 'TEXT_CHANGED_NEWLINE', change: 'CRLF_BECAME_LF' }],
    [
      'some LF became CRLF',
      '{\n"a":"\u00e9"\n}',
      '{\r\n"a":"\u00e9"\n}',
      { code: 'TEXT_CHANGED_NEWLINE', change: 'LF_BECAME_CRLF' },
    ],
    [
      'some CRLF became LF',
      '{\r\n"a":"\u00e9"\r\n}',
      '{\r\n"a":"\u00e9"\n}',
      { code: 'TEXT_CHANGED_NEWLINE', change: 'CRLF_BECAME_LF' },
    ],
    ['a BOM added', '{"a":1}', '\ufeff{"a":1}', { code: 'TEXT_CHANGED_BOM', change: 'ADDED' }],
    ['a BOM lost', '\ufeff{"a":1}', '{"a":1}', { code: 'TEXT_CHANGED_BOM', change: 'LOST' }],

    ['spaced by Python', '{"a":[1,{"b":2}]}', '{"a": [1, {"b": 2}]}', form({ layout: 'COMPACT' })],
    ['made compact', '{"a": [1, {"b": 2}]}', '{"a":[1,{"b":2}]}', form({ layout: 'SPACED' })],
    [
      'printed for people',
      '{"a":[1,[],{}]}',
      '{\n  "a": [\n    1,\n    [],\n    {}\n  ]\n}\n',
      form({ layout: 'COMPACT' }),
    ],
    ['made compact from two spaces', '{\n  "a": [\n    1\n  ]\n}', '{"a":[1]}', form({ layout: 'INDENTED_2' })],
    ['made compact from four', '{\n    "a": 1\n}', '{"a":1}', form({ layout: 'INDENTED_4' })],
    [
      'keys in another order',
      '{"a":{"c":1,"d":2},"b":2}',
      '{"b":2,"a":{"d":2,"c":1}}',
      form({ layout: 'COMPACT', sorted: true }),
    ],
    ['slashes escaped', '{"u":"a/b"}', '{"u":"a\\/b"}', form({ slash: 'PLAIN' })],
    ['slashes no longer escaped', '{"u":"a\\/b"}', '{"u":"a/b"}', form({ slash: 'ESCAPED' })],
    [
      'escaped by PHP',
      UNICODE,
      UNICODE.replace('\u00e9', '\\u00e9').replace('\ud83d\ude00', '\\ud83d\\ude00'),
      form({ unicode: 'PLAIN' }),
    ],
    ['no longer escaped', '{"a":"\\u00e9\\ud83d\\ude00"}', '{"a":"\u00e9\ud83d\ude00"}', form({ unicode: 'ESCAPED' })],
    ['no longer escaped with capitals', '{"a":"\\u00E9"}', '{"a":"\u00e9"}', form({ unicode: 'ESCAPED_UPPER' })],
    ['HTML escaped by Go', '{"a":"<&>"}', '{"a":"\\u003c\\u0026\\u003e"}', form({ unicode: 'PLAIN' })],
    [
      'spaced and escaped by Python',
      '{"a":"\u00e9","b":1}',
      '{"a": "\\u00e9", "b": 1}',
      form({ layout: 'COMPACT', unicode: 'PLAIN' }),
    ],
    [
      'no number is read, however it is written',
      '{"a":1.0,"b":12345678901234567890.10,"c":1E400,"d":-0}',
      '{"a": 1.0, "b": 12345678901234567890.10, "c": 1E400, "d": -0}',
      form({ layout: 'COMPACT' }),
    ],
    [
      'as deep as 64',
      `${'['.repeat(64)}1,2${']'.repeat(64)}`,
      `${'['.repeat(64)}1, 2${']'.repeat(64)}`,
      form({ layout: 'COMPACT' }),
    ],
  ])('%s', (_, ...[body, received, expected]) => {
    const sent = genuine({ body });
    verifiesWith(sent);
    expect(diagnoseBroken(sent, { body: Buffer.from(received) })).toEqual(expected);
  });

  test('written again, and sent to the public path', () => {
    const sent = genuine({ uri: '/shop/payNotify', body: '{"a":1}' });
    const change = { target: '/payNotify', body: Buffer.from('{"a": 1}') };
    expect(diagnoseBroken(sent, change, { publicUris: ['/shop/payNotify'] })).toEqual(form({ layout: 'COMPACT' }));
  });
});

describe('the dot between time and body', () => {
  test('is explained where it was moved: the bytes are the ones that were signed', () => {
    const sent = genuine({ requestTime: '2025-05-17T07:58:06.123Z' });
    verifiesWith(sent);
    const intoBody = { requestTimes: ['2025-05-17T07:58:06'], body: Buffer.from(`123Z.${BODY}`) };
    expect(diagnoseBroken(sent, intoBody)).toEqual({ code: 'CUT_ELSEWHERE' });
    const [head = '', ...tail] = BODY.split('.');
    const intoTime = { requestTimes: [`2025-05-17T07:58:06.123Z.${head}`], body: Buffer.from(tail.join('.')) };
    expect(diagnoseBroken(sent, intoTime)).toEqual({ code: 'CUT_ELSEWHERE' });
  });
});

describe('what fits nothing is not guessed', () => {
  const ONES = Array.from({ length: 20_000 }, () => '1');
  test.each<readonly [string, Partial<ForgeMessage>, Partial<SignedRequest>]>([
    ['a field changed', {}, { body: Buffer.from(BODY.replace('"1"', '"2"')) }],
    ['a field dropped', {}, { body: Buffer.from('{"notifyType":"PAYMENT_RESULT"}') }],
    ['a number written otherwise', { body: '{"a":1.0}' }, { body: Buffer.from('{"a":1}') }],
    [
      'keys in an order that no sorting gives',
      { body: '{"b":1,"a":2,"c":3}' },
      { body: Buffer.from('{"a":2,"b":1,"c":3}') },
    ],
    ['a body that is no JSON', { body: '{"a":1' }, { body: Buffer.from('{"a": 1') }],
    [
      'a body that is no UTF-8',
      { body: Buffer.from('{"a":"\u00e9"}', 'latin1') },
      { body: Buffer.from('{"a": "\u00e9"}', 'latin1') },
    ],
    [
      'deeper than 64',
      { body: `${'['.repeat(65)}1,2${']'.repeat(65)}` },
      { body: Buffer.from(`${'['.repeat(65)}1, 2${']'.repeat(65)}`) },
    ],
    [
      'deep and long: to lay it out again would take too much',
      { body: `${'['.repeat(64)}${ONES.join(',')}${']'.repeat(64)}` },
      { body: Buffer.from(`${'['.repeat(64)}${ONES.join(', ')}${']'.repeat(64)}`) },
    ],
    ['another time', {}, { requestTimes: ['2025-05-17T07:58:07Z'] }],
    ['another method', {}, { method: 'PUT' }],
    ['a query that was dropped', { uri: '/payNotify?shop=1' }, { target: '/payNotify' }],
    ['a path that nobody knows', { uri: '/k3q/x' }, { target: '/payNotify' }],
    ['path and body', { uri: '/api/payNotify' }, { target: '/payNotify', body: Buffer.from(`${BODY}\n`) }],
    ['two newlines', { body: 'text' }, { body: Buffer.from('text\n\n') }],
  ])('%s', (_, message, change) => {
    const sent = genuine(message);
    verifiesWith(sent);
    expect(diagnoseBroken(sent, change)).toEqual({ code: 'TEXT_CHANGED' });
  });
});

describe('whatever JSON', () => {
  const privateKey = createPrivateKey(PRIVATE_KEY);
  const signed = (body: string): SignedRequest => {
    const message = { method: 'POST', uri: '/payNotify', clientId: CLIENT, requestTime: TIME, body: Buffer.from(body) };
    return { ...genuine(), signatures: [signatureHeader(message, privateKey)], body: message.body };
  };

  test('is found again when it was indented, or made compact', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(2, 4), (value, indent) => {
        const [compact, indented] = [JSON.stringify(value), JSON.stringify(value, null, indent)];
        fc.pre(compact !== indented);
        const layout = indent === 2 ? 'INDENTED_2' : 'INDENTED_4';
        expect(diagnose({ ...signed(compact), body: Buffer.from(indented) }, trust)).toEqual(
          form({ layout: 'COMPACT' }),
        );
        expect(diagnose({ ...signed(indented), body: Buffer.from(compact) }, trust)).toEqual(form({ layout }));
      }),
      { numRuns: 30 },
    );
  });

  test('a body that is no JSON is left alone, however it is made', () => {
    const genuineSignature = signed('{"a":1}');
    for (const body of ['\\"'.repeat(16_000), '"'.repeat(31_999), '['.repeat(32_000), '"\\'.repeat(16_000)])
      expect(diagnose({ ...genuineSignature, body: Buffer.from(body) }, trust)).toEqual({ code: 'TEXT_CHANGED' });
  });

  test('nothing makes it throw, and what it says fits the reason', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(CLIENT, 'algorithm=RSA256,signature=', TIME));
    const signature = fc.oneof(
      text,
      fc.base64String().map((base64) => `algorithm=RSA256,signature=${base64}`),
    );
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 2 }),
        fc.array(signature, { maxLength: 2 }),
        fc.uint8Array(),
        (clientIds, signatures, body) => {
          const request = { ...genuine(), clientIds, signatures, body };
          const verification = verify(request, trust);
          const diagnosis = toDiagnosed(diagnose(request, trust));
          const reason = verification.verified ? 'VERIFIES' : verification.reason;
          expect(diagnosis.code).toBe(reason === 'SIGNATURE_MISMATCH' ? 'OTHER_KEY' : reason);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the sentence', () => {
  const OWNER = { clientId: CLIENT, forReceived: { code: 'VERIFIES' } } as const;
  const CANARY_PATH = {
    code: 'TEXT_CHANGED_PATH',
    signed: '/payNotify?canary',
    received: '/api/payNotify?canary=canary?canary',
  } as const;
  test.each<readonly [Diagnosis, string]>([
    [{ code: 'MISSING_HEADER', headers: ['client-id', 'signature'] }, 'The request has no client-id, no signature.'],
    [
      {
        code: 'UNKNOWN_CLIENT',
        clientId: 'T_cleint',
        configured: [CLIENT],
        owner: { clientId: CLIENT, forReceived: null },
      },
      'The client-id is T_cleint; configured: T_client. The key that is configured for T_client made the signature, for the client-id T_client, and T_cleint came: the header was changed on the way.',
    ],
    [
      { code: 'UNKNOWN_CLIENT', clientId: 'T_cleint', configured: [CLIENT], owner: OWNER },
      'made the signature, for the client-id received: the key is one of that client. Where T_client is mistyped, set ANTOM_CLIENT_ID',
    ],
    [
      { code: 'OTHER_KEY', clientId: 'T_other', owner: OWNER },
      'Correct the keys of the two in ANTOM_CLIENTS_FILE: what is stored is then verified again and applied.',
    ],
    [
      { code: 'OTHER_KEY', clientId: 'T_other', owner: { clientId: CLIENT, forReceived: { code: 'TEXT_CHANGED' } } },
      'neither client id fits, nor any change that is tried with the one received. Compare what your proxy receives',
    ],
    [
      { code: 'OTHER_KEY', clientId: CLIENT, owner: null },
      "Usually the merchant's own public key is configured instead of APO's",
    ],
    [
      form({ layout: 'COMPACT', sorted: true, slash: 'ESCAPED' }),
      'without spaces between its parts, with its keys sorted and with / written as \\/',
    ],
    [{ code: 'TEXT_CHANGED_BOM', change: 'ADDED' }, 'UNVERIFIED_REPLY=refuse'],
    [{ code: 'TEXT_CHANGED' }, 'A query that it drops cannot be derived'],
  ])('of %j says what to do', (diagnosis, expected) => {
    expect(describeDiagnosis(diagnosis)).toContain(expected);
  });

  test.each([
    ['/api/payNotify', '/payNotify', 'the prefix /api was stripped.'],
    ['/payNotify', '/shop/eu/payNotify', 'the prefix /shop/eu was added.'],
    ['//payNotify', '/payNotify', 'the prefix / was stripped.'],
    ['/payNotify/', '/payNotify', 'the slash at the end was dropped.'],
    ['/payNotify', '/payNotify/', 'a slash was added to the end.'],
    ['/antom', '/payNotify', 'the path was changed.'],
    ['/payNotify?a=1', '/payNotify', 'the query was dropped.'],
    ['/payNotify?a=1', '/payNotify?a=1&b=2', 'the query was changed.'],
    ['/api/payNotify', '/payNotify?a=1', 'the prefix /api was stripped, and the query was added.'],
    ['/api/payNotify?a=1', '/payNotify?a=1', 'the prefix /api was stripped.'],
  ])('of %s that came to %s says what became of it', (signed, received, words) => {
    const diagnosis = { code: 'TEXT_CHANGED_PATH', signed, received } as const;
    expect(describeDiagnosis(diagnosis)).toContain(`: on the way ${words}`);
    expect(hintOf(diagnosis)).toContain(`: on the way ${words}`);
  });

  test.each<Diagnosis>([
    { code: 'UNSUPPORTED_ALGORITHM', algorithm: 'canary' },
    { code: 'UNKNOWN_CLIENT', clientId: 'canary', configured: [CLIENT], owner: null },
    { code: 'UNKNOWN_CLIENT', clientId: 'canary', configured: [CLIENT], owner: OWNER },
    {
      code: 'UNKNOWN_CLIENT',
      clientId: 'canary',
      configured: [CLIENT],
      owner: { clientId: CLIENT, forReceived: null },
    },
    {
      code: 'UNKNOWN_CLIENT',
      clientId: 'x',
      configured: [CLIENT],
      owner: { clientId: CLIENT, forReceived: CANARY_PATH },
    },
    { code: 'OTHER_KEY', clientId: CLIENT, owner: { clientId: 'T_other', forReceived: CANARY_PATH } },
    { code: 'UNKNOWN_KEY_VERSION', keyVersion: 'canary', configured: ['1'] },
    CANARY_PATH,
  ])('of %j holds no header and no query in the log, and is the same otherwise', (diagnosis) => {
    expect(describeDiagnosis(diagnosis)).toContain('canary');
    expect(hintOf(diagnosis)).not.toContain('canary');
    expect(hintOf(diagnosis)).toContain('…');
  });

  test('of what quotes nothing is the same in the log', () => {
    const path = { code: 'TEXT_CHANGED_PATH', signed: '/payNotify?', received: '/api/payNotify' } as const;
    for (const diagnosis of [path, { code: 'TEXT_CHANGED' } as const])
      expect(hintOf(diagnosis)).toBe(describeDiagnosis(diagnosis));
  });

  test('quotes what strangers chose shortly, and so that a terminal does nothing', () => {
    const clientId = `\u001b[2J\u00ff${'x'.repeat(10_000)}`;
    const configured = Array.from({ length: 1_000 }, (_, index) => `T_${index}`);
    const sentence = describeDiagnosis({ code: 'UNKNOWN_CLIENT', clientId, configured, owner: null });
    expect(sentence).toContain('The client-id is \\x1b[2J\\xffxxx');
    expect(sentence).toContain('T_4 and 995 more');
    expect(sentence.length).toBeLessThan(600);
  });
});
