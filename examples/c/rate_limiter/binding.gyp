{
  "targets": [{
    "target_name": "rate_limiter",
    "sources": ["rate_limiter.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
