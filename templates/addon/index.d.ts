/** How many lines a file has. Rejects as `fs.promises.readFile` would, and with an `AbortError` after an abort. */
export function countLines(path: string | Buffer | URL, options?: { signal?: AbortSignal }): Promise<number>;
