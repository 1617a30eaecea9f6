/* SPDX-License-Identifier: MIT */
/* Names of C++ and Rust functions as their authors wrote them. (library: iberty) */
#ifndef WEIR_DEMANGLE_H
#define WEIR_DEMANGLE_H

#include "base/slice.h"

/*
 * Writes the name that MANGLED stands for TO, which has SIZE bytes, and returns its length; 0 when it is no
 * mangled name of C++ or Rust (old or v0). What does not fit is cut: a short mangled name may stand for one
 * of gigabytes, so it is written no further than that. No NUL.
 */
size_t demangle(const char *mangled, char *to, size_t size);

#endif
