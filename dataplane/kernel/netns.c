/* SPDX-License-Identifier: Apache-2.0
 *
 * Named network namespaces, see netns.h.
 *
 * The mounts have to be where everybody sees them. A service manager's sandbox, and `ip netns exec`
 * too, give a program mounts of its own, from which nothing propagates to the others. So what
 * concerns /run/netns is done in the mount namespace of process 1, by a short-lived child that
 * shares memory and descriptors with us but not the file system's root (setns(2) demands that).
 */
#include "kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIRECTORY "/run/netns"
#define STACK (256 * 1024)
#define OWN_NETNS "/proc/thread-self/ns/net"

struct call {
    int (*fn)(const void *argument);
    const void *argument;
    int result;
};

/* Process 1 may be hidden from us; the kernel's threads (whose parent is process 2, but in
 * containers) have the same mounts. -1: neither. */
static int open_system_mounts(void)
{
    int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    char name[16] = "";
    int comm;

    if (fd >= 0)
        return fd;
    comm = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);
    if (comm < 0)
        return -1;
    if (read(comm, name, sizeof(name) - 1) > 0 && strcmp(name, "kthreadd\n") == 0)
        fd = open("/proc/2/ns/mnt", O_RDONLY | O_CLOEXEC);
    close(comm);
    return fd;
}

static int child(void *argument)
{
    struct call *call = argument;
    int fd = open_system_mounts();

    /* Where that is not allowed, our own mounts have to do. */
    if (fd >= 0) {
        if (setns(fd, CLONE_NEWNS) < 0)
            errno = 0;
        close(fd);
    }
    call->result = call->fn(call->argument);
    return 0;
}

/* Runs fn in the system's mount namespace; what it returns. */
static int in_system_mounts(int (*fn)(const void *argument), const void *argument)
{
    static char stack[STACK] __attribute__((aligned(16)));
    struct call call = {.fn = fn, .argument = argument, .result = -EIO};
    pid_t pid = clone(child, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES, &call);

    if (pid < 0)
        return -errno;
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    return call.result;
}

static void path_of(char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, DIRECTORY "/%s", name);
}

/* The directory is a mount of its own, and shared, so that mounts in it reach other mount
 * namespaces (mount_namespaces(7)). */
static int prepare_directory(void)
{
    if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
        return -errno;
    if (mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    if (errno != EINVAL || mount(DIRECTORY, DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0)
        return -errno;
    return mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0 ? -errno : 0;
}

/* A descriptor, -ENOENT, or another negative errno. */
static int open_existing(const void *argument)
{
    char path[PATH_MAX];
    struct statfs fs;
    int fd;

    path_of(path, argument);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC)
        return fd;
    close(fd); /* a name on which nothing is mounted, as a crash may leave it */
    return -ENOENT;
}

/* Mounts the caller's network namespace, which the child has inherited. */
static int mount_own(const void *argument)
{
    char path[PATH_MAX];
    int rc = prepare_directory();
    int fd;

    if (rc < 0)
        return rc;
    path_of(path, argument);
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    close(fd);
    if (mount(OWN_NETNS, path, "none", MS_BIND, NULL) < 0) {
        rc = -errno;
        unlink(path);
        return rc;
    }
    return 0;
}

static void back_to(int own)
{
    if (setns(own, CLONE_NEWNET) < 0)
        __builtin_trap(); /* the rest of the program would run in the wrong namespace */
    close(own);
}

static int make(const char *name)
{
    int own = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    int fd, rc;

    if (own < 0)
        return -errno;
    if (unshare(CLONE_NEWNET) < 0) {
        rc = -errno;
        close(own);
        return rc;
    }
    fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    rc = fd < 0 ? -errno : in_system_mounts(mount_own, name);
    back_to(own);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : fd;
}

int netns_open(const char *name)
{
    return in_system_mounts(open_existing, name);
}

int netns_make(const char *name)
{
    int fd = netns_open(name);

    return fd == -ENOENT ? make(name) : fd;
}

static int unmount(const void *argument)
{
    char path[PATH_MAX];

    path_of(path, argument);
    umount2(path, MNT_DETACH);
    return unlink(path) < 0 ? -errno : 0;
}

void netns_remove(const char *name)
{
    in_system_mounts(unmount, name);
}

static int open_directory(const void *argument)
{
    int fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

void netns_list(const char *prefix, void (*fn)(const char *name))
{
    int fd = in_system_mounts(open_directory, NULL);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (directory == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            fn(entry->d_name);
    closedir(directory);
}

int netns_enter(int fd)
{
    int own = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);

    if (own < 0)
        return -errno;
    if (setns(fd, CLONE_NEWNET) < 0) {
        int error = -errno;

        close(own);
        return error;
    }
    return own;
}

bool netns_sysctl(const char *name, const char *value)
{
    char path[PATH_MAX];
    bool written;
    int fd;

    snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    close(fd);
    return written;
}
