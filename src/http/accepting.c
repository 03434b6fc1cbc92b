#include "http/accepting.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool listens_on(int fd, const char *host, int port)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    struct sockaddr_in address;
    struct in_addr own;
    socklen_t address_size = sizeof address;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening &&
           getsockname(fd, (struct sockaddr *)&address, &address_size) == 0 &&
           address.sin_family == AF_INET && ntohs(address.sin_port) == port &&
           inet_pton(AF_INET, host, &own) == 1 && address.sin_addr.s_addr == own.s_addr;
}

void accepting_stop(const char *host, int port)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && listens_on(fd, host, port))
            shutdown(fd, SHUT_RD);
    }
    closedir(folder);
}
