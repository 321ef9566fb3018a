/** The headers that decide what to do with a request, each occurrence, in the order received. */
export interface RelevantHeaders {
  readonly clientIds: readonly string[];
  readonly requestTimes: readonly string[];
  readonly signatures: readonly string[];
  readonly hosts: readonly string[];
  readonly transferEncodings: readonly string[];
  readonly contentEncodings: readonly string[];
}

/**
 * Picks them from `rawHeaders`: Node joins or drops repeated headers everywhere else, and a header that was
 * sent twice must be seen. One pass; a name is compared only where its length fits.
 */
export const relevantHeaders = (rawHeaders: readonly string[]): RelevantHeaders => {
  const found = {
    'client-id': [] as string[],
    'request-time': [] as string[],
    signature: [] as string[],
    host: [] as string[],
    'transfer-encoding': [] as string[],
    'content-encoding': [] as string[],
  };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (Object.hasOwn(found, name)) found[name as keyof typeof found].push(rawHeaders[index + 1] ?? '');
  }
  return {
    clientIds: found['client-id'],
    requestTimes: found['request-time'],
    signatures: found.signature,
    hosts: found.host,
    transferEncodings: found['transfer-encoding'],
    contentEncodings: found['content-encoding'],
  };
};
