// Written by `fibril dts` from the signatures of {{target}}.node.
/// <reference types="node" />

/** How many lines a file has. Rejects as `fs.promises.readFile` would. */
export function countLines(path: string | Buffer | URL, options?: {signal?: AbortSignal}): Promise<number>;
export {};
