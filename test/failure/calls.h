/* Put before every file of src by the compiler (-include) in builds that make calls fail: each call
 * named here becomes a site, which inject.c counts, and may fail instead. src has no trace of it.
 *
 * A libuv call that fails gives a code of its own where it can, so that a test sees whether the
 * code was passed on or made up. */
#ifndef FIBRIL_TEST_FAILURE_CALLS_H
#define FIBRIL_TEST_FAILURE_CALLS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "sites.h"

/* ---- Memory: the blocks that are alive are known by their sites ---- */

#define malloc(size) FAILURE_MEMORY(malloc, size)
#define calloc(count, size) FAILURE_MEMORY(calloc, count, size)
#define realloc(block, size) FAILURE_MEMORY(realloc, block, size)
#define strdup(text) FAILURE_MEMORY(strdup, text)
#define strndup(text, length) FAILURE_MEMORY(strndup, text, length)
#define mmap(...) FAILURE_MEMORY(mmap, __VA_ARGS__)

/* ---- The system ---- */

#define madvise(...) FAILURE_SYSTEM(madvise, EINVAL, __VA_ARGS__)
#define mprotect(...) FAILURE_SYSTEM(mprotect, ENOMEM, __VA_ARGS__)
#define syscall(...) FAILURE_SYSTEM(syscall, ENOSYS, __VA_ARGS__)
#define sigaltstack(...) FAILURE_SYSTEM(sigaltstack, ENOMEM, __VA_ARGS__)
#define epoll_create1(...) FAILURE_SYSTEM(epoll_create1, EMFILE, __VA_ARGS__)
#define epoll_ctl(...) FAILURE_SYSTEM(epoll_ctl, ENOSPC, __VA_ARGS__)
#define open(...) FAILURE_SYSTEM(open, EMFILE, __VA_ARGS__)
#define openat(...) FAILURE_SYSTEM(openat, EIO, __VA_ARGS__)
#define fcntl(...) FAILURE_SYSTEM(fcntl, EMFILE, __VA_ARGS__)
#define statx(...) FAILURE_SYSTEM(statx, EIO, __VA_ARGS__)
#define socket(...) FAILURE_SYSTEM(socket, EMFILE, __VA_ARGS__)
#define bind(...) FAILURE_SYSTEM(bind, EADDRINUSE, __VA_ARGS__)
#define listen(...) FAILURE_SYSTEM(listen, EADDRINUSE, __VA_ARGS__)
#define accept4(...) FAILURE_SYSTEM(accept4, EMFILE, __VA_ARGS__)
#define connect(...) FAILURE_SYSTEM(connect, ECONNREFUSED, __VA_ARGS__)
#define setsockopt(...) FAILURE_SYSTEM(setsockopt, ENOPROTOOPT, __VA_ARGS__)
#define getsockopt(...) FAILURE_SYSTEM(getsockopt, ENOPROTOOPT, __VA_ARGS__)
#define getsockname(...) FAILURE_SYSTEM(getsockname, ENOBUFS, __VA_ARGS__)
#define getpeername(...) FAILURE_SYSTEM(getpeername, ENOTCONN, __VA_ARGS__)
#define chmod(...) FAILURE_SYSTEM(chmod, EPERM, __VA_ARGS__)
#define stat(...) FAILURE_SYSTEM(stat, EACCES, __VA_ARGS__)
#define fdopendir(...) FAILURE_NULL(fdopendir, ENOMEM, __VA_ARGS__)
#define readdir(...) FAILURE_NULL(readdir, EIO, __VA_ARGS__)

#define recvmsg(...) FAILURE_SYSTEM(recvmsg, ENOMEM, __VA_ARGS__)
#define sendmsg(...) FAILURE_SYSTEM(sendmsg, ENOBUFS, __VA_ARGS__)
#define getaddrinfo(...) FAILURE_ANSWER(getaddrinfo, EAI_AGAIN, UV_EAI_AGAIN, __VA_ARGS__)
#define getnameinfo(...) FAILURE_ANSWER(getnameinfo, EAI_FAIL, UV_EAI_FAIL, __VA_ARGS__)

