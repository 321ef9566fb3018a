/** A key that cannot be used; the message says why and what to do, and never quotes key material. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** Where a key is configured, for messages. */
export interface KeySlot {
  /** The variable that takes the path of a file with such a key. */
  readonly fileVariable: string;
  /** How many keys may stand here, to end a sentence. */
  readonly takes: string;
  /** The error for a key that does not belong here by the label of its PEM block; null where it does. */
  readonly refuse: (label: string) => KeyError | null;
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/**
 * The DER of a key that stands in a variable, a file or JSON: PEM or bare Base64; line breaks and `\n` escapes do not
 * matter. One character a byte. Throws a KeyError.
 */
export const readKeyText = (configured: string, slot: KeySlot): string => {
  const text = configured.replaceAll('\\r', '').replaceAll('\\n', '\n').trim();
  if (text === '') throw new KeyError('the key is empty');
  if (isPath(text))
    throw new KeyError(
      `this is the path of a file, and the key itself belongs here: put the path into ${slot.fileVariable}`,
    );
  const blocks = [...text.matchAll(PEM)];
  for (const [, label = ''] of blocks) refuseBy(slot, label);
  if (blocks.length > 1) throw new KeyError(`several PEM blocks stand here: ${slot.takes}`);
  const [pem] = blocks;
  if (text.includes('-----') && pem === undefined) throw new KeyError('the PEM block is incomplete');
  const der = decodeBase64(pem?.[2] ?? text);
  if (!der.startsWith('-----BEGIN ')) return der;
  refuseBy(slot, der);
  throw new KeyError(
    'this is a PEM file that was encoded as Base64 once more: decode it once, or put the PEM itself here',
  );
};

const refuseBy = ({ refuse }: KeySlot, label: string): void => {
  const error = refuse(label);
  if (error !== null) throw error;
};

const LONGEST_PATH = 255;

/** The Base64 of a key begins with `MI`, but for one that lost its beginning; it is longer, and PEM even more so. */
const isPath = (text: string): boolean =>
  text.length <= LONGEST_PATH && (/^(?:\.{0,2}|~)\/\w/.test(text) || /\.(?:pem|der|cer|crt|key|pub|txt)$/i.test(text));

const decodeBase64 = (text: string): string => {
  const bare = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) throw new KeyError('the key is neither PEM nor Base64');
  return Buffer.from(bare, 'base64').toString('latin1');
};
