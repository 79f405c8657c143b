/* SPDX-License-Identifier: Apache-2.0
 *
 * A data plane costs half a second to start, most of it for pages of memory that are touched. So it
 * starts once, and every test gets a copy of the process as it was then: fork(), which shares the
 * pages until somebody writes. There is one thread, so there is nothing that a copy would miss.
 */
#include "mould.h"
#include "core/loop.h"

#include <errno.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_COPY = 'F', ASK_WAIT = 'W' };

struct request {
    int32_t pid; /* ASK_WAIT: of the copy */
    char kind;
    char _pad[3];
};

/* EAL keeps its memory in a file, which parent and child would share: maps it privately. */
static int make_private(const struct rte_memseg_list *list, const struct rte_memseg *segment,
                        void *unused)
{
    int fd = rte_memseg_get_fd_thread_unsafe(segment);

    if (list->external || segment->addr != list->base_va) /* one mapping a list */
        return 0;
    if (fd < 0)
        return -EBADF;
    if (mmap(list->base_va, list->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
        MAP_FAILED)
        return -errno;
    return 0;
}

/* A request, and for ASK_COPY the copy's stdin and stdout. False: nobody asks any more. */
static bool receive(struct request *r, int fds[2])
{
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec iov = {r, sizeof(*r)};
    struct msghdr m = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    const struct cmsghdr *c;

    if (recvmsg(STDIN_FILENO, &m, 0) != (ssize_t)sizeof(*r))
        return false;
    c = CMSG_FIRSTHDR(&m);
    if (r->kind != ASK_COPY)
        return true;
    if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return false;
    memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    return true;
}

static void become_copy(const int fds[2])
{
    if (dup2(fds[0], STDIN_FILENO) < 0 || dup2(fds[1], STDOUT_FILENO) < 0 ||
        uv_loop_fork(main_loop) < 0)
        _exit(2);
    close(fds[0]);
    close(fds[1]);
}

static int32_t wait_for(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

bool mould_serve(void)
{
    struct request r;
    int fds[2];

    if (rte_memseg_walk(make_private, NULL) != 0)
        return false;
    while (receive(&r, fds)) {
        int32_t answer = r.kind == ASK_COPY ? fork() : wait_for(r.pid);

        if (r.kind == ASK_COPY && answer == 0) {
            become_copy(fds);
            return true;
        }
        if (r.kind == ASK_COPY) {
            close(fds[0]);
            close(fds[1]);
        }
        if (send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
            break;
    }
    return false;
}
