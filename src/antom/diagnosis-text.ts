import type { Diagnosed, Diagnosis, KeyOwner } from './diagnosis.ts';
import type { NewlineChange } from './diagnosis-body.ts';
import type { MalformedSignature } from './diagnosis-headers.ts';
import type { JsonForm, Layout } from './json-form.ts';
import { pathOf } from './signature.ts';

/** The diagnosis as it is stored and shown. */
export const toDiagnosed = (diagnosis: Diagnosis): Diagnosed => ({
  code: diagnosis.code,
  message: describeDiagnosis(diagnosis),
});

/** The same sentences for the log, which holds no header and no query of a request. */
export const hintOf = (diagnosis: Diagnosis): string => describeDiagnosis(leaveOut(diagnosis));

const leaveOut = (diagnosis: Diagnosis): Diagnosis => {
  switch (diagnosis.code) {
    case 'UNSUPPORTED_ALGORITHM':
      return { ...diagnosis, algorithm: LEFT_OUT };
    case 'UNKNOWN_CLIENT':
      return { ...diagnosis, clientId: LEFT_OUT, owner: leaveOutOf(diagnosis.owner) };
    case 'OTHER_KEY':
      return { ...diagnosis, owner: leaveOutOf(diagnosis.owner) };
    case 'UNKNOWN_KEY_VERSION':
      return { ...diagnosis, keyVersion: LEFT_OUT };
    case 'TEXT_CHANGED_PATH':
      return { ...diagnosis, signed: withoutQuery(diagnosis.signed), received: withoutQuery(diagnosis.received) };
    case 'DUPLICATE_HEADER':
    case 'MISSING_HEADER':
    case 'MALFORMED_SIGNATURE':
    case 'TEXT_CHANGED_JSON':
    case 'TEXT_CHANGED_NEWLINE':
    case 'TEXT_CHANGED_BOM':
    case 'TEXT_CHANGED':
    case 'CUT_ELSEWHERE':
    case 'VERIFIES':
      return diagnosis;
  }
};

const leaveOutOf = (owner: KeyOwner | null): KeyOwner | null =>
  owner?.forReceived ? { ...owner, forReceived: leaveOut(owner.forReceived) } : owner;

const LEFT_OUT = '…';
const withoutQuery = (uri: string): string => uri.replace(/\?.+$/s, `?${LEFT_OUT}`);

/** What a diagnosis means and what to do, in sentences. */
export const describeDiagnosis = (diagnosis: Diagnosis): string => {
  switch (diagnosis.code) {
    case 'DUPLICATE_HEADER':
      return `The request has ${and(diagnosis.headers)} more than once. APO sends each once: a proxy adds it again, or somebody else sent this.`;
    case 'MISSING_HEADER':
      return `The request has no ${diagnosis.headers.join(', no ')}. APO sends all three: a proxy drops it, or somebody else sent this. Make the proxy pass every header on.`;
    case 'MALFORMED_SIGNATURE':
      return `The signature header cannot be read: ${flawOf(diagnosis)}. A proxy changed it, or somebody else sent this.`;
    case 'UNSUPPORTED_ALGORITHM':
      return `The signature header names the algorithm ${shown(diagnosis.algorithm)}. APO signs with RSA256: somebody else sent this.`;
    case 'UNKNOWN_CLIENT':
      return unknownClient(diagnosis);
    case 'UNKNOWN_KEY_VERSION':
      return `The signature names key version ${shown(diagnosis.keyVersion)}; configured: ${list(diagnosis.configured)}. None of the client's keys made it. If APO's dashboard shows a new key, add it to ANTOM_PUBLIC_KEY (or ANTOM_CLIENTS_FILE) beside the old one: ${VERIFIED_AGAIN}.`;
    case 'OTHER_KEY':
      return otherKey(diagnosis);
    case 'TEXT_CHANGED_PATH':
      return `APO signed this request for ${shown(diagnosis.signed)}, and it came to ${shown(diagnosis.received)}: on the way ${pathChange(diagnosis)}. Set PUBLIC_NOTIFY_URL to the URL that is entered at APO, PUBLIC_NOTIFY_URL=https://<host>${shown(diagnosis.signed)} (add it after a comma where others are set), or make the proxy pass the path on as it is and list it in NOTIFY_PATHS. What is stored is then verified again and applied.`;
    case 'TEXT_CHANGED_JSON':
      return `The JSON of the body was written again on the way: APO signed it ${formOf(diagnosis.signed)}. ${BODY_REMEDY}`;
    case 'TEXT_CHANGED_NEWLINE':
      return `On the way ${NEWLINES[diagnosis.change]}. ${BODY_REMEDY}`;
    case 'TEXT_CHANGED_BOM':
      return `On the way the body ${diagnosis.change === 'ADDED' ? 'got' : 'lost'} a byte order mark. ${BODY_REMEDY}`;
    case 'TEXT_CHANGED':
      return UNEXPLAINED;
    case 'CUT_ELSEWHERE':
      return "The signature is genuine and so are the bytes, but they are divided between request-time and body at another dot than APO's. Somebody moved them on purpose: nothing to do but to find out who could read the genuine request.";
    case 'VERIFIES':
      return 'It verifies with the keys and paths that are configured now. A running service applies it within a minute.';
  }
};

