/* A set of files, by device and inode. */
#ifndef FIBRIL_ADDON_INODE_SET_H
#define FIBRIL_ADDON_INODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t dev, ino;
} inode;

typedef struct {
  inode *slots; /* dev and ino 0: free */
  size_t used, capacity;
} inode_set; /* empty when zeroed */

/* 1 when the file is new, 0 when the set has it, or UV_ENOMEM. */
int inode_set_add(inode_set *set, inode file);
void inode_set_destroy(inode_set *set);

#endif /* FIBRIL_ADDON_INODE_SET_H */
