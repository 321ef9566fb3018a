import { complaints, type ObjectSchema } from './complaints.ts';
import { problem, type Refusal } from './problem.ts';

/** Only bytes that are UTF-8 and nothing else: a replaced character would register another reference. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Sent {
  readonly contentType: string;
  readonly body: Uint8Array;
}

type Read<T> = { readonly said: T } | { readonly refusal: Refusal<'UNSUPPORTED_BODY' | 'MALFORMED_REQUEST'> };

/** Reads a JSON body by a strict schema, or says why it is refused. */
export const readSaid = <T>({ contentType, body }: Sent, schema: ObjectSchema<T>): Read<T> => {
  if (!/^application\/json *(;|$)/i.test(contentType)) {
    return {
      refusal: problem('UNSUPPORTED_BODY', 'The body has to be application/json; {} where nothing is to be said.'),
    };
  }
  let input: unknown;
  try {
    input = JSON.parse(utf8.decode(body));
  } catch {
    return { refusal: problem('MALFORMED_REQUEST', 'The body is not JSON; {} where nothing is to be said.') };
  }
  const read = schema.safeParse(input);
  return read.success ? { said: read.data } : { refusal: notUnderstood(complaints(read.error, schema)) };
};

/** Some clients send an empty object where there is no body. */
export const readNothing = ({ body }: Pick<Sent, 'body'>): Read<undefined> =>
  body.length === 0 || /^\s*\{\s*\}\s*$/.test(Buffer.from(body).toString('latin1'))
    ? { said: undefined }
    : {
        refusal: problem(
          'MALFORMED_REQUEST',
          'This path takes no body: what it takes is given in the path and the query.',
        ),
      };

export const notUnderstood = (reason: string): Refusal<'MALFORMED_REQUEST'> =>
  problem('MALFORMED_REQUEST', `The body is not understood: ${reason}.`);
