/* The version of this build, as -V and the status tell it. */
#ifndef BRAID_VERSION_H
#define BRAID_VERSION_H

#define BRAID_VERSION "0.1.0"

#endif
