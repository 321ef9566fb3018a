import { type JsonForm, jsonForms } from './json-form.ts';

/** What became of the newlines between the sender and here. */
export type NewlineChange = 'LF_ADDED' | 'LF_LOST' | 'CRLF_ADDED' | 'CRLF_LOST' | 'LF_BECAME_CRLF' | 'CRLF_BECAME_LF';

/** What a change of the body is diagnosed as. `signed` is how the JSON that was signed differs in form. */
export type BodyDiagnosis =
  | { readonly code: 'TEXT_CHANGED_JSON'; readonly signed: JsonForm }
  | { readonly code: 'TEXT_CHANGED_NEWLINE'; readonly change: NewlineChange }
  | { readonly code: 'TEXT_CHANGED_BOM'; readonly change: 'ADDED' | 'LOST' };

/** A body that may have been signed instead of the one that came, and what that would mean. */
export interface OtherBody {
  readonly bytes: Uint8Array;
  readonly diagnosis: BodyDiagnosis;
}

const BOM = Buffer.of(0xef, 0xbb, 0xbf);
const LF = Buffer.from('\n');
const CRLF = Buffer.from('\r\n');

/** The bodies that may have been signed, for what proxies and body parsers are known to do: bounded. */
export function* bodiesFor(received: Uint8Array): Generator<OtherBody, void, undefined> {
  const body = Buffer.from(received.buffer, received.byteOffset, received.byteLength);
  const hasBom = body.subarray(0, BOM.length).equals(BOM);
  if (hasBom) yield { bytes: body.subarray(BOM.length), diagnosis: { code: 'TEXT_CHANGED_BOM', change: 'ADDED' } };
  else yield { bytes: Buffer.concat([BOM, body]), diagnosis: { code: 'TEXT_CHANGED_BOM', change: 'LOST' } };
  for (const [change, bytes] of withOtherNewlines(body))
    yield { bytes, diagnosis: { code: 'TEXT_CHANGED_NEWLINE', change } };
  for (const { text, form } of jsonForms(body))
    yield { bytes: Buffer.from(text), diagnosis: { code: 'TEXT_CHANGED_JSON', signed: form } };
}

function* withOtherNewlines(body: Buffer): Generator<readonly [NewlineChange, Buffer], void, undefined> {
  if (endsWith(body, CRLF)) yield ['CRLF_ADDED', body.subarray(0, -CRLF.length)];
  if (endsWith(body, LF)) yield ['LF_ADDED', body.subarray(0, -LF.length)];
  yield ['LF_LOST', Buffer.concat([body, LF])];
  yield ['CRLF_LOST', Buffer.concat([body, CRLF])];
  if (!body.includes(LF)) return;
  const text = body.toString('latin1');
  yield ['CRLF_BECAME_LF', Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'latin1')];
  yield ['LF_BECAME_CRLF', Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1')];
}

const endsWith = (body: Buffer, end: Buffer): boolean => body.subarray(-end.length).equals(end);
