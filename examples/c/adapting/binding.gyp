{
  "targets": [{
    "target_name": "adapting",
    "sources": ["adapting.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
