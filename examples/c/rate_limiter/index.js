'use strict';

const { RateLimiter } = require('./build/Release/rate_limiter.node');

module.exports = { RateLimiter };

async function main() {
  const limiter = new RateLimiter(20, 2);
  const start = performance.now();

  async function request(number) {
    await limiter.take();
    console.log(`request ${number}`);
  }

  // Two at once, then one every 50 ms.
  await Promise.all([1, 2, 3, 4, 5].map(request));
  console.log(`took ${Math.floor(performance.now() - start)} ms`);

  const late = limiter.take(2).catch((error) => console.log(error.message));
  await limiter.close();
  await late;
}

if (require.main === module) main();
