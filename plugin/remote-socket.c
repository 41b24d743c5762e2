#include "lib.h"
#include "remote-socket.h"

#include <sys/socket.h>
#include <netinet/in.h>
/* glibc's own struct tcp_info ends before the counters of bytes */
#include <linux/tcp.h>

/* stop looking for sockets after so many closed descriptors in a row */
#define FD_GAP_MAX 32

int remote_socket_next(int fd, in_port_t port)
{
	in_port_t peer_port;
	struct ip_addr ip;
	unsigned int gap = 0;

	while (gap < FD_GAP_MAX) {
		if (net_getpeername(++fd, &ip, &peer_port) < 0)
			gap = errno == EBADF ? gap + 1 : 0;
		else if (peer_port == port)
			return fd;
		else
			gap = 0;
	}
	return -1;
}

void remote_sockets_set_nodelay(in_port_t port)
{
	int fd = -1;

	while ((fd = remote_socket_next(fd, port)) != -1)
		(void)net_set_tcp_nodelay(fd, TRUE);
}

uint64_t remote_socket_bytes_moved(in_port_t port)
{
	uint64_t bytes = 0;
	int fd = -1;

	while ((fd = remote_socket_next(fd, port)) != -1) {
		struct tcp_info info;
		socklen_t size = sizeof(info);

		i_zero(&info);
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
			bytes += info.tcpi_bytes_received +
				info.tcpi_bytes_acked;
	}
	return bytes;
}
