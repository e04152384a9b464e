{
  "targets": [{
    "target_name": "{{target}}",
    "sources": ["src/addon.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