/** What a proxy did to the uri. */
const pathChange = ({ signed, received }: { readonly signed: string; readonly received: string }): string => {
  const [before, after] = [pathOf(signed), pathOf(received)];
  const [hadQuery, hasQuery] = [before !== signed, after !== received];
  const query = hadQuery === hasQuery ? 'changed' : hadQuery ? 'dropped' : 'added';
  if (before === after) return `the query was ${query}`;
  return `${prefixChange(before, after)}${hadQuery === hasQuery ? '' : `, and the query was ${query}`}`;
};

const prefixChange = (before: string, after: string): string => {
  if (before === `${after}/`) return 'the slash at the end was dropped';
  if (after === `${before}/`) return 'a slash was added to the end';
  if (before.endsWith(after)) return `the prefix ${shown(before.slice(0, -after.length))} was stripped`;
  if (after.endsWith(before)) return `the prefix ${shown(after.slice(0, -before.length))} was added`;
  return 'the path was changed';
};

const SENT_AGAIN =
  'What was changed cannot be repaired here, only sent again by APO: set UNVERIFIED_REPLY=refuse until it is corrected.';

const BODY_REMEDY = `Make what stands in front (proxy, firewall, body parser) pass the body on byte for byte. ${SENT_AGAIN}`;

const VERIFIED_AGAIN = 'what is stored is then verified again and applied';

const COMPARE =
  'Compare what your proxy receives with what it passes on: path, query, client-id, request-time, body. A query that it drops cannot be derived: if the URL entered at APO has one, set PUBLIC_NOTIFY_URL to that URL, or add it there after a comma.';

const UNEXPLAINED = `A configured key made this signature, for another text than the one that came, and no change that is tried leads back to it (another path or query that can be derived, JSON written again, newlines, a byte order mark). The key is right. ${COMPARE}`;

const unknownClient = ({
  clientId,
  configured,
  owner,
}: Extract<Diagnosis, { readonly code: 'UNKNOWN_CLIENT' }>): string => {
  const clients = `The client-id is ${shown(clientId)}; configured: ${list(configured)}.`;
  if (owner === null)
    return `${clients} If it is yours, configure it with its key (ANTOM_CLIENT_ID and ANTOM_PUBLIC_KEY, or ANTOM_CLIENTS_FILE); otherwise somebody else sent this.`;
  const remedy = `Where ${shown(owner.clientId)} is mistyped, set ANTOM_CLIENT_ID (or the clientId in ANTOM_CLIENTS_FILE) to the one received; where both are yours, add the one received to ANTOM_CLIENTS_FILE with that key`;
  return `${clients} ${signedByOwner(owner, { clientId, remedy })}`;
};

const otherKey = ({ clientId, owner }: Extract<Diagnosis, { readonly code: 'OTHER_KEY' }>): string =>
  owner === null
    ? `No key that is configured for ${shown(clientId)} made this signature. Usually the merchant's own public key is configured instead of APO's, or the key of another client or environment (sandbox, production); otherwise somebody else sent this. Set ANTOM_PUBLIC_KEY (or ANTOM_CLIENTS_FILE) to APO's public key for this client, from the dashboard: ${VERIFIED_AGAIN}.`
    : signedByOwner(owner, { clientId, remedy: 'Correct the keys of the two in ANTOM_CLIENTS_FILE' });

