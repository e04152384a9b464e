{
  "targets": [{
    "target_name": "redis",
    "sources": [
      "src/addon.c", "src/client.c", "src/connection.c", "src/encode.c", "src/errors.c", "src/handshake.c", "src/messages.c",
      "src/parse.c", "src/requests.c", "src/subscribe.c", "src/transact.c"
    ],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