#define kill(...) FAILURE_SYSTEM(kill, EPERM, __VA_ARGS__)
#define waitid(...) FAILURE_SYSTEM(waitid, EINVAL, __VA_ARGS__)
#define posix_spawn(...) FAILURE_ANSWER(posix_spawn, EAGAIN, UV_EAGAIN, __VA_ARGS__)
#define posix_spawn_file_actions_adddup2(...) \
  FAILURE_ANSWER(posix_spawn_file_actions_adddup2, ENOMEM, UV_ENOMEM, __VA_ARGS__)
#define posix_spawn_file_actions_addopen(...) \
  FAILURE_ANSWER(posix_spawn_file_actions_addopen, ENOMEM, UV_ENOMEM, __VA_ARGS__)
#define pthread_create(...) FAILURE_ANSWER(pthread_create, EAGAIN, UV_EAGAIN, __VA_ARGS__)

/* ---- libuv ---- */

#define uv_async_init(...) FAILURE_UV(uv_async_init, UV_EMFILE, __VA_ARGS__)
#define uv_cond_init(...) FAILURE_UV(uv_cond_init, UV_EAGAIN, __VA_ARGS__)
#define uv_mutex_init(...) FAILURE_UV(uv_mutex_init, UV_EAGAIN, __VA_ARGS__)
#define uv_poll_init(...) FAILURE_UV(uv_poll_init, UV_EPERM, __VA_ARGS__)
#define uv_queue_work(...) FAILURE_UV(uv_queue_work, UV_ENOBUFS, __VA_ARGS__)
#define uv_random(...) FAILURE_UV(uv_random, UV_EIO, __VA_ARGS__)
#define uv_cancel(...) FAILURE_UV(uv_cancel, UV_EBUSY, __VA_ARGS__)
#define uv_signal_init(...) FAILURE_UV(uv_signal_init, UV_EMFILE, __VA_ARGS__)
#define uv_signal_start(...) FAILURE_UV(uv_signal_start, UV_EINVAL, __VA_ARGS__)

#define uv_socketpair(...) FAILURE_UV(uv_socketpair, UV_EMFILE, __VA_ARGS__)
#define uv_tcp_init(...) FAILURE_UV(uv_tcp_init, UV_ENOMEM, __VA_ARGS__)
#define uv_tcp_open(...) FAILURE_UV(uv_tcp_open, UV_EEXIST, __VA_ARGS__)
#define uv_pipe_init(...) FAILURE_UV(uv_pipe_init, UV_ENOMEM, __VA_ARGS__)
#define uv_pipe_open(...) FAILURE_UV(uv_pipe_open, UV_EEXIST, __VA_ARGS__)
#define uv_tty_init(...) FAILURE_UV(uv_tty_init, UV_ENOTTY, __VA_ARGS__)
#define uv_read_start(...) FAILURE_UV(uv_read_start, UV_ENOTCONN, __VA_ARGS__)
#define uv_try_write(...) FAILURE_UV(uv_try_write, UV_EAGAIN, __VA_ARGS__)
#define uv_write(...) FAILURE_UV(uv_write, UV_ENOTCONN, __VA_ARGS__)
#define uv_shutdown(...) FAILURE_UV(uv_shutdown, UV_ENOTCONN, __VA_ARGS__)

#define uv_cwd(...) FAILURE_UV(uv_cwd, UV_ENOENT, __VA_ARGS__)
#define uv_spawn(...) FAILURE_SPAWN(uv_spawn, __VA_ARGS__)

#define uv_fs_open(...) FAILURE_FS(uv_fs_open, __VA_ARGS__)
#define uv_fs_close(uv, request, fd, done) FAILURE_CLOSE(uv_fs_close, uv, request, fd, done)
#define uv_fs_read(...) FAILURE_FS(uv_fs_read, __VA_ARGS__)
#define uv_fs_write(...) FAILURE_FS(uv_fs_write, __VA_ARGS__)
#define uv_fs_stat(...) FAILURE_FS(uv_fs_stat, __VA_ARGS__)
#define uv_fs_lstat(...) FAILURE_FS(uv_fs_lstat, __VA_ARGS__)
#define uv_fs_fstat(...) FAILURE_FS(uv_fs_fstat, __VA_ARGS__)
#define uv_fs_fsync(...) FAILURE_FS(uv_fs_fsync, __VA_ARGS__)
#define uv_fs_realpath(...) FAILURE_FS(uv_fs_realpath, __VA_ARGS__)
#define uv_fs_scandir(...) FAILURE_FS(uv_fs_scandir, __VA_ARGS__)

#endif /* FIBRIL_TEST_FAILURE_CALLS_H */
