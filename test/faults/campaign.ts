/** How much of a round: CI has a part of the long ones. */
export type Extent = 'whole' | 'part';

/** A fault, brought about again and again; each round draws all that is random in it from its seed. */
export interface Campaign {
  readonly name: string;
  /** Rounds of a short run (CI), and of a long one (by hand). */
  readonly short: number;
  readonly long: number;
  /** Throws an Error that says what broke. */
  readonly round: (seed: number, extent: Extent) => Promise<void>;
}
