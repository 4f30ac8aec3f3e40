/* Reads the packets of a capture file: classic pcap, little-endian, Linux cooked v2 or Ethernet. */
#ifndef BRAID_TESTS_PCAP_H
#define BRAID_TESTS_PCAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct pcap {
    FILE *file;
    unsigned link_header; /* bytes in front of the IP header */
    uint8_t bytes[1 << 18];
};

static inline uint32_t pcap_word(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline bool pcap_open(struct pcap *c, const char *path)
{
    uint8_t header[24];
    uint32_t link;

    c->file = fopen(path, "rb");
    if (!c->file || fread(header, sizeof(header), 1, c->file) != 1)
        return false;
    link = pcap_word(header + 20);
    c->link_header = link == 276 ? 20 : 14;
    return pcap_word(header) == 0xa1b2c3d4 && (link == 276 || link == 1);
}

/* The next IP packet, or NULL at the end of the file. *cut: bytes that the capture left out. */
static inline uint8_t *pcap_next(struct pcap *c, size_t *len, size_t *cut)
{
    uint8_t header[16];
    uint32_t captured;

    if (fread(header, sizeof(header), 1, c->file) != 1)
        return NULL;
    captured = pcap_word(header + 8);
    if (captured > sizeof(c->bytes) || captured < c->link_header ||
        fread(c->bytes, captured, 1, c->file) != 1)
        return NULL;
    *len = captured - c->link_header;
    *cut = pcap_word(header + 12) - captured;
    return c->bytes + c->link_header;
}

static inline void pcap_close(struct pcap *c)
{
    if (c->file)
        fclose(c->file);
}

#endif
