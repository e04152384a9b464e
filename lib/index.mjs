import co from './index.js';

export const { sleep, fs, gen, Future, wrap } = co;
export { co, co as default };
