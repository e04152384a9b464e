{
  "targets": [{
    "target_name": "postgres",
    "sources": [
      "src/addon.c", "src/connect.c", "src/listen.c", "src/query.c", "src/result.c", "src/stream.c", "src/transact.c", "src/turn.c",
      "src/types.c"
    ],
    "include_dirs": ["<!@(pkg-config --cflags-only-I libpq | sed s/-I//g)"],
    "libraries": ["<!@(pkg-config --libs libpq)"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
