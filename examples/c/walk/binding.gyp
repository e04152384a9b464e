{
  "targets": [{
    "target_name": "walk",
    "sources": ["walk.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
