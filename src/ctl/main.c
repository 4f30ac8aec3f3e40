/* braidctl: asks a running braidd how it is. */
#include "ctl/client.h"

int main(int argc, char **argv)
{
    return client_main(argc, argv, stdout, stderr);
}
