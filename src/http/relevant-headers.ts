/** The headers that decide what to do with a request, each occurrence, in the order received. */
export interface RelevantHeaders {
  readonly clientIds: readonly string[];
  readonly requestTimes: readonly string[];
  readonly signatures: readonly string[];
  readonly hosts: readonly string[];
  readonly transferEncodings: readonly string[];
  readonly contentEncodings: readonly string[];
  readonly contentLengths: readonly string[];
  readonly expectations: readonly string[];
  readonly forwardedFor: readonly string[];
}

const NONE: readonly string[] = Object.freeze([]);

/**
 * Picks them from `rawHeaders`: Node joins or drops repeated headers everywhere else, and a header that was
 * sent twice must be seen. One pass, and nothing of Node's own table of headers is built.
 */
export const relevantHeaders = (rawHeaders: readonly string[]): RelevantHeaders => {
  const found = {
    clientIds: NONE,
    requestTimes: NONE,
    signatures: NONE,
    hosts: NONE,
    transferEncodings: NONE,
    contentEncodings: NONE,
    contentLengths: NONE,
    expectations: NONE,
    forwardedFor: NONE,
  };
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? '';
    switch (rawHeaders[index]?.toLowerCase() ?? '') {
      case 'client-id':
        found.clientIds = [...found.clientIds, value];
        break;
      case 'request-time':
        found.requestTimes = [...found.requestTimes, value];
        break;
      case 'signature':
        found.signatures = [...found.signatures, value];
        break;
      case 'host':
        found.hosts = [...found.hosts, value];
        break;
      case 'transfer-encoding':
        found.transferEncodings = [...found.transferEncodings, value];
        break;
      case 'content-encoding':
        found.contentEncodings = [...found.contentEncodings, value];
        break;
      case 'content-length':
        found.contentLengths = [...found.contentLengths, value];
        break;
      case 'expect':
        found.expectations = [...found.expectations, value];
        break;
      case 'x-forwarded-for':
        found.forwardedFor = [...found.forwardedFor, value];
        break;
    }
  }
  return found;
};
