import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Environment } from '../environment.ts';
import type { Store } from '../store/store.ts';

export type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

/** What a command reads from and writes to. */
export interface Terminal {
  readonly env: Environment;
  /** One line or several; the line break at the end is added. */
  readonly out: (text: string) => void;
  readonly bytes: (raw: Uint8Array) => void;
  readonly err: (text: string) => void;
  /** Writes over the line under the cursor, for what changes while one looks; null where nobody looks. */
  readonly overwrite: ((text: string) => void) | null;
  readonly paint: Paint;
  /** Asks a person, and resolves with what is typed; null where nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Opens the store that an environment names; who opens it closes it. */
  readonly openStore: (env: Environment) => Promise<Store>;
}

export interface Shell extends Terminal {
  /** The command did its work and found something wrong: exit code 1. */
  readonly foundWrong: () => void;
}

/** How a command joins the program. */
export type AddCommand = (program: Command, shell: Shell) => void;

/** The terminal of this process; `styleText` leaves colours out under NO_COLOR and where nobody looks. */
export const ownTerminal = (env: Environment): Terminal => ({
  env,
  out: (text) => process.stdout.write(`${text}\n`),
  bytes: (raw) => process.stdout.write(raw),
  err: (text) => process.stderr.write(`${text}\n`),
  overwrite: process.stderr.isTTY ? (text) => process.stderr.write(`\r\u001B[2K${text}`) : null,
  paint: (colour, text) => styleText(colour, text, { stream: process.stdout }),
  ask: process.stdin.isTTY && process.stderr.isTTY ? askOnTerminal : null,
  // Loaded where it is asked for: a service starts twice (confine.ts), and the first time needs none of it.
  openStore: async (from) => {
    const { openExisting } = await import('./stored.ts');
    return await openExisting(from, (notice) => process.stderr.write(`warning: ${notice}\n`));
  },
});

/** Ctrl-C and Ctrl-D are no answer. */
const askOnTerminal = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      terminal.question(question, resolve);
      terminal.once('close', () => resolve(''));
    });
  } finally {
    terminal.close();
  }
};

/** As `printable` in a table: strangers choose what stands in there, and JSON.stringify leaves much that steers. */
export const printJson = ({ out }: Pick<Terminal, 'out'>, value: unknown, indent = 2): void =>
  out(JSON.stringify(value, null, indent).replaceAll(/[\u007F-\u009F\p{Cf}\u2028\u2029]/gu, escaped));

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
