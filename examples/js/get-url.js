'use strict';

// Three downloads at once: each line is printed when one has finished, the results come in the
// order of the list, and the whole takes as long as the slowest. The network is a sleep, so that
// the program needs none.

const co = require('fibril');

const seconds = (ms) => (ms / 1000).toFixed(2);

function* getURL(url, ms) {
  const start = performance.now();
  yield co.sleep(ms);
  const took = seconds(performance.now() - start);
  console.log(`URL ${url} took ${took}s to get!`);
  return url;
}

co(function* () {
  const start = performance.now();
  const urls = yield [getURL('URL1', 200), getURL('URL2', 400), getURL('URL3', 100)];
  console.log(`got ${urls.join(', ')}`);
  console.log(`total ${seconds(performance.now() - start)}s`);
});
