import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { VERSION } from '../../version.ts';
import { ok } from './answer.ts';
import { ALWAYS, endpoint, OF_STORE, OF_WRITING, type Operation, TAGS } from './endpoint.ts';
import { type ProblemCode, type ProblemKind, PROBLEM_SHAPES, PROBLEMS } from './problems.ts';
import { nothing } from './query.ts';

/** An OpenAPI document. */
type Document = Readonly<Record<string, unknown>>;

interface DocumentNeeds {
  readonly document: () => Document;
}

export const describeApi = endpoint({
  method: 'get',
  path: '/openapi.json',
  name: 'describeApi',
  tag: 'Service',
  summary: 'This document',
  description: 'OpenAPI 3.1. `paynotify openapi` prints the same.',
  access: 'readers, at any time',
  id: null,
  query: nothing,
  body: null,
  responses: {
    200: { means: 'The document.', body: z.record(z.string(), z.unknown()).meta({ id: 'OpenApiDocument' }) },
  },
  problems: [],
  answer: ({ document }: DocumentNeeds) => {
    let made: Document | null = null;
    return async () => ok((made ??= document()));
  },
});

type JsonSchema = Readonly<Record<string, unknown>>;

/** Turns a schema into JSON Schema: of what is sent to us (`input`), or of what we answer (`output`). */
type Convert = (schema: z.ZodType, io: 'input' | 'output') => JsonSchema;

const ABOUT =
  'What operators and shops use: read orders and notifications, register what is expected, review, find, redrive. Errors are `application/problem+json` with a `code` of a closed set and a `detail` that says what to do. GET also answers HEAD.';

/** The OpenAPI 3.1 document of these operations. */
export const createDocument = (operations: readonly Operation[]): Document => {
  const { convert, schemas } = createConversion();
  const paths = [...Map.groupBy(operations, ({ path }) => path)].map(([path, ofPath]) => [
    path.replace(':id', '{id}'),
    Object.fromEntries(ofPath.map((operation) => [operation.method, describe(operation, convert)])),
  ]);
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'paynotify',
      summary: 'The admin API of the receiver for Antom / APO payment notifications.',
      description: ABOUT,
      version: VERSION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The admin listener (`ADMIN_HOST`, `ADMIN_PORT`).' }],
    // Without a configured token only requests to a loopback name are answered, and those need none.
    security: [{ token: [] }, {}],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: schemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: '`ADMIN_TOKEN`, or `ADMIN_READ_TOKEN`, which may only GET and HEAD.',
        },
      },
    },
  };
  return JSON.parse(JSON.stringify(document)) as Document;
};

const REFERENCE = /^#\/\$defs\//;

/** Gathers the schemas that have a name, each once, and refers to them by it. */
const createConversion = (): { readonly convert: Convert; readonly schemas: () => Record<string, unknown> } => {
  const named = new Map<string, unknown>();
  const converted = { input: new Map<z.ZodType, JsonSchema>(), output: new Map<z.ZodType, JsonSchema>() };
  const gather = (definitions: JsonSchema): void => {
    for (const [name, definition] of Object.entries(definitions)) {
      if (named.has(name) && !isDeepStrictEqual(named.get(name), definition))
        throw new Error(`two schemas have the name ${name}`);
      named.set(name, definition);
    }
  };
  return {
    convert: (schema, io) => {
      const before = converted[io].get(schema);
      if (before !== undefined) return before;
      const text = JSON.stringify(z.toJSONSchema(schema, { io }), (key, value: unknown) =>
        key === '$ref' ? String(value).replace(REFERENCE, '#/components/schemas/') : value,
      );
      const { $schema: _dialect, $defs = {}, ...json } = JSON.parse(text) as JsonSchema & { $defs?: JsonSchema };
      gather($defs);
      converted[io].set(schema, json);
      return json;
    },
    schemas: () => Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};

const describe = (operation: Operation, convert: Convert): object => {
  const { name, tag, summary, description, access, body } = operation;
  const isForAnybody = access === 'anybody, at any time';
  const parameters = [...pathParameters(operation, convert), ...queryParameters(operation, convert)];
  return {
    operationId: name,
    tags: [tag],
    summary,
    description,
    ...(isForAnybody ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: convert(body, 'input') } } } }),
    responses: {
      ...successes(operation, convert),
      ...(isForAnybody ? NO_HTTP : refusals(operation, convert)),
    },
  };
};

/** The description is that of the parameter. */
const pathParameters = ({ id }: Operation, convert: Convert): readonly object[] => {
  if (id === null) return [];
  const { description: _rule, ...schema } = convert(id.schema, 'input');
  return [{ name: 'id', in: 'path', required: true, description: id.means, schema }];
};

const queryParameters = ({ query }: Operation, convert: Convert): readonly object[] => {
  if (query === null) return [];
  const { properties = {}, required = [] } = convert(query, 'input') as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  // One that says nothing about itself has no description: JSON has no undefined.
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description,
    schema,
  }));
};

const successes = ({ responses }: Operation, convert: Convert): object =>
  Object.fromEntries(
    Object.entries(responses).map(([status, { means, body, contentType = 'application/json' }]) => {
      const [mediaType = ''] = contentType.split(';');
      return [status, { description: means, content: { [mediaType]: { schema: convert(body, 'output') } } }];
    }),
  );

/** Whoever may ask is not refused, but by Node itself. */
const NO_HTTP = { '4XX': { description: 'The request is no HTTP, or its headers are too large. There is no body.' } };

/** What an operation refuses: its own problems, and those that every request may meet. */
const problemsOf = ({ access, method, problems }: Operation): readonly ProblemCode[] => [
  ...ALWAYS,
  ...(access === 'readers, while the store is open' ? OF_STORE : []),
  ...(method === 'get' ? [] : OF_WRITING),
  ...problems,
];

const refusals = (operation: Operation, convert: Convert): object =>
  Object.fromEntries(
    [...Map.groupBy(problemsOf(operation), (code) => PROBLEMS[code].status)].map(([status, codes]) => {
      const kinds: readonly ProblemKind[] = codes.map((code) => PROBLEMS[code]);
      const shapes = codes.map((code) => convert(PROBLEM_SHAPES[code], 'output'));
      const headers = kinds.flatMap((kind) => Object.keys(kind.headers ?? {}));
      return [
        status,
        {
          description: kinds.map(({ means }) => means).join(' '),
          ...(headers.length === 0
            ? {}
            : { headers: Object.fromEntries(headers.map((header) => [header, { schema: { type: 'string' } }])) }),
          content: { 'application/problem+json': { schema: shapes.length === 1 ? shapes[0] : { anyOf: shapes } } },
        },
      ];
    }),
  );
