import type { SignedRequest } from '../antom/signature.ts';
import { CommandError } from './failure.ts';

/** Where the headers end, and how each line does: captures and editors write CRLF or LF. */
const HEAD_END = /\r?\n\r?\n/;

/**
 * Reads one HTTP request as it was captured: request line, headers, body. The body is as long as Content-Length
 * says, or is chunked, or goes to the end of the file. Throws a CommandError that says what is missing.
 */
export const readRawMessage = (file: Uint8Array): SignedRequest => {
  const text = Buffer.from(file).toString('latin1');
  const end = HEAD_END.exec(text);
  const [requestLine = '', ...lines] = (end === null ? text : text.slice(0, end.index)).trimEnd().split(/\r?\n/);
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/\d(?:\.\d)?$/.exec(requestLine) ?? [];
  if (method === undefined || target === undefined)
    throw new CommandError('the first line is no request line, such as POST /payNotify HTTP/1.1');
  if (end === null) throw new CommandError('no empty line ends the headers: the capture is cut off');
  const headers = lines.map(readHeader);
  const every = (name: string): readonly string[] =>
    headers.filter((header) => header.name === name).map(({ value }) => value);
  return {
    method,
    target,
    clientIds: every('client-id'),
    requestTimes: every('request-time'),
    signatures: every('signature'),
    body: readBody(Buffer.from(file).subarray(end.index + end[0].length), every),
  };
};

const readHeader = (line: string): { readonly name: string; readonly value: string } => {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new CommandError('a line of the headers is no header: each has to be name: value');
  return { name: name.toLowerCase(), value };
};

const readBody = (rest: Buffer, every: (name: string) => readonly string[]): Buffer => {
  if (every('content-encoding').some((coding) => coding !== '' && coding.toLowerCase() !== 'identity'))
    throw new CommandError(
      'the body has a Content-Encoding: a signed body comes raw, and the service refuses this one',
    );
  const [coding] = every('transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new CommandError('its Transfer-Encoding is not chunked');
    return readChunks(rest);
  }
  const [length] = every('content-length');
  if (length === undefined) return rest;
  if (!/^\d{1,15}$/.test(length)) throw new CommandError('its Content-Length is no number');
  if (rest.length < Number(length))
    throw new CommandError(`the body is cut off: Content-Length is ${length}, and ${rest.length} bytes are there`);
  return rest.subarray(0, Number(length));
};

const CUT_OFF = 'the chunked body is cut off, or a chunk is not as long as it says';

const readChunks = (chunked: Buffer): Buffer => {
  const text = chunked.toString('latin1');
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const [line, digits = ''] = /^([0-9a-fA-F]{1,8})[^\r\n]*\r?\n/.exec(text.slice(at, at + 1_024)) ?? [];
    if (line === undefined) throw new CommandError(CUT_OFF);
    const from = at + line.length;
    const size = Number.parseInt(digits, 16);
    if (size === 0) return Buffer.concat(chunks);
    const after = /^\r?\n/.exec(text.slice(from + size, from + size + 2));
    if (after === null) throw new CommandError(CUT_OFF);
    chunks.push(chunked.subarray(from, from + size));
    at = from + size + after[0].length;
  }
};
