{
  "targets": [{
    "target_name": "sqlite",
    "sources": [
      "src/accessors.c", "src/addon.c", "src/aggregates.c", "src/asynchronous.c", "src/backup.c", "src/bind.c", "src/codes.c", "src/database.c",
      "src/errors.c", "src/functions.c", "src/hop.c", "src/job.c", "src/prepare.c", "src/rows.c", "src/statement.c",
      "src/synchronous.c", "src/transact.c", "src/turn.c"
    ],
    "include_dirs": ["<!@(pkg-config --cflags-only-I sqlite3 | sed s/-I//g)"],
    "libraries": ["<!@(pkg-config --libs sqlite3)"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
