import { stop } from './shared-postgres.ts';

/** Jest calls it after the last test. */
export default stop;
