#include "http/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char question[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
static const char good[] = "HTTP/1.1 200 ";

bool probe_health(const char *host, int port)
{
    const struct timeval second = {.tv_sec = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char answer[sizeof good - 1];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second) == 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) == 0 &&
                   connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                   send(fd, question, sizeof question - 1, MSG_NOSIGNAL) == sizeof question - 1 &&
                   recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer &&
                   memcmp(answer, good, sizeof answer) == 0;
    if (fd >= 0)
        close(fd);
    return answers;
}
