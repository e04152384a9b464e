// The same as lib/shapes.js, which says why: an addon's runtime is a text of its own.

const SHAPE = Symbol('fibril.shape');

function keepShape(Class, instance) {
  ObjectDefineProperty(Class, SHAPE, { value: instance });
}
