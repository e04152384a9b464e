#!/usr/bin/env bash
# bash scripts/musl-libuv.sh FOLDER: builds FOLDER/libuv.a with musl-gcc from the sources of Debian's libuv1, which has none for musl,
# and prints the flags for test:c --libuv.
set -euo pipefail
mkdir -p "$1/lists/partial"
cd "$1"

# The release itself: not every mirror has the sources of security updates.
apt-get indextargets --format 'deb-src $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' | grep -v -e -security -e -updates | sort -u >sources.list
options=(-q -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$PWD/lists"
  -o APT::Sandbox::User=root)
{
  apt-get "${options[@]}" update
  apt-get "${options[@]}" source --download-only libuv1
} >&2
tar -xzf libuv1_*.orig.tar.gz --strip-components=1

# What libuv's own build takes on Linux.
unix=(async core dl fs getaddrinfo getnameinfo loop loop-watcher pipe poll process proctitle random-devurandom random-getrandom
  random-sysctl-linux signal stream tcp thread tty udp linux-core linux-inotify linux-syscalls procfs-exepath epoll)
# The kernel's headers come last, so that none of glibc's is found before musl's.
flags=(-O1 -D_GNU_SOURCE -D_LARGEFILE_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc
  -idirafter /usr/include -idirafter "/usr/include/$(gcc -dumpmachine)")
printf '%s\n' src/*.c "${unix[@]/#/src/unix/}" | sed '/unix/s/$/.c/' |
  xargs -P "$(nproc)" -I{} sh -c 'file=$1; shift; exec musl-gcc "$@" -c "$file" -o "$(echo "$file" | tr / _).o"' sh {} "${flags[@]}" >&2
ar rcs libuv.a src_*.o
echo "-I$PWD/include $PWD/libuv.a"
