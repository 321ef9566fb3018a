import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const pages = new Map<string, string>();

/** What `paynotify COMMAND --help` prints; for `''`, the list of commands. */
export const helpOf = (command: string): string => {
  const page = pages.get(command) ?? ask(command);
  pages.set(command, page);
  return page;
};

const ask = (command: string): string => {
  const words = command === '' ? [CLI, '--help'] : [CLI, command, '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  if (status !== 0) throw new Error(`paynotify ${command} --help: ${stderr}`);
  return stdout;
};
