#!/usr/bin/env bash
# For the release: the lib and the binaries of fibril-VERSION.tgz, in this folder, replace those of a fresh checkout, and the tests run on
# them that need no addon of their own (test/co-run.test.js needs one).
set -euo pipefail
cd "$(dirname "$0")/.."

npm ci --ignore-scripts --no-audit --no-fund
rm -rf lib prebuilds
tar -xzf fibril-*.tgz --strip-components=1 package/lib package/prebuilds
test ! -e build
node examples/main.js
npx mocha test/co.test.js 'test/co-*.test.js' test/future.test.js --ignore test/co-run.test.js