interface Received {
  readonly clientId: string;
  /** What corrects the configuration, where the client id received is the one that was signed. */
  readonly remedy: string;
}

const signedByOwner = ({ clientId: owner, forReceived }: KeyOwner, { clientId, remedy }: Received): string => {
  const made = `The key that is configured for ${shown(owner)} made the signature`;
  if (forReceived === null)
    return `${made}, for the client-id ${shown(owner)}, and ${shown(clientId)} came: the header was changed on the way. The client id and key that are configured are right. Make what stands in front (proxy, firewall) pass client-id on as it is. ${SENT_AGAIN}`;
  if (forReceived.code === 'TEXT_CHANGED')
    return `${made}, for another text than the one that came: neither client id fits, nor any change that is tried with the one received. ${COMPARE}`;
  if (forReceived.code === 'CUT_ELSEWHERE') return `${made}. ${describeDiagnosis(forReceived)}`;
  const correct = `${made}, for the client-id received: the key is one of that client. ${remedy}`;
  return forReceived.code === 'VERIFIES'
    ? `${correct}: ${VERIFIED_AGAIN}.`
    : `${correct}. That is not all: ${describeDiagnosis(forReceived)}`;
};

const flawOf = (malformed: MalformedSignature): string => {
  switch (malformed.flaw) {
    case 'NO_FIELD':
      return 'a part of it is no name=value';
    case 'FIELD_TWICE':
      return 'a field of it stands twice';
    case 'NO_ALGORITHM':
      return 'it names no algorithm';
    case 'EMPTY_KEY_VERSION':
      return 'its keyVersion is empty';
    case 'NO_SIGNATURE':
      return 'it holds no signature';
    case 'BROKEN_PERCENT':
      return 'its percent-encoding is broken';
    case 'ENCODED_TWICE':
      return 'the signature is percent-encoded twice';
    case 'PLUS_BECAME_SPACE':
      return 'the signature holds spaces where Base64 has +, as after form decoding';
    case 'NOT_BASE64':
      return 'the signature is not Base64';
    case 'LENGTH':
      return `the signature has ${malformed.bytes} bytes, and the keys of this client make ${and(malformed.expected.map(String))}; it was cut off, or another key made it`;
  }
};

const NEWLINES: Readonly<Record<NewlineChange, string>> = {
  LF_ADDED: 'a newline (LF) was added to the end of the body',
  LF_LOST: 'the newline (LF) at the end of the body was lost',
  CRLF_ADDED: 'a newline (CRLF) was added to the end of the body',
  CRLF_LOST: 'the newline (CRLF) at the end of the body was lost',
  LF_BECAME_CRLF: 'each newline of the body became CRLF from LF',
  CRLF_BECAME_LF: 'each newline of the body became LF from CRLF',
};

const LAYOUT_TEXTS: Readonly<Record<Layout, string>> = {
  COMPACT: 'without spaces between its parts',
  SPACED: 'with a space after each comma and colon',
  INDENTED_2: 'indented by two spaces',
  INDENTED_4: 'indented by four spaces',
};

const formOf = ({ layout, sorted, slash, unicode }: JsonForm): string =>
  and([
    ...(layout === null ? [] : [LAYOUT_TEXTS[layout]]),
    ...(sorted ? ['with its keys sorted'] : []),
    ...(slash === null ? [] : [`with / written as ${slash === 'PLAIN' ? '/' : '\\/'}`]),
    ...(unicode === null ? [] : [UNICODE_TEXTS[unicode]]),
  ]);

const UNICODE_TEXTS: Readonly<Record<NonNullable<JsonForm['unicode']>, string>> = {
  PLAIN: 'with characters written as themselves, not as \\u escapes',
  ESCAPED: 'with characters beyond ASCII as \\u escapes',
  ESCAPED_UPPER: 'with characters beyond ASCII as \\u escapes of capital digits',
};

const and = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const LONGEST = 120;
const LISTED = 5;

/** What a stranger chose: short, and nothing in it that could be taken for something else. */
const shown = (text: string): string => {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut === ''
    ? '(empty)'
    : cut.replaceAll(/[^\x21-\x7e…]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
};

const list = (values: readonly string[]): string => {
  const more = values.length - LISTED;
  const some = values.slice(0, LISTED).map(shown).join(', ');
  if (values.length === 0) return 'none';
  return more > 0 ? `${some} and ${more} more` : some;
};
