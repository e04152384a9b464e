import { createRequire } from 'node:module';
import { load } from './outside.mjs';

export default load(createRequire(import.meta.url));
