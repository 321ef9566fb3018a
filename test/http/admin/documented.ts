import type { IncomingMessage, ServerResponse } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Express } from 'express';
import type { z } from 'zod';
import { ENDPOINTS } from '../../../src/http/admin/endpoints.ts';
import { createDocument } from '../../../src/http/admin/openapi.ts';
import { PROBLEM_SHAPES } from '../../../src/http/admin/problems.ts';

/* Compares what the admin app answers with its OpenAPI document. */

interface DocumentedOperation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
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

interface Answered {
  readonly method: string;
  /** The request target. */
  readonly url: string;
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
  const place = [...found.place, 'responses', String(status), 'content', type, 'schema'].map(escaped).join('/');
  const validate = ajv.getSchema(`openapi.json#/${place}`);
  if (validate === undefined) throw new Error(`there is no schema at ${place}`);
  void validate(JSON.parse(body));
  return (validate.errors ?? []).map(({ instancePath, message = '', params }) =>
    said(`${instancePath} ${message} ${JSON.stringify(params)}`),
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

/** Notes how each answer of the app differs from the document. */
export const compareAnswers = (app: Express, note: (difference: string) => void): void => {
  const { handle } = app as unknown as { readonly handle: Handle };
  const compared: Handle = (request, response, next) => {
    const { method = '', url = '' } = request;
    const end = response.end.bind(response) as (body?: string) => ServerResponse;
    const answered = (body?: string): ServerResponse => {
      const contentType = String(response.getHeader('Content-Type'));
      const found = differences({ method, url, status: response.statusCode, contentType, body: body ?? '' });
      found.forEach(note);
      return end(body);
    };
    Object.assign(response, { end: answered });
    handle.call(app, request, response, next);
  };
  Object.assign(app, { handle: compared });
};

type Handle = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;
