import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSigner, eventually } from '../support/client.ts';
import {
  environmentOf,
  type InProcess,
  type LogLine,
  makeDirectory,
  removeDirectory,
  startReady,
} from '../support/receiver.ts';

const signer = createSigner();
const directory = makeDirectory();
let receiver: InProcess;
beforeAll(async () => {
  receiver = await startReady(directory, environmentOf(directory, signer));
});
afterAll(async () => {
  await receiver.stop();
  removeDirectory(directory);
});

const linesOf = async (text: string): Promise<readonly LogLine[]> =>
  (await receiver.log()).filter(({ msg }) => typeof msg === 'string' && msg.startsWith(text));

test('a running service says why a request does not verify: in its log, its list and its API', async () => {
  const sent = signer.sign({ canary: 'of the body' }, { uri: '/api/payNotify' });
  expect((await receiver.post(sent)).status).toBe(200);
  const [line] = await eventually(
    'the line',
    () => linesOf('an unverified request was diagnosed'),
    ({ length }) => length > 0,
  );
  const diagnosis = {
    code: 'TEXT_CHANGED_PATH',
    message: expect.stringContaining('PUBLIC_NOTIFY_URL=https://<host>/api/payNotify'),
  };
  const [item] = await receiver.unverified();
  expect(line).toMatchObject({
    level: 40,
    unverifiedId: item?.id,
    reason: 'SIGNATURE_MISMATCH',
    diagnosis: diagnosis.code,
    hint: diagnosis.message,
  });
  expect(item).toMatchObject({ diagnosis });
  expect((await receiver.read(`/api/unverified/${item?.id}`)).json).toMatchObject({ diagnosis });
  const errors = await eventually(
    'the alarm',
    () => linesOf('a request with a genuine signature'),
    ({ length }) => length > 0,
  );
  expect(errors).toMatchObject([{ level: 50, unverifiedId: item?.id, diagnosis: diagnosis.code }]);
  expect(JSON.stringify(await receiver.log())).not.toContain('canary');
});

test('one that has no diagnosis yet is diagnosed when somebody looks at it', async () => {
  const other = createSigner('T_cleint');
  await receiver.post(other.sign({ a: 1 }));
  const item = (await receiver.unverified()).find(({ reason }) => reason === 'UNKNOWN_CLIENT');
  expect((await receiver.read(`/api/unverified/${item?.id}`)).json).toMatchObject({
    diagnosis: {
      code: 'UNKNOWN_CLIENT',
      message: expect.stringContaining(`The client-id is T_cleint; configured: ${signer.clientId}.`),
    },
  });
});
