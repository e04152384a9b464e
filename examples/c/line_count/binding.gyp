{
  "targets": [{
    "target_name": "line_count",
    "sources": ["line_count.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
