import { readFileSync } from 'node:fs';
import { diagnose } from '../antom/diagnose.ts';
import type { DiagnosisTrust } from '../antom/diagnosis.ts';
import { toDiagnosed } from '../antom/diagnosis-text.ts';
import type { AntomKey } from '../antom/keys.ts';
import { pathOf, readHead, type SignedRequest, verify } from '../antom/signature.ts';
import { signedDigest } from '../antom/signed-digest.ts';
import { readConfig } from '../config.ts';
import { readNotification } from '../handlers/read.ts';
import { CommandError, reasonOf } from './failure.ts';
import { jsonOption } from './options.ts';
import { readRawMessage } from './raw-message.ts';
import { outcomeCell, textCell } from './readable.ts';
import { type AddCommand, printJson, type Shell } from './shell.ts';
import { pairs } from './table.ts';

export const addVerify: AddCommand = (program, shell) => {
  program
    .command('verify')
    .summary('check a captured request, and say why it does not verify')
    .description(
      'Checks one HTTP request as it was captured (request line, headers, an empty line, the body), with the keys and paths that are configured, and says why it does not verify and what to change. Stores nothing. Exit code 1 if it does not verify.',
    )
    .argument('<file>', 'the captured request, or - for standard input')
    .addOption(jsonOption())
    .action((file: string, { json }: { readonly json?: true }) => {
      const { keys, publicUris, notifyPaths } = readConfig(shell.env);
      const result = check(readRawMessage(readCapture(file)), { keys, publicUris, notifyPaths });
      if (!result.verified) shell.foundWrong();
      if (json === true) printJson(shell, result);
      else print(shell, result);
    });
};

const STANDARD_INPUT = 0;

const readCapture = (file: string): Buffer => {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${reasonOf(error)}`);
  }
};

type Result = ReturnType<typeof check>;

const check = (request: SignedRequest, trust: DiagnosisTrust) => {
  const verification = verify(request, trust);
  const { method, target } = request;
  const taken = method === 'POST' && (trust.notifyPaths ?? []).includes(pathOf(target));
  if (!verification.verified) {
    const diagnosis = toDiagnosed(diagnose(request, trust));
    return { verified: false, method, target, taken, reason: verification.reason, diagnosis } as const;
  }
  const { clientId, reading } = readNotification(verification.notification);
  const { kind, outcome, problem } = reading;
  const key = keyOf(request, trust);
  return {
    verified: true,
    method,
    target,
    taken,
    clientId,
    keyVersion: key?.version ?? null,
    keyFingerprint: key?.fingerprint ?? null,
    kind,
    outcome,
    problem,
  } as const;
};

/** The key that made the signature. */
const keyOf = (request: SignedRequest, trust: DiagnosisTrust): AntomKey | undefined => {
  const head = readHead(request, trust);
  return typeof head === 'string'
    ? undefined
    : head.fitting.find((key) => signedDigest(head.signature, [key]) !== null);
};

const print = ({ out, paint }: Shell, result: Result): void => {
  const request = ['request', `${result.method} ${result.target}`] as const;
  if (result.verified) {
    const { clientId, keyVersion, keyFingerprint, kind, outcome, problem } = result;
    out(`${paint('green', 'It verifies.')}\n`);
    out(
      pairs(paint, [
        request,
        ['client-id', clientId],
        ['key', textCell(keyFingerprint)],
        ['key version', textCell(keyVersion)],
        ['kind', kind],
        ['outcome', outcomeCell(outcome)],
        ['problem', textCell(problem)],
      ]),
    );
  } else {
    const { reason, diagnosis } = result;
    out(`${paint('red', 'It does not verify.')}\n`);
    out(pairs(paint, [request, ['reason', reason], ['diagnosis', { text: diagnosis.code, colour: 'yellow' }]]));
    out(`\n${diagnosis.message}`);
  }
  if (!result.taken)
    out('\nThe service takes only POST on the paths of NOTIFY_PATHS, and would not take this request.');
};
