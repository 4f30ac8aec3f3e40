/* See tun_queue.h: the virtio header tells about checksums and super-packets. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "io/tun_queue.h"

#define PACKET_IOVECS   1024 /* the kernel's limit per writev */
#define TCP_CSUM_OFFSET 16   /* of the checksum in a TCP header */

_Static_assert(sizeof(struct virtio_net_hdr_mrg_rxbuf) == TUN_VNET_BYTES, "header size told to the TUN");

ssize_t tun_read(int fd, uint8_t *buf, struct braid_input *in)
{
    ssize_t n = read(fd, buf, TUN_BUFFER);
    if (n < 0)
        return -1;
    struct virtio_net_hdr header;
    if ((size_t)n <= TUN_VNET_BYTES)
        return 0;
    memcpy(&header, buf, sizeof(header));
    *in = (struct braid_input){.csum_ok = header.flags &
                                          (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)};
    switch (header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        break;
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
        in->gso_size = header.gso_size;
        break;
    default:
        return 0; /* an offload that we did not ask for */
    }
    return n - TUN_VNET_BYTES;
}

int tun_write(int fd, const struct braid_packet *p)
{
    struct virtio_net_hdr_mrg_rxbuf header = {0};
    struct virtio_net_hdr *h = &header.hdr;
    struct iovec iov[PACKET_IOVECS];
    if (p->n_payload > PACKET_IOVECS - 2) {
        errno = EMSGSIZE;
        return -1;
    }
    if (p->csum_start) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = p->csum_start;
        h->csum_offset = TCP_CSUM_OFFSET;
    }
    if (p->gso_size) {
        h->gso_type = p->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
        h->gso_size = p->gso_size;
        h->hdr_len = (uint16_t)p->header_len;
    }
    iov[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof(header)};
    iov[1] = (struct iovec){.iov_base = (void *)p->header, .iov_len = p->header_len};
    if (p->n_payload)
        memcpy(iov + 2, p->payload, p->n_payload * sizeof(iov[0]));
    return writev(fd, iov, (int)p->n_payload + 2) < 0 ? -1 : 0;
}
