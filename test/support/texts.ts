import { type Arbitrary, integer } from 'fast-check';

/** Any character. fast-check's own unit `binary` says the same, and takes seconds to begin with. */
export const anyCharacter: Arbitrary<string> = integer({ min: 0, max: 0x10_ff_ff })
  .filter((code) => code < 0xd8_00 || code > 0xdf_ff)
  .map((code) => String.fromCodePoint(code));
