import { appendFileSync, closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import type { LedgerLine } from './ledger.ts';

export interface LedgerFile {
  readonly lines: readonly LedgerLine[];
  readonly write: (line: LedgerLine) => void;
  readonly close: () => void;
}

/**
 * A file of JSON lines that only grows: of each payment and request the last line counts. Killed in the middle of a
 * line, it loses that line alone. Throws as node:fs does, and a SyntaxError where it is another file.
 */
export const openLedgerFile = (file: string): LedgerFile => {
  const descriptor = openSync(file, 'a+', 0o600);
  const bytes = readFileSync(descriptor);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  const lines = whole
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerLine);
  ftruncateSync(descriptor, whole.length);
  return {
    lines,
    write: (line) => appendFileSync(descriptor, `${JSON.stringify(line)}\n`),
    close: () => closeSync(descriptor),
  };
};
