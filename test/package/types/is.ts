// What the other files here check types with.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
/** Compiles when the type of `_value` is exactly `T`. */
export function is<T>() {
  return <V>(_value: V, ..._proof: Same<V, T> extends true ? [] : ['not the same type']) => {};
}

/** Compiles when both are of one type. */
export function same<A, B>(_a: A, _b: B, ..._proof: Same<A, B> extends true ? [] : ['not the same type']) {}
