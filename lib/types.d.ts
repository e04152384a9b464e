/// <reference lib="es2020" />
// @ts-ignore: without @types/node what is of Node's is any, and the rest is what it is
/// <reference types="node" />

// What the declarations of the other folders have in common.

// @ts-ignore: of lib.dom or @types/node
export type Signal = AbortSignal;

/**
 * The overloads of a function, each as its parameters and its result. TypeScript fills up what an
 * `F` with fewer leaves open.
 */
export type Signatures<F> = F extends {
  (...args: infer A0 extends any[]): infer R0; (...args: infer A1 extends any[]): infer R1;
  (...args: infer A2 extends any[]): infer R2; (...args: infer A3 extends any[]): infer R3;
  (...args: infer A4 extends any[]): infer R4; (...args: infer A5 extends any[]): infer R5;
  (...args: infer A6 extends any[]): infer R6; (...args: infer A7 extends any[]): infer R7;
  (...args: infer A8 extends any[]): infer R8; (...args: infer A9 extends any[]): infer R9;
} ? Distinct<[
  [A0, R0], [A1, R1], [A2, R2], [A3, R3], [A4, R4], [A5, R5], [A6, R6], [A7, R7], [A8, R8], [A9, R9]
]> : [];
/**
 * Without what it is filled up with: unknown results up to TypeScript 5.1, then copies of the
 * first.
 */
type Distinct<S extends unknown[]> =
  S extends [[infer A extends any[], infer R], infer Next, ...infer Rest] ?
    unknown extends R ? Distinct<[Next, ...Rest]> :
    [[A, R], Next] extends [Next, [A, R]] ? Distinct<[Next, ...Rest]> :
    [[A, R], ...Distinct<[Next, ...Rest]>] :
  S;

export {};
