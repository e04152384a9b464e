{
  "targets": [{
    "target_name": "curl",
    "sources": ["src/addon.c", "src/client.c", "src/error.c", "src/request.c", "src/transfer.c"],
    "libraries": ["-lcurl-gnutls"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
