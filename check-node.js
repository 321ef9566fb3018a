// Old syntax on purpose: this has to run on the Node that is too old.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'paynotify needs Node 24 or newer (security releases, node:sqlite, TypeScript without a build); this is ' +
      process.version +
      '. Run `npm ci` with install scripts allowed: it brings the right one for all npm scripts.',
  );
  process.exit(1);
}
