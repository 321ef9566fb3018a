import { ENDPOINTS } from '../http/admin/endpoints.ts';
import { createDocument } from '../http/admin/openapi.ts';
import { jsonOption } from './options.ts';
import { type AddCommand, printJson } from './shell.ts';

export const addOpenapi: AddCommand = (program, shell) => {
  program
    .command('openapi')
    .summary('print the OpenAPI 3.1 document of the admin API')
    .description(
      'Prints the OpenAPI 3.1 document of the admin API as JSON, as GET /openapi.json gives it. It needs neither a database nor a configuration.',
    )
    .addOption(jsonOption())
    .action(() => printJson(shell, createDocument(ENDPOINTS)));
};
