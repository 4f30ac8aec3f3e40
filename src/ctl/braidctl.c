/* braidctl: asks a running braidd how it is. */
#include <fcntl.h>
#include <unistd.h>
#include "ctl/client.h"

/* In the place of a closed standard stream, what cannot be written to: else the socket would be taken for it.
 */
static void occupy_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    occupy_standard_descriptors();
    int result = client_main(argc, argv, stdout, stderr);
    if (fclose(stdout) != 0 && result == CLIENT_OK) {
        perror("braidctl: output");
        result = CLIENT_FAILED;
    }
    return result;
}
