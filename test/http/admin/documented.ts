import type { IncomingMessage, ServerResponse } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Express } from 'express';
import type { z } from 'zod';
import { ENDPOINTS } from '../../../src/http/admin/endpoints.ts';
import { createDocument } from '../../../src/http/admin/openapi.ts';
import { PROBLEM_SHAPES } from '../../../src/http/admin/problems.ts';

/* Compares what the admin app answers with its OpenAPI document. */

type Content = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: { readonly type?: string };
}
interface DocumentedOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
export const DOCUMENT = createDocument(ENDPOINTS) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
};

const ajv = new Ajv2020({ strict: true, allErrors: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components']);
ajv.addSchema(DOCUMENT, 'openapi.json');

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const PATTERNS = Object.keys(DOCUMENT.paths).map(
  (path) => [path, new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)] as const,
);

interface Asked {
  readonly method: string;
  /** The request target. */
  readonly url: string;
  /** As sent; empty where there is none. */
  readonly sent: string;
}

interface Answered extends Omit<Asked, 'sent'> {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the document says of a request; null where it says nothing. */
export const operationOf = (
  method: string,
  url: string,
): { readonly place: readonly string[]; readonly operation: DocumentedOperation } | null => {
  const path = PATTERNS.find(([, pattern]) => pattern.test(url.replace(/\?.*$/s, '')))?.[0] ?? '';
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  const operation = DOCUMENT.paths[path]?.[verb];
  return operation === undefined ? null : { place: ['paths', path, verb], operation };
};

/** How an answer differs from what the document says; empty where it does not. */
export const differences = ({ method, url, status, contentType, body }: Answered): readonly string[] => {
  const said = (what: string): string => `${method} ${url}: ${status} ${what}`;
  const type = contentType.replace(/;.*$/, '');
  const found = operationOf(method, url);
  if (found === null) return isProblem(type, body) ? [] : [said('of no operation is no problem of ours')];
  const response = found.operation.responses[status];
  if (response?.content === undefined || !(type in response.content)) return [said(`as ${type} is not documented`)];
  if (method === 'HEAD') return [];
  const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
  return faults([...found.place, 'responses', String(status), 'content', type, 'schema'], value).map(said);
};

/** How a request that was accepted differs from what the document says may be asked; empty where it does not. */
export const differencesInRequest = ({ method, url, sent }: Asked): readonly string[] => {
  const found = operationOf(method, url);
  if (found === null) return [`${method} ${url} is no operation`];
  const { parameters = [], requestBody } = found.operation;
  const query = new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? '');
  const unknown = [...query.keys()].filter((name) =>
    parameters.every((one) => one.name !== name || one.in !== 'query'),
  );
  return [
    ...unknown.map((name) => `takes no parameter ${name}`),
    ...parameters.flatMap((parameter, index) => {
      const text = query.get(parameter.name);
      if (parameter.in === 'path') return [];
      if (text === null) return parameter.required ? [`needs the parameter ${parameter.name}`] : [];
      return faults([...found.place, 'parameters', String(index), 'schema'], valueOf(text, parameter));
    }),
    ...(requestBody === undefined
      ? []
      : faults([...found.place, 'requestBody', 'content', 'application/json', 'schema'], JSON.parse(sent))),
  ].map((what) => `${method} ${url} is accepted: ${what}`);
};

const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);

/** A parameter's text as its type says. */
const valueOf = (text: string, { schema }: Parameter): unknown => {
  if (schema.type === 'integer') return Number(text);
  return schema.type === 'boolean' ? (BOOLEANS.get(text) ?? text) : text;
};

/** What is wrong with a value by the schema at a place of the document. */
const faults = (place: readonly string[], value: unknown): readonly string[] => {
  const validate = ajv.getSchema(`openapi.json#/${place.map(escaped).join('/')}`);
  if (validate === undefined) throw new Error(`there is no schema at ${place.join(' ')}`);
  void validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
};

const SHAPES = new Map<unknown, z.ZodType>(Object.entries(PROBLEM_SHAPES));

/** Of a path or a method that is not there, of which the document says nothing. */
const isProblem = (type: string, body: string): boolean => {
  if (type !== 'application/problem+json') return false;
  if (body === '') return true;
  const problem = JSON.parse(body) as { readonly code?: unknown };
  return SHAPES.get(problem.code)?.safeParse(problem).success === true;
};

/** Notes how each answer of the app, and each request that it has accepted, differs from the document. */
export const compareAnswers = (app: Express, note: (difference: string) => void): void => {
  const { handle } = app as unknown as { readonly handle: Handle };
  const compared: Handle = (request, response, next) => {
    const { method = '', url = '' } = request;
    const end = response.end.bind(response) as (body?: string) => ServerResponse;
    const answered = (body?: string): ServerResponse => {
      const contentType = String(response.getHeader('Content-Type'));
      const found = differences({ method, url, status: response.statusCode, contentType, body: body ?? '' });
      found.forEach(note);
      if (response.statusCode < 300) differencesInRequest({ method, url, sent: sentWith(request) }).forEach(note);
      return end(body);
    };
    Object.assign(response, { end: answered });
    handle.call(app, request, response, next);
  };
  Object.assign(app, { handle: compared });
};

/** The body, as the app's own reader has kept it. */
const sentWith = (request: IncomingMessage): string =>
  'body' in request && Buffer.isBuffer(request.body) ? request.body.toString() : '';

type Handle = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;
