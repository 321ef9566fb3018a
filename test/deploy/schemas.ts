import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';

type Schema = Readonly<Record<string, unknown>>;

const readSchema = (name: string): Schema =>
  JSON.parse(readFileSync(new URL(`../fixtures/schemas/${name}`, import.meta.url), 'utf8')) as Schema;

/** Kubernetes drops a field that a schema does not name, in silence: here it is an error. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inside = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inside, additionalProperties: false }
    : inside;
};

/** By kind, for what has no type in kubernetes-types; and the compose file. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  HTTPRoute: closed(readSchema('gateway-api-http-route.json')) as Schema,
  compose: readSchema('compose-spec.json'),
};

// Both are others' schemas: they have formats and keywords that say nothing about validity.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, validateSchema: false });
const validators = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]));

/** What a schema has against a document; empty where it fits. */
export const complaintsBySchema = (name: string, document: unknown): string => {
  const validate = validators[name];
  if (validate === undefined) throw new Error(`there is no schema of ${name}`);
  return validate(document) ? '' : ajv.errorsText(validate.errors, { separator: '\n' });
};
