import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { complaintsBySchema, SCHEMAS } from './schemas.ts';

const pathOf = (fromRoot: string): string => fileURLToPath(new URL(`../../${fromRoot}`, import.meta.url));

export const readDeployed = (name: string): string => readFileSync(pathOf(`deploy/${name}`), 'utf8');
export const readProject = (name: string): string => readFileSync(pathOf(name), 'utf8');

/** A document as it was written, before anything is known about it. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Every file in deploy/kubernetes, as `base/service.yaml`. */
export const manifestFiles = (): readonly string[] => globSync('*/*', { cwd: pathOf('deploy/kubernetes') });

/** Every document in deploy/kubernetes that Kubernetes is to know; kustomize's own files are none. */
export const readManifests = (): readonly Manifest[] =>
  manifestFiles()
    .filter((file) => !file.endsWith('/kustomization.yaml'))
    .flatMap((file) =>
      parseAllDocuments(readDeployed(`kubernetes/${file}`)).map((document) => {
        if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join('; ')}`);
        const content = document.toJS() as Readonly<Record<string, unknown>>;
        return { file, apiVersion: String(content['apiVersion']), kind: String(content['kind']), content };
      }),
    );

/** `apps/v1` → `apps/v1`, `networking.k8s.io/v1` → `networking/v1`, `v1` → `core/v1`. */
const moduleOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.replace('.k8s.io/', '/') : `core/${apiVersion}`;

const asLiteral = ({ apiVersion, kind, content }: Manifest): string =>
  `import type { ${kind} } from 'kubernetes-types/${moduleOf(apiVersion)}';\nexport const manifest: ${kind} = ${JSON.stringify(content, null, 2)};\n`;

/**
 * What there is against each manifest, in their order: written out as a literal of its type, a field that is unknown,
 * misspelled or of the wrong type does not compile. What has a schema in place of a type is checked against that.
 */
export const complaintsAbout = (manifests: readonly Manifest[]): readonly string[] => {
  const typed = manifests.filter(({ kind }) => !Object.hasOwn(SCHEMAS, kind));
  const complaints = new Map(complaintsByType(typed).map((complaint, index) => [typed[index], complaint]));
  return manifests.map((manifest) => complaints.get(manifest) ?? complaintsBySchema(manifest.kind, manifest.content));
};

const complaintsByType = (manifests: readonly Manifest[]): readonly string[] => {
  const directory = mkdtempSync(join(tmpdir(), 'paynotify-manifests-'));
  try {
    symlinkSync(pathOf('node_modules'), join(directory, 'node_modules'), 'junction');
    manifests.forEach((manifest, index) => writeFileSync(join(directory, `manifest-${index}.ts`), asLiteral(manifest)));
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [
        pathOf('node_modules/typescript/bin/tsc'),
        '--noEmit',
        '--singleThreaded',
        '--strict',
        '--skipLibCheck',
        '--types',
        '',
        '--pretty',
        'false',
        '--module',
        'nodenext',
        '--moduleResolution',
        'nodenext',
        ...manifests.map((_, index) => `manifest-${index}.ts`),
      ],
      { cwd: directory, encoding: 'utf8' },
    );
    const complaints = manifests.map((_, index) =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith(`manifest-${index}.ts`))
        .join('\n'),
    );
    if ((status === 0) !== complaints.every((complaint) => complaint === ''))
      throw new Error(`the compiler did not run: ${stdout}${stderr}`);
    return complaints;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};
