import { writeFile } from 'node:fs/promises';
import { makeKeyPair } from '../antom/key-pair.ts';
import { readKey } from '../antom/keys.ts';
import { notWritable } from './backup.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { type AddCommand, printJson } from './shell.ts';

interface KeygenOptions {
  readonly bits: number;
  readonly json?: true;
}

const FEWEST_BITS = 2_048;
const MOST_BITS = 8_192;

export const addKeygen: AddCommand = (program, shell) => {
  program
    .command('keygen')
    .summary('make an RSA key pair')
    .description(
      'Makes an RSA key pair: writes the private key (PKCS#8 PEM, readable by you alone) to a new file, and prints the public key as one line of Base64, as the dashboard shows keys.',
    )
    .argument('<file>', 'the private key file to make; an existing one is never overwritten')
    .option('--bits <n>', 'length of the modulus', wholeNumber(FEWEST_BITS, MOST_BITS), FEWEST_BITS)
    .addOption(jsonOption())
    .action(async (file: string, { bits, json }: KeygenOptions) => {
      const { privateKey, publicKey } = await makeKeyPair(bits);
      try {
        await writeFile(file, privateKey, { flag: 'wx', mode: 0o600 });
      } catch (error) {
        throw notWritable(error, file);
      }
      if (json === true)
        printJson(shell, { privateKeyFile: file, publicKey, fingerprint: readKey(publicKey).fingerprint });
      else {
        shell.err(`The private key is in ${file}; this is the public key:`);
        shell.out(publicKey);
      }
    });
};
