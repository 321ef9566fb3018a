import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECRETS, VARIABLES } from '../../src/config.ts';
import type { Signer } from '../support/client.ts';
import type { Environment } from '../support/receiver.ts';
import { createSecret } from '../support/example-shop.ts';
import { readProject } from './typed.ts';

/** What the image sets: the ENV of its last stage. */
export const imageEnv: Environment = Object.fromEntries(
  [
    ...(
      readProject('Dockerfile')
        .split(/^FROM /m)
        .at(-1) ?? ''
    ).matchAll(/^(?:ENV|\s+)\s*([A-Z_]+)=(?:"([^"]*)"|(\S+))/gm),
  ].map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]),
);

/** Every variable that we, Node or its C library read. */
export const READ: ReadonlySet<string> = new Set([
  ...VARIABLES,
  ...SECRETS.map((name) => `${name}_FILE`),
  'NODE_COMPILE_CACHE',
  'MALLOC_ARENA_MAX',
  'NODE_OPTIONS',
]);

const SECRET = createSecret();

/** What stands in the files that are named. */
const contentsFor = ({ publicKey }: Signer): Environment => ({
  ANTOM_PUBLIC_KEY_FILE: publicKey,
  DATABASE_URL_FILE: 'postgres://paynotify:secret@database:5432/paynotify',
  ADMIN_TOKEN_FILE: 'a'.repeat(32),
  ADMIN_READ_TOKEN_FILE: 'r'.repeat(32),
  CALLBACK_SECRETS_FILE: SECRET,
});

/** On top of the image's, what somebody fills in: the client, and in `directory` one file for each that is named. */
export const filledIn = (env: Environment, signer: Signer, directory: string): Environment => {
  const contents = contentsFor(signer);
  const files = Object.entries(env).flatMap(([name, value]) => (name.endsWith('_FILE') && value !== '' ? [name] : []));
  for (const name of files) writeFileSync(join(directory, name), contents[name] ?? '');
  return {
    ...imageEnv,
    ...env,
    ANTOM_CLIENT_ID: signer.clientId,
    ...Object.fromEntries(files.map((name) => [name, join(directory, name)])),
  };
};
