{
  "targets": [{
    "target_name": "programs",
    "sources": [
      "asyn_sum.c", "fibonacci.c", "get_url.c", "interleaving.c", "module.c", "parallel.c", "simplified_runner.c", "sleep.c",
      "toy_scheduler.c"
    ],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
