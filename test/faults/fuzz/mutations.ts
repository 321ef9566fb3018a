import type { SignedRequest } from '../../../src/antom/signature.ts';
import type { Random } from '../random.ts';
import { genuineRequests } from './requests.ts';

/** One change that somebody between the sender and us could make; some of them leave the request as good as it was. */
type Mutation = (request: SignedRequest, random: Random) => SignedRequest;

/** What Node's parser lets through in a header. */
const HEADER_CHARACTERS = [
  ...Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)),
  ...'\t%=,+/-_%=,\u0080\u00a0\u00ff'.split(''),
];

const editText = (text: string, random: Random): string => {
  const at = random.below(text.length + 1);
  const character = random.pick(HEADER_CHARACTERS);
  return random.pick([
    text.slice(0, at) + character + text.slice(at + 1),
    text.slice(0, at) + character + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.slice(0, at),
    text + text,
  ]);
};

type Name = 'clientIds' | 'requestTimes' | 'signatures';
const NAMES: readonly Name[] = ['clientIds', 'requestTimes', 'signatures'];

const changeHeader =
  (name: Name, change: (text: string, random: Random) => string): Mutation =>
  (request, random) => ({
    ...request,
    [name]: request[name].map((text) => change(text, random)),
  });

/** Changes the value of the field `signature` alone. */
const changeSignature = (change: (value: string, random: Random) => string): Mutation =>
  changeHeader('signatures', (text, random) =>
    text.replace(/(signature=)([\s\S]*)$/, (_all, name: string, value: string) => name + change(value, random)),
  );

const anyEscape = (value: string, random: Random): string =>
  value
    .split('')
    .map((character) => {
      const hex = character.charCodeAt(0).toString(16).padStart(2, '0');
      return random.chance(0.05) ? `%${random.chance(0.5) ? hex : hex.toUpperCase()}` : character;
    })
    .join('');

const SIGNATURE: readonly Mutation[] = [
  changeHeader('signatures', editText),
  changeSignature(editText),
  changeSignature(anyEscape),
  changeSignature((value) => value.replaceAll(/%../g, (escape) => escape.toLowerCase())),
  changeSignature((value) => decodeURIComponent(value.replaceAll(/%(?![0-9a-f]{2})/gi, '%25')).replaceAll('+', ' ')),
  changeSignature((value) => value.replaceAll(/%2B|\+/gi, '-').replaceAll(/%2F|\//gi, '_')),
  changeSignature((value) => value.replaceAll(/%2B|\+/gi, '-')),
  changeSignature((value) => value.replaceAll(/%3D|=/gi, '')),
  changeSignature((value) => `${value}%3D`),
  changeSignature((value, random) => `${value}${random.pick(['%ZZ', '%', '%4', '%C3%A9', '%00', '%0A', ' '])}`),
  changeSignature((_value, random) => random.bytes(random.pick([256, 384, 255, 257, 1])).toString('base64')),
  // The last digit carries spare bits.
  changeSignature((value, random) =>
    value.replace(/[A-Za-z0-9](?=(?:%3D|=)*$)/, () => random.pick('AQgwBRhx'.split(''))),
  ),
  changeHeader('signatures', (text, random) => random.shuffled(text.split(',')).join(random.pick([',', ', ', ' ,\t']))),
  changeHeader('signatures', (text, random) => `${text},${random.pick(text.split(','))}`),
  changeHeader(
    'signatures',
    (text, random) => `${text}${random.pick([',', ',extra=1', ',extra', ',=1', ',extra=1,extra=2'])}`,
  ),
  changeHeader('signatures', (text, random) =>
    text.replace('RSA256', () => random.pick(['rsa256', 'RSA512', '', 'none', ' RSA256 '])),
  ),
  changeHeader('signatures', (text, random) =>
    text.replace(/keyVersion=[^,]*/, () => `keyVersion=${random.pick(['', '1', '2', '3', ' 1 ', '01'])}`),
  ),
];

const HEADERS: readonly Mutation[] = [
  changeHeader('clientIds', editText),
  changeHeader('clientIds', (_text, random) => random.pick(genuineRequests()).clientIds[0] ?? ''),
  changeHeader('requestTimes', editText),
  changeHeader('requestTimes', (_text, random) => random.pick(genuineRequests()).requestTimes[0] ?? ''),
  (request, random) => ({ ...request, [random.pick(NAMES)]: random.pick([[], ['']]) }),
  (request, random) => {
    const name = random.pick(NAMES);
    return { ...request, [name]: [...request[name], ...random.pick([request, random.pick(genuineRequests())])[name]] };
  },
  // A signature of something else.
  (request, random) => ({ ...request, signatures: random.pick(genuineRequests()).signatures }),
];

const TARGET: readonly Mutation[] = [
  (request, random) => ({ ...request, target: editText(request.target, random).replaceAll(/[^\x21-\x7e]/g, '/') }),
  (request, random) => ({
    ...request,
    target: `${request.target}${random.pick(['/', '?', '?shop=1', '&b=2', '%2F'])}`,
  }),
  (request) => ({ ...request, target: request.target.replace(/\?.*$/, '') }),
  (request) => ({ ...request, target: request.target.toUpperCase() }),
  (request, random) => ({ ...request, target: random.pick(genuineRequests()).target }),
];

const editBytes = (body: Uint8Array, random: Random): Buffer => {
  const at = random.below(body.length + 1);
  const before = body.subarray(0, at);
  const [byte = 0] = body.subarray(at);
  return Buffer.concat(
    random.pick([
      [before, random.bytes(1), body.subarray(at)],
      [before, body.subarray(at + 1)],
      [before],
      [before, Buffer.from([byte ^ (1 << random.below(8))]), body.subarray(at + 1)],
    ]),
  );
};

const BODY: readonly Mutation[] = [
  (request, random) => ({ ...request, body: editBytes(request.body, random) }),
  (request, random) => ({
    ...request,
    body: Buffer.concat([request.body, Buffer.from(random.pick(['\n', '\r\n', ' ', '}']))]),
  }),
  (request) => ({ ...request, body: Buffer.concat([Buffer.from('\ufeff'), request.body]) }),
  (request, random) => ({ ...request, body: random.pick(genuineRequests()).body }),
];

/** The same signed text, cut at another dot: between client and time, or between time and body. */
const CUTS: readonly Mutation[] = [
  (request, random) => {
    const parts = `${request.clientIds[0]}.${request.requestTimes[0]}`.split('.');
    const at = 1 + random.below(Math.max(parts.length - 1, 1));
    return { ...request, clientIds: [parts.slice(0, at).join('.')], requestTimes: [parts.slice(at).join('.')] };
  },
  (request, random) => {
    const text = `${request.requestTimes[0]}.${Buffer.from(request.body).toString('latin1')}`;
    const dots = [...text.matchAll(/\./g)].map(({ index }) => index);
    const at = dots.length === 0 ? text.length : random.pick(dots);
    return { ...request, requestTimes: [text.slice(0, at)], body: Buffer.from(text.slice(at + 1), 'latin1') };
  },
];

const KINDS = [SIGNATURE, HEADERS, TARGET, BODY, CUTS] as const;

const MOST_CHANGES = 2;

/** A genuine request with none, one or two changes. */
export const drawRequest = (random: Random): SignedRequest => {
  let request = random.pick(genuineRequests());
  for (let changes = random.below(MOST_CHANGES + 1); changes > 0; changes -= 1)
    request = random.pick<Mutation>(random.pick(KINDS))(request, random);
  return request;
};
