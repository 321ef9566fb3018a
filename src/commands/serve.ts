import { confine } from './confine.ts';
import type { AddCommand } from './shell.ts';

export const addServe: AddCommand = (program, shell) => {
  program
    .command('serve')
    .summary('run the service')
    .description(
      'Runs the service, configured by the environment, until SIGTERM or Ctrl-C; SIGHUP reads the keys again.',
    )
    .option('--json', 'log JSON lines on a terminal too')
    .action(async ({ json }: { readonly json?: true }) => {
      confine(shell.env);
      // The log is pretty where standard output is a terminal.
      if (json === true) Object.defineProperty(process.stdout, 'isTTY', { value: false });
      const { serve } = await import('../main.ts');
      await serve(shell.env);
    });
};
