import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPrivateAddress } from '../private-address.ts';

/** The code of the error for a name that leads to no private address. */
export const NOT_PRIVATE = 'ENOTPRIVATE';

/** Over http only to this machine and private networks, also where a name leads somewhere else by now. */
export const lookUpPrivate: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const [first, ...others] = error === null ? found.filter(({ address }) => isPrivateAddress(address)) : [];
    if (error !== null) callback(error, []);
    else if (first === undefined)
      callback(Object.assign(new Error('not a private address'), { code: NOT_PRIVATE }), []);
    else if (options.all === true) callback(null, [first, ...others]);
    else callback(null, first.address, first.family);
  });
};
