cmd_Release/obj.target/fibril/build/fibril/src/node/env/env.o := cc -o Release/obj.target/fibril/build/fibril/src/node/env/env.o ../build/fibril/src/node/env/env.c '-DNODE_GYP_MODULE_NAME=fibril' '-DUSING_UV_SHARED=1' '-DUSING_V8_SHARED=1' '-DV8_DEPRECATION_WARNINGS=1' '-D_GLIBCXX_USE_CXX11_ABI=1' '-D_FILE_OFFSET_BITS=64' '-D_LARGEFILE_SOURCE' '-D__STDC_FORMAT_MACROS' '-DOPENSSL_NO_PINSHARED' '-DOPENSSL_THREADS' '-DNAPI_VERSION=8' -I/usr/include/node -I/usr/src -I/usr/deps/openssl/config -I/usr/deps/openssl/openssl/include -I/usr/deps/uv/include -I/usr/deps/zlib -I/usr/deps/v8/include -I../build/fibril/include -I../build/fibril_js  -fPIC -pthread -Wall -Wextra -Wno-unused-parameter -fstack-clash-protection -m64 -O3 -fno-omit-frame-pointer -std=gnu11 -fvisibility=hidden -fno-lto -Wunused-parameter -Werror -O2 -fomit-frame-pointer -falign-functions=64 -MMD -MF ./Release/.deps/Release/obj.target/fibril/build/fibril/src/node/env/env.o.d.raw   -c
Release/obj.target/fibril/build/fibril/src/node/env/env.o: \
 ../build/fibril/src/node/env/env.c ../build/fibril/src/node/env/env.h \
 ../build/fibril/src/node/env/../../core/loop/loop.h \
 ../build/fibril/src/node/env/../../core/loop/../future/clients.h \
 ../build/fibril/src/node/env/../../core/loop/../future/future.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/coroutine.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/scheduler.h \
 ../build/fibril/include/fibril.h /usr/include/node/uv.h \
 /usr/include/node/uv/errno.h /usr/include/node/uv/version.h \
 /usr/include/node/uv/unix.h /usr/include/node/uv/threadpool.h \
 /usr/include/node/uv/linux.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/here.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/macros.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/stack.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/guard.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/sanitize.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/box.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/switch.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/../sanitize.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/result.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/here.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/macros.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/ready.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/macros.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../scheduler/timers.h \
 ../build/fibril/src/node/env/../../core/loop/../future/../value/list.h \
 ../build/fibril/src/node/env/../../core/loop/../future/generator.h \
 ../build/fibril/src/node/env/../../core/loop/../future/group.h \
 ../build/fibril/src/node/env/../../core/loop/descriptors.h \
 ../build/fibril/src/node/env/../../core/loop/post.h \
 ../build/fibril/src/node/env/shared.h /usr/include/node/node_api.h \
 /usr/include/node/js_native_api.h \
 /usr/include/node/js_native_api_types.h \
 /usr/include/node/node_api_types.h
../build/fibril/src/node/env/env.c:
../build/fibril/src/node/env/env.h:
../build/fibril/src/node/env/../../core/loop/loop.h:
../build/fibril/src/node/env/../../core/loop/../future/clients.h:
../build/fibril/src/node/env/../../core/loop/../future/future.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/coroutine.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/scheduler.h:
../build/fibril/include/fibril.h:
/usr/include/node/uv.h:
/usr/include/node/uv/errno.h:
/usr/include/node/uv/version.h:
/usr/include/node/uv/unix.h:
/usr/include/node/uv/threadpool.h:
/usr/include/node/uv/linux.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/here.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/macros.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/stack.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/guard.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/sanitize.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/box.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/switch.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/../sanitize.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/arch/result.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/here.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../value/../switch/macros.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/ready.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/../switch/macros.h:
../build/fibril/src/node/env/../../core/loop/../future/../scheduler/timers.h:
../build/fibril/src/node/env/../../core/loop/../future/../value/list.h:
../build/fibril/src/node/env/../../core/loop/../future/generator.h:
../build/fibril/src/node/env/../../core/loop/../future/group.h:
../build/fibril/src/node/env/../../core/loop/descriptors.h:
../build/fibril/src/node/env/../../core/loop/post.h:
../build/fibril/src/node/env/shared.h:
/usr/include/node/node_api.h:
/usr/include/node/js_native_api.h:
/usr/include/node/js_native_api_types.h:
/usr/include/node/node_api_types.h:
