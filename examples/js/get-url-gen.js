'use strict';

// get-url.js as one writes it with Tornado: coroutines that end with gen.Return, a list of them
// that is yielded, and runSync for the outermost.

const { gen, IOLoop } = require('fibril');

const seconds = (ms) => (ms / 1000).toFixed(2);

const getURL = gen.coroutine(function* (url, ms) {
  const start = IOLoop.current().time();
  yield gen.sleep(ms);
  const took = seconds(IOLoop.current().time() - start);
  console.log(`URL ${url} took ${took}s to get!`);
  throw new gen.Return(url);
});

const outerCoroutine = gen.coroutine(function* () {
  const start = IOLoop.current().time();
  const coroutines = [getURL('URL1', 200), getURL('URL2', 400), getURL('URL3', 100)];
  const urls = yield coroutines;
  console.log(`got ${urls.join(', ')}`);
  console.log(`total ${seconds(IOLoop.current().time() - start)}s`);
});

IOLoop.current().runSync(outerCoroutine);
