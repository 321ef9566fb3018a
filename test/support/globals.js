// Bound in every module under test (strip-types.js), instead of looked up in jest's sandbox each time.
export const {
  Array,
  BigInt,
  Buffer,
  Date,
  Error,
  JSON,
  Map,
  Math,
  Number,
  Object,
  Promise,
  Set,
  String,
  Symbol,
  Uint8Array,
} = globalThis;
