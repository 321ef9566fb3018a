/** The client ids of the documents' sandbox; any other may be of the live environment. */
export const isSandboxClient = (clientId: string): boolean => /^SANDBOX_[\x21-\x7e]+$/.test(clientId);
