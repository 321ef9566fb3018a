export default async () => await globalThis.stopSharedServer?.();
