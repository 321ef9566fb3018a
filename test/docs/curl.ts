#!/usr/bin/env node
import { parseArgs } from 'node:util';

/** Makes the request of a `curl` command where curl is not installed; an option that it does not have is an error. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
  },
});
const [url = '', ...others] = positionals;
if (others.length > 0) throw new Error('one URL at a time');
const response = await fetch(/^https?:/.test(url) ? url : `http://${url}`, {
  method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
  headers: (values.header ?? []).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as [string, string];
  }),
  ...(values.data === undefined ? {} : { body: values.data }),
});
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 22;
