{
  "targets": [{
    "target_name": "net",
    "sources": ["src/addon.c", "src/echo.c", "src/lines.c", "src/proxy.c", "src/resolve.c", "src/scan.c", "src/server.c"],
    "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
  }]
}
