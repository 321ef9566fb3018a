/** The bytes of a signature header in Base64, read as the public samples read it. */
export const signatureOf = (header: string): string => decodeURIComponent(/signature=([^,]+)/.exec(header)?.[1] ?? '');
