import { isUtf8 } from 'node:buffer';
import type { VerifiedNotification } from '../antom/signature.ts';
import { type Identifier, IDENTIFIER_NAMES, isIdentifier } from '../order/identifier.ts';
import type { Reading, ReadNotification } from '../order/reading.ts';
import type { JsonObject } from '../order/statement.ts';
import { isMissing, isObject } from './fields.ts';
import type { Handlers } from './handler.ts';
import { handlers as builtIn } from './index.ts';
import { excessOf } from './limits.ts';

/** The only way to a ReadNotification. Never throws. */
export const readNotification = (
  notification: VerifiedNotification,
  handlers: Handlers = builtIn,
): ReadNotification => {
  const { clientId, method, target, requestTime, signature, body } = notification;
  const raw = { method, target, requestTime, signature, body };
  return { clientId, raw, reading: readBody(body, handlers) } as unknown as ReadNotification;
};

/** Reads the body of a verified notification, just received or long since stored. Never throws. */
export const readBody = (body: Uint8Array, handlers: Handlers = builtIn): Reading => {
  const { json, problem } = decode(body);
  if (json === null) return { ...UNKNOWN, outcome: 'MALFORMED', problem, identifiers: [] };
  const reading = readJson(json, handlers);
  return problem === null ? reading : beyondLimits(reading, problem);
};

/**
 * It keeps what it names, by which it joins its order as one that could not be read. A kind of which nothing is read is
 * not too much either: it stays what it is.
 */
const beyondLimits = (reading: Reading, problem: string): Reading =>
  reading.outcome === 'UNHANDLED' && reading.kind !== 'UNKNOWN'
    ? reading
    : { ...reading, outcome: 'MALFORMED', problem, statements: [] };

const readJson = (json: JsonObject, handlers: Handlers): Reading => {
  const reading = readByTable(json, handlers);
  return typeof json['notifyType'] === 'string' || isMissing(json['notifyType']) ? reading : withoutType(reading);
};

/** A kind that other fields tell joins its order as one that could not be read. */
const withoutType = ({ kind, outcome, identifiers }: Reading): Reading => ({
  kind: outcome === 'UNHANDLED' ? 'UNKNOWN' : kind,
  outcome: 'MALFORMED',
  problem: 'notifyType must be a string.',
  identifiers,
  statements: [],
});

const readByTable = (json: JsonObject, handlers: Handlers): Reading => {
  const identifiers = identifiersOf(json);
  for (const handler of handlers) {
    const { kind } = handler;
    try {
      if (handler.matches(json)) return { kind, identifiers, ...handler.read(json) };
    } catch (error) {
      return { kind, outcome: 'FAILED', problem: faultOf(error), identifiers, statements: [] };
    }
  }
  return { ...UNKNOWN, outcome: 'UNHANDLED', problem: null, identifiers };
};

const UNKNOWN = { kind: 'UNKNOWN', statements: [] } as const;

/** With both, the JSON is beyond the limits and is only the outermost of it. */
export type Decoded =
  | { readonly json: JsonObject; readonly problem: string | null }
  | { readonly json: null; readonly problem: string };

/** Invalid UTF-8 is refused, not repaired. Of duplicate keys the last one wins. */
export const decode = (body: Uint8Array): Decoded => {
  if (!isUtf8(body)) return { json: null, problem: 'The body is not UTF-8.' };
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (text.startsWith('\ufeff')) return { json: null, problem: 'The body begins with a byte order mark.' };
  const excess = excessOf(text);
  const json = parse(excess === null ? text : excess.shallow);
  if (json === undefined) return { json: null, problem: 'The body is not JSON.' };
  return isObject(json)
    ? { json, problem: excess === null ? null : excess.problem }
    : { json: null, problem: 'The body is not a JSON object.' };
};

/** Undefined for what is no JSON. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const identifiersOf = (json: JsonObject): readonly Identifier[] => {
  const identifiers: Identifier[] = [];
  for (const name of IDENTIFIER_NAMES) {
    const value = json[name];
    if (isIdentifier(value)) identifiers.push({ name, value });
  }
  return identifiers;
};

/** Only the class: a message may quote the notification. */
export const faultOf = (error: unknown): string =>
  `${error instanceof Error ? error.constructor.name : 'Error'}: a fault of paynotify, not of the notification, which is kept and read again.`;
