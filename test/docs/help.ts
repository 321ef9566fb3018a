import { run } from '../../src/cli.ts';
import { ownTerminal } from '../../src/commands/shell.ts';

const pages = new Map<string, string>();

/** What `paynotify COMMAND --help` prints; for `''`, the list of commands. */
export const helpOf = async (command: string): Promise<string> => {
  const page = pages.get(command) ?? (await ask(command));
  pages.set(command, page);
  return page;
};

const ask = async (command: string): Promise<string> => {
  const said: string[] = [];
  const say = (text: string): void => void said.push(`${text}\n`);
  const words = command === '' ? ['--help'] : [command, '--help'];
  const code = await run(words, { ...ownTerminal({}), out: say, err: say });
  if (code !== 0) throw new Error(`paynotify ${command} --help: ${said.join('')}`);
  return said.join('');
};
