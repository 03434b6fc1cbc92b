#include "http/sockets.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_FLAGS   13 /* offset in a TCP header */
#define TCP_SYN     0x02
#define REPLY_BYTES 4096

static struct sockaddr_in socket_address(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

/* Whether a descriptor is a socket of the listener at this address. */
static bool belongs(int fd, const struct sockaddr_in *own)
{
    struct sockaddr_in local;
    socklen_t size = sizeof local;
    return getsockname(fd, (struct sockaddr *)&local, &size) == 0 && local.sin_family == AF_INET &&
           local.sin_port == own->sin_port &&
           (own->sin_addr.s_addr == INADDR_ANY || local.sin_addr.s_addr == own->sin_addr.s_addr);
}

size_t sockets_each(const char *host, int port, socket_action *act)
{
    struct sockaddr_in own = socket_address(host, port);
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    size_t sum = 0;
    while (folder && (entry = readdir(folder))) {
        int fd = atoi(entry->d_name), listening = 0;
        socklen_t size = sizeof listening;
        if (entry->d_name[0] != '.' && belongs(fd, &own) &&
            getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0)
            sum += act(fd, listening);
    }
    if (folder)
        closedir(folder);
    return sum;
}

/* Drops each SYN. Other packets pass, so that handshakes that have begun are completed. */
size_t socket_refuse(int fd, bool listening)
{
    static struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TCP_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    static const struct sock_fprog program = {sizeof instructions / sizeof instructions[0], instructions};
    if (listening)
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    return 0;
}

size_t socket_close_silent(int fd, bool listening)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (listening)
        return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_last_data_recv >= SILENT_MS)
        shutdown(fd, SHUT_RD);
    return 1;
}

size_t socket_stop(int fd, bool listening)
{
    shutdown(fd, listening ? SHUT_RD : SHUT_RDWR);
    return 0;
}

static bool wait_until(int fd, short events, int64_t until_ms)
{
    struct pollfd ready = {.fd = fd, .events = events};
    int64_t left_ms = until_ms - clock_monotonic_ms();
    return left_ms > 0 && poll(&ready, 1, (int)left_ms) == 1;
}

int sockets_bind(int *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t size = sizeof own;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *port = 0;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&own, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &size) == 0)
        *port = ntohs(own.sin_port);
    return fd;
}

/* Reads up to the end, until a point in time; returns how much. */
static size_t read_reply(int fd, char *reply, size_t size, int64_t until_ms)
{
    size_t length = 0;
    while (length < size && wait_until(fd, POLLIN, until_ms)) {
        ssize_t count = read(fd, reply + length, size - length);
        if (count <= 0)
            break;
        length += (size_t)count;
    }
    return length;
}

int sockets_ask(int fd, const char *host, int port, const char *question, int64_t limit_ms)
{
    static const char start[] = "HTTP/1.1 ";
    char reply[REPLY_BYTES + 1] = "";
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    struct sockaddr_in address = socket_address(host, port);
    if (fd < 0)
        return 0;
    bool connecting = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS;
    if (connecting && wait_until(fd, POLLOUT, until_ms) &&
        send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question))
        reply[read_reply(fd, reply, REPLY_BYTES, until_ms)] = '\0';
    close(fd);
    bool one = strncmp(reply, start, strlen(start)) == 0 && !strstr(reply + strlen(start), start);
    return one ? atoi(reply + strlen(start)) : 0;
}
