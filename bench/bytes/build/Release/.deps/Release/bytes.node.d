cmd_Release/bytes.node := ln -f "Release/obj.target/bytes.node" "Release/bytes.node" 2>/dev/null || (rm -rf "Release/bytes.node" && cp -af "Release/obj.target/bytes.node" "Release/bytes.node")
